"""vintages, roll_rates and paybacks made ready to be shown: nothing told that gives a handful of people away."""

from __future__ import annotations

from math import nan

import pandas as pd

from dashboards.cells import FINAL, HIDDEN, SMALLEST

ALL = "(all)"
LATE_DAYS = 90
NEWEST = 12  # cohorts shown
STATES = ("current", "M1", "M2", "M3", "M4+")
ENDS = ("repaid", "charged_off", "not_reported")


def aged(frame: pd.DataFrame, days: int = LATE_DAYS) -> pd.DataFrame:
    """Points of the newest vintages of all channels: `vintage`, `age`, `value`, `lo`, `hi`, `loans`, `is_final`.

    A point is left out while fewer than 11 more loans than at the point before it are late, and vintages of fewer than
    11 loans are left out whole: the difference of two points would tell of a handful.
    """
    mine = frame[(frame["channel"] == ALL) & (frame["days_past_due"] == days) & (frame["loans"] >= SMALLEST)]
    kept = []
    for _, cohort in mine.sort_values("months_on_book", kind="stable").groupby("vintage", sort=True):
        seen, told = cohort[cohort["maturity"] == "observed"], 0.0
        for at, late in seen["late"].items():
            if not late or late - told >= SMALLEST:
                kept.append(at)
                told = late
        kept += cohort.index[
            (cohort["maturity"] == "developed") & (cohort["rate"] * cohort["loans"] >= SMALLEST)
        ].tolist()
    points = mine.loc[kept].rename(columns={"months_on_book": "age", "rate": "value"})
    points = points.assign(is_final=points["maturity"] == "observed")
    newest = sorted(points["vintage"].unique())[-NEWEST:]
    wanted = ["vintage", "age", "value", "lo", "hi", "loans", "is_final"]
    return points[points["vintage"].isin(newest)][wanted].reset_index(drop=True)


def rolled(frame: pd.DataFrame) -> tuple[pd.DataFrame, str | None]:
    """The newest month's balances: one row a state, a column a next state, with `<next>_status`; and that month.

    A row with a cell of 1 to 10 loans is hidden whole: its shares add up to 1.
    """
    if frame.empty:
        return pd.DataFrame(), None
    month = str(frame["month"].max())
    mine = frame[frame["month"] == month]
    rows = []
    for state in STATES:
        cells = mine[mine["state"] == state].set_index("next_state")
        is_small = ((cells["loans"] > 0) & (cells["loans"] < SMALLEST)).any()
        row: dict[str, object] = {"state": state}
        for name in (*STATES, *ENDS):
            row[name] = nan if is_small else float(cells["rate"].get(name, 0.0)) if len(cells) else nan
            row[f"{name}_status"] = HIDDEN if is_small else FINAL
        rows.append(row)
    return pd.DataFrame(rows), month


def earned(frame: pd.DataFrame) -> pd.DataFrame:
    """Each month of spend of all channels at its last month on book, and the month on book that paid it back."""
    mine = frame[(frame["channel"] == ALL) & (frame["loans"] >= SMALLEST)].sort_values("months_on_book")
    last = mine.groupby("period", sort=True).tail(1).sort_values("period")
    back = mine[mine["is_paid_back"].astype(bool)].groupby("period")["months_on_book"].min()
    return last.assign(paid_back=last["period"].map(back).astype("float64")).tail(NEWEST).reset_index(drop=True)
