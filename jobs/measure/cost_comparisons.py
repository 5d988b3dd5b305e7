"""Costs made comparable: why a month's differ from the last one's, and what they are at one mix of bands."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.comparison.bridge import Cell, bridge
from jobs.measure.comparison.mix import pooled_mix, standardised
from jobs.measure.credit import UNATTRIBUTED
from jobs.runtime.conf import Conf
from jobs.tables.measure.costs import CHANNEL_COSTS, COST_MOVES, STANDARD_COSTS
from segments.outcomes import can_change_until

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

MAX_CELLS = 200_000
SUMS = ("spend", "clicks", "applications", "funded")


@job(reads={"costs": CHANNEL_COSTS}, writes=(COST_MOVES, STANDARD_COSTS))
def cost_comparisons(costs: DataFrame, *, day: date, conf: Conf, shell: Shell) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each month's cost per funded customer against the month before, by effects that add up; and at one mix of bands.

    Cells of a move are channels; the unattributed cost nothing and are left out.
    """
    import pandas as pd

    grain = ["period", "channel", "band"]
    month_end = F.last_day(F.to_date(F.concat("period", F.lit("-01"))))
    is_closed = can_change_until(month_end, conf.base.measure.click_days, months=0) <= F.lit(day)
    paid = costs.where(F.col("channel") != UNATTRIBUTED).withColumn("is_closed", is_closed)
    summed = paid.groupBy(*grain).agg(
        *[F.sum(name).alias(name) for name in SUMS], F.min("is_closed").alias("is_closed")
    )
    cells = shell.small(summed, MAX_CELLS, grain)
    moves, standard = _moves(cells), _standard(cells)
    return (
        pd.DataFrame(moves, columns=[c.name for c in COST_MOVES.columns]),
        pd.DataFrame(standard, columns=[c.name for c in STANDARD_COSTS.columns]),
    )


def _moves(cells: pd.DataFrame) -> list[dict[str, Any]]:
    spent = cells.groupby(["period", "channel"])[list(SUMS)].sum().reset_index()
    months: dict[str, dict[str, Cell]] = {}
    for row in spent.to_dict("records"):
        cell = Cell(*[float(row[name]) for name in SUMS])
        months.setdefault(str(row["period"]), {})[str(row["channel"])] = cell
    months = {period: mine for period, mine in sorted(months.items()) if sum(cell.spend for cell in mine.values()) > 0}
    is_closed = cells.groupby("period")["is_closed"].min().to_dict()
    told = []
    for before, period in zip(list(months), list(months)[1:], strict=False):
        found = bridge(months[before], months[period])
        closed = is_closed[before] and is_closed[period]
        told.append(
            {
                "period": period,
                "before": before,
                "cost_before": found.before,
                "cost": found.after,
                **found.effects,
                "maturity": "final" if closed else "open",
            }
        )
    return told


def _standard(cells: pd.DataFrame) -> list[dict[str, Any]]:
    told = []
    for period, mine in cells.groupby("period", sort=True):
        channels: dict[str, dict[str, tuple[float, float]]] = {}
        for row in mine.to_dict("records"):
            cell = (float(row["spend"]), float(row["funded"]))
            channels.setdefault(str(row["channel"]), {})[str(row["band"])] = cell
        mix = pooled_mix(channels)
        for channel, bands in channels.items():
            spend, funded = (sum(cell[i] for cell in bands.values()) for i in (0, 1))
            cost, missing = standardised(bands, mix)
            reason = None if cost is not None else f"no customer in {', '.join(missing)}" if missing else "no_outcome"
            own = spend / funded if funded else None
            told.append({"period": period, "channel": channel, "cost": own, "standard_cost": cost, "reason": reason})
    return told
