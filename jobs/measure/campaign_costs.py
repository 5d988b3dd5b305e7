"""What a customer cost in the history and in the campaign, by channel and band, with 95 % intervals."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.credit import UNATTRIBUTED
from jobs.measure.metrics import ALL
from jobs.runtime.conf import Conf
from jobs.tables.measure.costs import CAMPAIGN_COSTS, COUNTS, DAILY_COSTS
from segments.intervals import cost_per, wilson
from segments.money import minor_digits
from segments.outcomes import can_change_until

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

SUMS = ["spend_minor", *[c.name for c in COUNTS]]
MATURE = ["spend_minor", "funded", "good", "late", "fraud"]
GRAIN = ["period", "channel", "band"]
MAX_CELLS = 200_000


@job(reads={"daily": DAILY_COSTS}, writes=CAMPAIGN_COSTS)
def campaign_costs(daily: DataFrame, *, day: date, conf: Conf, shell: Shell) -> pd.DataFrame:
    """Sums and rates of each (period, channel, band), their totals on the rows (all).

    A channel's month counts for cost per good, lateness and fraud only when its customers' twelve months are over
    and every application credited to it is decided. The unattributed are a channel of their own, in no total.
    """
    import pandas as pd

    month = F.last_day("cost_day").alias("month_end")
    is_closed = can_change_until(F.col("month_end"), conf.base.measure.click_days) <= F.lit(day)
    monthly = daily.groupBy(*GRAIN, month).agg(*[F.sum(name).alias(name) for name in SUMS])
    cells = _with_mature(shell.small(monthly.withColumn("is_closed", is_closed), MAX_CELLS, [*GRAIN, "month_end"]))
    whole = pd.concat([cells, cells.assign(band=ALL)])
    paid = whole[whole["channel"] != UNATTRIBUTED]
    summed = (
        pd.concat([whole, paid.assign(channel=ALL)]).groupby(GRAIN, sort=True, as_index=False).sum(numeric_only=True)
    )
    told = [_told({str(k): v for k, v in row.items()}, conf.base.currency) for row in summed.to_dict("records")]
    return pd.DataFrame(told, columns=[c.name for c in CAMPAIGN_COSTS.columns])


def _with_mature(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells with `<figure>_mature`: the figure where its channel's month is decided, else 0; and `open` months."""
    month = ["period", "channel", "month_end"]
    undecided = cells.groupby(month)["undecided"].transform("sum")
    is_mature = (undecided == 0) & cells["is_closed"].astype("bool")
    mature = {f"{name}_mature": cells[name].where(is_mature, 0).astype("int64") for name in MATURE}
    return cells.assign(**mature, open=(~is_mature).astype("int64")).drop(columns=["month_end", "is_closed"])


def _told(row: dict[str, Any], currency: str) -> dict[str, Any]:
    """One published row from its sums."""
    unit = 10 ** minor_digits(currency)
    spend, mature = row["spend_minor"] / unit, row["spend_minor_mature"] / unit
    is_paid = row["channel"] != UNATTRIBUTED
    nothing = (None, None, None)
    per_funded = cost_per(spend, row["funded"]) if is_paid else nothing
    per_good = cost_per(mature, row["good_mature"]) if is_paid and mature > 0 else nothing
    row |= {"currency": currency, "spend": spend, "spend_mature": mature, "is_mature": row["open"] == 0}
    row |= _named("cost_per_funded", per_funded) | _named("cost_per_good", per_good)
    for name in ("late", "fraud"):
        count, of = row[f"{name}_mature"], row["funded_mature"]
        row |= _named(f"{name}_rate", (count / of if of else None, *wilson(count, of)))
    return row | {"reason": _reason(row)}


def _named(name: str, figures: tuple[float | None, float | None, float | None]) -> dict[str, float | None]:
    return dict(zip((name, f"{name}_lo", f"{name}_hi"), figures, strict=True))


def _reason(row: dict[str, Any]) -> str | None:
    if row["channel"] == UNATTRIBUTED:
        return "unattributed"
    if row["cost_per_good"] is not None:
        return None
    return "no_outcome" if row["is_mature"] or row["spend_mature"] > 0 else "immature"
