"""From summed counts to the figures a cell shows: costs and rates with intervals, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import pandas as pd

from dashboards.intervals import poisson, wilson

SMALLEST = 11
FINAL, NOT_FINAL, IMMATURE, NO_OUTCOME, HIDDEN, NOT_BILLED = (
    "final",
    "not_final",
    "immature",
    "no_outcome",
    "hidden",
    "not_billed",
)
UNATTRIBUTED = "(unattributed)"
SUMS = ("spend", "clicks", "applications", "approvals", "funded", "matured", "good", "late", "fraud")


def totals(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Sums of money and counts a group; null is a group of its own. `spend` is exact to the cent."""
    present = [name for name in SUMS if name in frame.columns]
    if not by:
        sums = frame[present].sum().to_frame().T
    else:
        sums = frame.groupby(list(by), dropna=False, sort=True)[present].sum().reset_index()
    sums["spend"] = sums["spend"].astype("float64").round(2)
    return sums


def decided_periods(frame: pd.DataFrame) -> list[str]:
    """The months in which no channel can gain an application any more and none is open, in order.

    A month counts for all channels or for none, so that which months count never depends on how a channel fared.
    """
    mature = frame[frame["channel"] != UNATTRIBUTED].groupby("period")["is_mature"].all()
    return sorted(str(period) for period, is_mature in mature.items() if is_mature)


def cost(spend: float, count: float) -> tuple[float, float, float, str]:
    """Money per customer with the Poisson interval of the count: value, lo, hi, status; never 0 and never infinite."""
    if not spend > 0:
        return nan, nan, nan, NOT_BILLED
    if not count > 0:
        return nan, nan, nan, NO_OUTCOME
    if count < SMALLEST:
        return nan, nan, nan, HIDDEN
    low, high = poisson(count)
    return spend / count, spend / high, spend / low, FINAL


def rate(successes: float, trials: float) -> tuple[float, float, float, str]:
    """A share with its Wilson interval: value, lo, hi, status."""
    if not trials > 0:
        return nan, nan, nan, NO_OUTCOME
    if trials < SMALLEST:
        return nan, nan, nan, HIDDEN
    low, high = wilson(successes, trials)
    return successes / trials, low, high, FINAL


def with_cost(frame: pd.DataFrame, name: str, count: str, spend: str = "spend") -> pd.DataFrame:
    """The frame with `name`, `name_lo`, `name_hi`, `name_status`: `spend` per `count`."""
    return _with(frame, name, [cost(s, c) for s, c in zip(frame[spend], frame[count], strict=True)])


def with_rate(frame: pd.DataFrame, name: str, successes: str, trials: str) -> pd.DataFrame:
    """The frame with `name`, `name_lo`, `name_hi`, `name_status`: the share of `successes` in `trials`."""
    return _with(frame, name, [rate(s, t) for s, t in zip(frame[successes], frame[trials], strict=True)])


def _with(frame: pd.DataFrame, name: str, cells: list[tuple[float, float, float, str]]) -> pd.DataFrame:
    parts = pd.DataFrame(cells, columns=[name, f"{name}_lo", f"{name}_hi", f"{name}_status"], index=frame.index)
    return pd.concat([frame, parts], axis=1)


def hide_small(frame: pd.DataFrame, counts: Sequence[str]) -> pd.DataFrame:
    """Blank counts of 1 to 10 people, status `hidden`; where one cell alone would be hidden, the next smallest too.

    A column's total stands beside its cells, so a single blank could be worked out by subtraction.
    """
    result = frame.copy()
    for name in counts:
        small = (frame[name] > 0) & (frame[name] < SMALLEST)
        others = frame.loc[~small & (frame[name] > 0), name]
        if small.sum() == 1 and len(others):
            small = small | (frame.index == others.idxmin())
        result[f"{name}_status"] = [HIDDEN if is_small else FINAL for is_small in small]
        result[name] = frame[name].astype("float64").mask(small)
    return result


def blank_with(frame: pd.DataFrame, figure: str, count: str) -> pd.DataFrame:
    """The frame with `figure` blanked wherever `count` is hidden, because one gives the other away."""
    result = frame.copy()
    gone = result[f"{count}_status"] == HIDDEN
    for suffix in ("", "_lo", "_hi"):
        result.loc[gone, f"{figure}{suffix}"] = nan
    result.loc[gone, f"{figure}_status"] = HIDDEN
    return result
