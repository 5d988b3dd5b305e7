"""How a number is written for a reader: money, counts, shares, each with its interval."""

from __future__ import annotations

from math import isnan

import pandas as pd

DASH = "–"


def is_null(value: object) -> bool:
    """True for None and every kind of not-a-number."""
    return value is None or bool(pd.isna(value))  # type: ignore[call-overload]


def money(value: float) -> str:
    """Money without its currency: cents below 100, whole units above."""
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


def count(value: float) -> str:
    """A whole number with thousands."""
    return f"{value:,.0f}"


def share(value: float) -> str:
    """A share in per cent, with more places where it is small."""
    percent = 100 * value
    return f"{percent:.2f} %" if abs(percent) < 1 else f"{percent:.1f} %"


def plain(value: float) -> str:
    """A number at four significant places, thousands marked."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


WRITERS = {"money": money, "count": count, "share": share, "plain": plain}


def interval(kind: str, low: float | None, high: float | None) -> str:
    """`lo – hi`; an end that is not known is left open, and both unknown is nothing."""
    write = WRITERS[kind]
    if is_null(low) and is_null(high):
        return ""
    return f"{'' if is_null(low) else write(float(low or 0))} {DASH} {'' if is_null(high) else write(float(high or 0))}"


def valued(kind: str, value: float) -> str:
    """The number in its kind's writing, a dash when there is none."""
    return DASH if isnan(value) else WRITERS[kind](value)
