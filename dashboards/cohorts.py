"""History and campaign beside each other: campaign_costs made ready to be shown."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboards.cells import FINAL, HIDDEN, NOT_FINAL, SMALLEST

ALL = "(all)"
PERIODS = ("history", "campaign")
COSTS = {"cost_per_funded": "funded", "cost_per_good": "good_mature"}
RATES = {"late_rate": "matured", "fraud_rate": "funded"}


def cohorts(frame: pd.DataFrame) -> pd.DataFrame:
    """campaign_costs with a status beside every figure; figures about fewer than 11 people are hidden.

    A cost per good or a late rate of a row whose months are not all decided is marked `not_final`.
    """
    result = frame.copy()
    for name, count in {**COSTS, **RATES}.items():
        result[f"{name}_status"] = _statuses(result, name, count)
        for suffix in ("", "_lo", "_hi"):
            result[f"{name}{suffix}"] = result[f"{name}{suffix}"].mask(result[f"{name}_status"] == HIDDEN)
    for name in ("applications", "approvals", "funded", "good_mature"):
        small = (result[name] > 0) & (result[name] < SMALLEST)
        result[f"{name}_status"] = np.where(small, HIDDEN, FINAL)
        result[name] = result[name].astype("float64").mask(small)
    return result


def _statuses(frame: pd.DataFrame, name: str, count: str) -> list[str]:
    ends_open = name in ("cost_per_good", "late_rate")
    found = []
    cells = zip(frame[name], frame[count], frame["is_mature"], frame["reason"], strict=True)
    for value, people, mature, reason in cells:
        if 0 < people < SMALLEST:
            found.append(HIDDEN)
        elif pd.isna(value):
            found.append(str(reason) if reason and name == "cost_per_good" else "no_outcome")
        else:
            found.append(NOT_FINAL if ends_open and not mature else FINAL)
    return found


def overall(frame: pd.DataFrame, period: str) -> pd.Series | None:
    """The row of all channels and bands of a period, None when there is none."""
    rows = frame[(frame["period"] == period) & (frame["channel"] == ALL) & (frame["band"] == ALL)]
    return None if rows.empty else rows.iloc[0]


def by_channel(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of single channels, every band together."""
    return frame[(frame["band"] == ALL) & (frame["channel"] != ALL) & (frame["channel"] != "(unattributed)")]


def by_band(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of single bands, every channel together."""
    return frame[(frame["channel"] == ALL) & (frame["band"] != ALL)]
