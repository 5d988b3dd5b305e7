"""History and campaign beside each other: campaign_costs made ready to be shown."""

from __future__ import annotations

import pandas as pd

from dashboards.cells import FINAL, NO_OUTCOME, NOT_FINAL, UNATTRIBUTED, blank_with, hide_small

ALL = "(all)"
ALL_BANDS = "(all bands)"
PERIODS = ("history", "campaign")
COUNTS = ("applications", "approvals", "funded", "matured", "good_mature")
FIGURES = {
    "cost_per_funded": "funded",
    "cost_per_good": "good_mature",
    "late_rate": "matured",
    "fraud_rate": "funded",
}


def cohorts(frame: pd.DataFrame) -> pd.DataFrame:
    """campaign_costs with a status beside every figure; counts of 1 to 10 and what is made from them are hidden.

    A cost per good or a late rate of a row whose months are not all decided is marked `not_final`. The band of every
    band together reads `(all bands)`.
    """
    result = frame.assign(band=frame["band"].replace(ALL, ALL_BANDS)).reset_index(drop=True)
    parts = [hide_small(rows, COUNTS) for _, rows in result.groupby(_siblings(result), sort=False)]
    result = pd.concat(parts).sort_index() if parts else hide_small(result, COUNTS)
    for name, count in FIGURES.items():
        result[f"{name}_status"] = _statuses(result, name)
        result = blank_with(result, name, count)
    return result


def _siblings(frame: pd.DataFrame) -> pd.Series:
    """Which rows add up to one shown total: the channels of a period, its bands, or the bands of one channel."""
    kind = frame["channel"].where(frame["band"] != ALL_BANDS, "channels").where(frame["channel"] != ALL, "bands")
    is_top = (frame["channel"] == ALL) & (frame["band"] == ALL_BANDS)
    kind = kind.where(frame["channel"] != UNATTRIBUTED, UNATTRIBUTED + frame["band"])
    return frame["period"] + "|" + kind.where(~is_top, "top")


def _statuses(frame: pd.DataFrame, name: str) -> list[str]:
    may_change = name in ("cost_per_good", "late_rate")
    found = []
    for value, mature, reason in zip(frame[name], frame["is_mature"], frame["reason"], strict=True):
        if pd.isna(value):
            found.append(str(reason) if reason and name == "cost_per_good" else NO_OUTCOME)
        else:
            found.append(NOT_FINAL if may_change and not mature else FINAL)
    return found


def overall(frame: pd.DataFrame, period: str) -> pd.Series | None:
    """The row of all channels and bands of a period, None when there is none."""
    rows = frame[(frame["period"] == period) & (frame["channel"] == ALL) & (frame["band"] == ALL_BANDS)]
    return None if rows.empty else rows.iloc[0]


def by_channel(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of single channels, every band together."""
    return frame[(frame["band"] == ALL_BANDS) & (frame["channel"] != ALL) & (frame["channel"] != "(unattributed)")]


def by_band(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of single bands, every channel together."""
    return frame[(frame["channel"] == ALL) & (frame["band"] != ALL_BANDS)]


def without_repeats(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows but for those of a channel's only band, which say what the channel's own row says."""
    is_part = frame["band"] != ALL_BANDS
    bands = frame[is_part].groupby(["period", "channel"])["band"].transform("nunique").reindex(frame.index)
    return frame[~(is_part & (bands == 1))].reset_index(drop=True)
