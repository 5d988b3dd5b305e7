"""vintages, roll_rates and paybacks made ready to be shown: nothing told that gives a handful of people away."""

from __future__ import annotations

from collections.abc import Callable
from math import nan

import pandas as pd

from dashboards.cells import FINAL, HIDDEN, SMALLEST

ALL = "(all)"
LATE_DAYS = 90
NEWEST = 12  # cohorts shown
STATES = ("current", "M1", "M2", "M3", "M4+")
ENDS = ("repaid", "charged_off", "not_reported")
# What a cohort is called that a month of funding (YYYY-MM) belongs to.
SPANS: dict[str, Callable[[str], str]] = {
    "month": lambda month: month,
    "quarter": lambda month: f"{month[:4]} Q{(int(month[5:]) + 2) // 3}",
    "year": lambda month: month[:4],
}


def aged(frame: pd.DataFrame, days: int = LATE_DAYS) -> pd.DataFrame:
    """Points of the newest cohorts of all channels: `vintage`, `age`, `value`, `lo`, `hi`, `loans`, `is_final`.

    Cohorts are months of funding, quarters or years: the finest of which half have a point to tell. A point is told
    where at least 11 more loans are late than at the point before it, so that no difference tells of a handful.
    """
    mine = frame[(frame["channel"] == ALL) & (frame["days_past_due"] == days)]
    points = mine.iloc[:0].assign(age=0, value=nan, is_final=True)
    for name in SPANS.values():
        cohorts = _pooled(mine.assign(cohort=[name(str(vintage)) for vintage in mine["vintage"]]))
        points = _tellable(cohorts)
        if 2 * points.loc[points["value"] > 0, "vintage"].nunique() >= cohorts["vintage"].nunique():
            break
    newest = sorted(points["vintage"].unique())[-NEWEST:]
    wanted = ["vintage", "age", "value", "lo", "hi", "loans", "is_final"]
    return points[points["vintage"].isin(newest)][wanted].reset_index(drop=True)


def _pooled(frame: pd.DataFrame) -> pd.DataFrame:
    """Each cohort at the months on book that all its vintages were seen to, and developed where the rest is told."""
    size = frame.groupby("cohort")["vintage"].nunique()
    seen = frame[frame["maturity"] == "observed"]
    whole = seen.groupby(["cohort", "months_on_book"]).agg(
        late=("late", "sum"),
        loans=("loans", "sum"),
        vintages=("vintage", "nunique"),
        lo=("lo", "min"),
        hi=("hi", "max"),
    )
    whole = whole.reset_index().assign(is_final=True)
    ends = frame[frame["months_on_book"] == frame["months_on_book"].max()]
    count = ends["late"].fillna(ends["rate"] * ends["loans"])
    ahead = ends.assign(late=count, is_ahead=ends["maturity"] == "developed").groupby(["cohort", "months_on_book"])
    ahead = ahead.agg(
        late=("late", "sum"),
        loans=("loans", "sum"),
        vintages=("vintage", "nunique"),
        lo=("lo", "min"),
        hi=("hi", "max"),
        is_ahead=("is_ahead", "any"),
    )
    both = pd.concat([whole, ahead[ahead["is_ahead"]].reset_index().assign(is_final=False)])
    both = both[both["vintages"] == both["cohort"].map(size)]
    # Ends of an interval do not add up.
    alone = both["vintages"] == 1
    both = both.assign(lo=both["lo"].where(alone), hi=both["hi"].where(alone), value=both["late"] / both["loans"])
    named: pd.DataFrame = both.rename(columns={"cohort": "vintage", "months_on_book": "age"})
    return named.sort_values(["vintage", "age", "is_final"])


def _tellable(cohorts: pd.DataFrame) -> pd.DataFrame:
    """The points that tell of no handful; nothing of a cohort in which 1 to 10 loans were late when last seen."""
    kept = []
    for _, cohort in cohorts[cohorts["loans"] >= SMALLEST].reset_index(drop=True).groupby("vintage", sort=True):
        seen, told = cohort[cohort["is_final"]], 0.0
        if len(seen) and 0 < seen["late"].iloc[-1] < SMALLEST:
            continue
        for at, late in seen["late"].items():
            if not late or late - told >= SMALLEST:
                kept.append(at)
                told = late
        kept += cohort.index[~cohort["is_final"].astype(bool) & (cohort["late"] >= SMALLEST)].tolist()
    return cohorts[cohorts["loans"] >= SMALLEST].reset_index(drop=True).loc[kept]


def rolled(frame: pd.DataFrame) -> tuple[pd.DataFrame, str | None]:
    """Balances of the newest twelve months: a row a state, a column a next state, `<next>_status`; and the last month.

    A row with a cell of 1 to 10 loans is hidden whole: its shares add up to 1.
    """
    if frame.empty:
        return pd.DataFrame(), None
    months = sorted(str(month) for month in frame["month"].unique())[-NEWEST:]
    mine = frame[frame["month"].isin(months)].groupby(["state", "next_state"])[["loans", "balance_minor"]].sum()
    mine = mine.reset_index()
    mine["rate"] = mine["balance_minor"] / mine.groupby("state")["balance_minor"].transform("sum")
    rows = []
    for state in STATES:
        cells = mine[mine["state"] == state].set_index("next_state")
        is_small = ((cells["loans"] > 0) & (cells["loans"] < SMALLEST)).any()
        row: dict[str, object] = {"state": state}
        for name in (*STATES, *ENDS):
            row[name] = nan if is_small else float(cells["rate"].get(name, 0.0)) if len(cells) else nan
            row[f"{name}_status"] = HIDDEN if is_small else FINAL
        rows.append(row)
    return pd.DataFrame(rows), months[-1]


def earned(frame: pd.DataFrame) -> pd.DataFrame:
    """Each month of spend of all channels at its last month on book, and the month on book that paid it back."""
    mine = frame[(frame["channel"] == ALL) & (frame["loans"] >= SMALLEST)].sort_values("months_on_book")
    last = mine.groupby("period", sort=True).tail(1).sort_values("period")
    back = mine[mine["is_paid_back"].astype(bool)].groupby("period")["months_on_book"].min()
    return last.assign(paid_back=last["period"].map(back).astype("float64")).tail(NEWEST).reset_index(drop=True)
