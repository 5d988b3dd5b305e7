"""The day of each raw row: read from a column, or derived from the order of rows that name only month and weekday."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import numpy as np
import pandas as pd

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def read_days(column: pd.Series, form: str) -> pd.Series:
    """The column as dates by the strptime format `form`; null where it does not fit."""
    return pd.to_datetime(column, format=form, errors="coerce").dt.date.astype(object)


def walk(months: pd.Series, weekdays: pd.Series, first_month: date) -> pd.Series:
    """One date a row for a file in time order that gives only month and weekday names; null for a name unknown.

    A new month name starts that month's next occurrence after the one before, from `first_month` on. Inside a month
    the day is the first one with the row's weekday; whenever the weekday name changes, it moves on to the next such
    weekday, and stays within the month. Two weeks with contacts on one weekday only therefore fall on one day: a
    derived day is the earliest the order of rows allows, and month and order are kept exactly.
    """
    numbers = months.str.lower().map({m: i + 1 for i, m in enumerate(MONTHS)})
    places = weekdays.str.lower().map({w: i for i, w in enumerate(WEEKDAYS)})
    out: list[date | None] = []
    current: date | None = None
    year, month = first_month.year, 0
    for number, place in zip(numbers.to_numpy(), places.to_numpy(), strict=True):
        if np.isnan(number) or np.isnan(place):
            out.append(None)
            continue
        if int(number) != month:
            year += int(month != 0 and int(number) < month)
            month, current = int(number), None
        current = _next(current, int(place), year, month)
        out.append(current)
    return pd.Series(out, index=months.index, dtype=object)


def _next(current: date | None, weekday: int, year: int, month: int) -> date:
    """The first day from `current` on (or of the month) with that weekday; the month's last such day at the latest."""
    start = current or date(year, month, 1)
    found = start + timedelta(days=(weekday - start.weekday()) % 7)
    last = date(year, month, monthrange(year, month)[1])
    return found if found <= last else last - timedelta(days=(last.weekday() - weekday) % 7)
