"""channel_costs summed to channels: the whole time beside the months whose customers are decided."""

from __future__ import annotations

import pandas as pd

from dashboards.cells import (
    IMMATURE,
    NO_OUTCOME,
    UNATTRIBUTED,
    blank_with,
    decided_periods,
    hide_small,
    totals,
    with_cost,
    with_rate,
)

COUNTS = ("applications", "approvals", "funded")
ALL = "(all)"


def channel_rows(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """One row a channel, the row of all channels, the unattributed row; and the decided months.

    Columns: sums over all months, `spend_decided`, `good_decided`, `late_rate` over the decided months, and every cost
    per with `_lo`, `_hi`, `_status`. Counts of 1 to 10 are hidden with the costs made from them.
    """
    months = decided_periods(frame)
    sums = _summed(frame, months)
    for name, count in (
        ("cost_per_application", "applications"),
        ("cost_per_approval", "approvals"),
        ("cost_per_funded", "funded"),
    ):
        sums = with_cost(sums, name, count)
    sums = with_cost(sums, "cost_per_good", "good_decided", "spend_decided")
    sums = with_rate(sums, "late_rate", "late_decided", "matured_decided")
    if not months:
        unknown = sums["cost_per_good_status"].isin([NO_OUTCOME, "not_billed"])
        sums.loc[unknown, "cost_per_good_status"] = IMMATURE
    single = sums[~sums["is_total"]].sort_values("spend", ascending=False, kind="stable")
    counts = [*COUNTS, "good_decided"]
    alone = [hide_small(rows, counts) for _, rows in sums[sums["is_total"]].groupby("channel", sort=True)]
    shown = pd.concat([hide_small(single, counts), *alone])
    for name, count in (
        ("cost_per_application", "applications"),
        ("cost_per_approval", "approvals"),
        ("cost_per_funded", "funded"),
        ("cost_per_good", "good_decided"),
    ):
        shown = blank_with(shown, name, count)
    return shown.reset_index(drop=True), months


def _summed(frame: pd.DataFrame, months: list[str]) -> pd.DataFrame:
    decided = frame[frame["period"].isin(months)]
    attributed = frame["channel"] != UNATTRIBUTED
    parts = [
        _beside(totals(frame[attributed], ["channel"]), totals(decided[attributed.loc[decided.index]], ["channel"])),
        _beside(
            totals(frame[attributed], []).assign(channel=ALL),
            totals(decided[attributed.loc[decided.index]], []).assign(channel=ALL),
        ),
        _beside(totals(frame[~attributed], ["channel"]), totals(decided[~attributed.loc[decided.index]], ["channel"])),
    ]
    sums = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return sums.assign(is_total=sums["channel"].isin([ALL, UNATTRIBUTED]))


def _beside(everything: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    wanted = ["spend", "funded", "matured", "good", "late"]
    renamed = decided[["channel", *wanted]].rename(columns={name: f"{name}_decided" for name in wanted})
    joined = everything.merge(renamed, on="channel", how="left")
    added = [f"{name}_decided" for name in wanted]
    joined[added] = joined[added].fillna(0)
    return joined


def funnel(frame: pd.DataFrame) -> tuple[dict[str, int], list[str]]:
    """Credited applications of decided months and what became of them: counts a stage, and those months."""
    months = decided_periods(frame)
    rows = frame[frame["period"].isin(months) & (frame["channel"] != UNATTRIBUTED)]
    return {name: int(rows[name].sum()) for name in ("applications", "approvals", "funded", "good")}, months


def spend_months(ledger: pd.DataFrame, scale: int) -> pd.DataFrame:
    """Spend a month and channel, major units: `month`, `channel`, `spend`; `scale` is minor units a major."""
    if ledger.empty:
        return pd.DataFrame({"month": pd.to_datetime([]), "channel": [], "spend": []})
    months = ledger["spend_day"].dt.to_period("M").dt.to_timestamp()
    sums = ledger.assign(month=months).groupby(["month", "channel"], sort=True)["cost_minor"].sum().reset_index()
    return sums.assign(spend=sums["cost_minor"] / scale)[["month", "channel", "spend"]]
