"""What the demo prints: cost per good customer, history beside campaign, as measured and as the referee knows it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from jobs.market.published import published_audiences
from jobs.market.referee import referee, referee_history
from jobs.runtime import export

Row = dict[str, Any]
WIDTH = 160


def measured(warehouse: Path, day: date) -> list[Row]:
    """The rows of `campaign_costs` as published on a day."""
    return export.head(export.find(warehouse, "campaign_costs", day), None)


def truth_of(truth: Path, warehouse: Path, sent: date) -> dict[str, Any]:
    """What the referee knows of the history and of the audiences sent on a day."""
    return {"history": referee_history(truth), "campaign": referee(truth, published_audiences(warehouse, sent))}


def print_costs(rows: list[Row], truth: dict[str, Any]) -> None:
    """Print the cost tables: over all, by channel, by band, and the yardsticks at the campaign's own volume."""
    by_channel = [row for row in rows if row["band"] == "(all)"]
    by_band = [row for row in rows if row["channel"] == "(all)" and row["band"] != "(all)"]
    console = Console(width=WIDTH)
    console.print(_costs("Spend and cost per good customer, by channel", "channel", by_channel, truth))
    console.print(_costs("The same by band (bands exist since the first audience was sent)", "band", by_band, truth))
    console.print(_yardsticks(truth))
    console.print(
        "Measured: last touch in its window; good = funded, no fraud, never over 90 days past due by month 12; 95 % "
        "intervals take the count as Poisson.\nTruth: expected spend over expected incremental good customers, which "
        "leaves out those who would have come anyway.",
        style="dim",
    )


def _costs(title: str, what: str, rows: list[Row], truth: dict[str, Any]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in ("period", what):
        table.add_column(name)
    for name in (
        "spend",
        "applied",
        "funded",
        "decided",
        "good",
        "cost / good [95 %]",
        "late [95 %]",
        "true cost / incr. good",
        "true late",
    ):
        table.add_column(name, justify="right")
    for row in sorted(rows, key=lambda r: (r["period"] != "history", r[what] == "(all)", r[what])):
        known = _known(truth[row["period"]], what, row[what]) if row["period"] in truth else {}
        table.add_row(
            row["period"],
            row[what],
            f"{row['spend']:,.0f}",
            f"{row['applications']:,}",
            f"{row['funded']:,}",
            f"{row['funded_mature']:,}",
            f"{row['good_mature']:,}",
            _interval(row["cost_per_good"], row["cost_per_good_lo"], row["cost_per_good_hi"], "{:,.0f}", row["reason"]),
            _interval(row["late_rate"], row["late_rate_lo"], row["late_rate_hi"], "{:.1%}", None),
            _number(known.get("cost_per_good"), "{:,.0f}"),
            _number(known.get("late_rate"), "{:.1%}"),
        )
    return table


def _known(cells: dict[str, Any], what: str, name: str) -> Row:
    if name == "(all)":
        return dict(cells["overall"])
    if what == "channel":
        return dict(cells["by_channel"].get(name, {}))
    parts = [cell for cell in cells.get("by_channel_band", []) if cell["band"] == name]
    sums = {key: sum(float(cell[key] or 0.0) for cell in parts) for key in ("spend", "good", "funded")}
    if not sums["good"] or not sums["funded"]:
        return {}
    return {"cost_per_good": sums["spend"] / sums["good"], "late_rate": 1.0 - sums["good"] / sums["funded"]}


def _yardsticks(truth: dict[str, Any]) -> Table:
    at, overall = truth["campaign"]["same_volume"], truth["campaign"]["overall"]
    title = "True cost of an incremental good customer at the campaign's volume"
    if at.get("share_of_reachable"):
        title += f" ({at['share_of_reachable']:.0%} of what could be reached)"
    table = Table(title=title, title_justify="left")
    table.add_column("who is sent where")
    table.add_column("cost", justify="right")
    table.add_column("campaign against it", justify="right")
    names = {"random": "random people and channels", "best_channel": "best channel first", "oracle": "the oracle"}
    for name, label in names.items():
        cost = at.get(name)
        against = f"{overall['cost_per_good'] / cost - 1.0:+.0%}" if cost and overall["cost_per_good"] else ""
        table.add_row(label, _number(cost, "{:,.0f}"), against)
    table.add_row("this campaign", _number(overall["cost_per_good"], "{:,.0f}"), "")
    return table


def _interval(value: float | None, lo: float | None, hi: float | None, form: str, reason: str | None) -> str:
    if value is None:
        return reason or "–"
    above = "∞" if hi is None else form.format(hi)
    return f"{form.format(value)} [{_number(lo, form)}, {above}]"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
