"""The market's days: months, waves, and the day on which a row becomes known to the lender's landing folder."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from jobs.market.conf import MarketConf
from jobs.market.dice import Ints

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
WINDOW_DAYS = 14  # p_apply counts 14 days from the day of assignment
EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def as_date(number: int) -> date:
    """The date of a day number."""
    return EPOCH + timedelta(days=int(number))


def month_of(days: Any) -> Ints:
    """Months since 1970-01 of day numbers."""
    return np.asarray(days, dtype="datetime64[D]").astype("datetime64[M]").astype(np.int64)


def month_start(months: Any) -> Ints:
    """Day number of the first day of months counted since 1970-01."""
    return np.asarray(months, dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)


def day_of(at_us: Ints) -> Ints:
    """Day numbers of UTC microseconds."""
    return np.floor_divide(at_us, DAY_US)


class Calendar:
    """The days of one market: `first` is its first landed day, `end` the last day of history."""

    def __init__(self, conf: MarketConf) -> None:
        self.end = day_number(conf.history_end)
        self.end_month = int(month_of([self.end])[0])
        self.first_month = self.end_month - conf.months + 1
        self.first = int(month_start([self.first_month])[0])
        self.book_month = self.first_month - conf.book_months
        # aligned to a month, so that no monthly extract lands after a daily row that is newer
        self.daily_from = int(month_start(month_of([self.end - conf.daily_days]))[0])

    def wave_day(self, month: int) -> int:
        """The day a month's history wave is assigned: the second."""
        return int(month_start([month])[0]) + 1

    def landed(self, known: Ints, daily_until: int) -> Ints:
        """The landing day of rows known on day `known`.

        What was known before the first landed day comes as one initial load; older history and what is known after
        `daily_until` comes in monthly extracts on the first of the next month; the rest lands on the day itself.
        """
        known = np.maximum(known, self.first)
        starts = month_start(month_of(known))
        monthly = np.where(starts == known, known, month_start(month_of(known) + 1))
        is_daily = (known >= self.daily_from) & (known <= daily_until)
        return np.where(is_daily, known, monthly)

    def snapshot_days(self, every: int) -> list[int]:
        """Landing days of the prospects snapshots in history."""
        months = range(self.first_month, self.end_month + 1, every)
        return [int(day) for day in month_start(list(months))]
