"""What the last weeks' touches will have brought once all has arrived, told apart from what has so far."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.credit import credited_touch
from jobs.measure.development.chain_ladder import developed
from jobs.measure.development.nowcast import nowcast
from jobs.measure.development.triangles import Triangle
from jobs.measure.metrics import ALL
from jobs.runtime.conf import Conf
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES
from jobs.tables.measure.credits import NOWCASTS
from segments.calendar import local_day
from segments.outcomes import FUND_DAYS

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

MAX_CELLS = 500_000


@job(reads={"outcomes": MATURED_OUTCOMES, "touches": LINKED_TOUCHES}, writes=NOWCASTS)
def nowcasts(outcomes: DataFrame, touches: DataFrame, *, day: date, conf: Conf, shell: Shell) -> pd.DataFrame:
    """Weeks of touches that still bring applications, approvals and funded customers, by the lags of older weeks.

    An outcome counts in the week of the last touch before it, as money does. Only whole weeks up to the day are read.
    """
    import pandas as pd

    zone = conf.base.time_zone
    linked = credited_touch(outcomes, touches, ["channel"], conf.base.measure).where("_touch is not null")
    decided = F.coalesce("decided_at", "funded_at", "applied_at")
    arrives = {
        "applications": F.col("applied_at"),
        "approvals": F.when(F.col("is_approved"), decided),
        "funded": F.when(F.col("is_funded"), F.coalesce("funded_at", decided)),
    }
    pairs = F.array(*[F.struct(F.lit(name).alias("outcome"), at.alias("at")) for name, at in arrives.items()])
    week = F.to_date(F.date_trunc("week", local_day(F.col("_touch.occurred_at"), zone)))
    laid = linked.select(week.alias("week"), F.col("_touch.channel").alias("channel"), F.explode(pairs).alias("_one"))
    age = F.floor(F.datediff(local_day(F.col("_one.at"), zone), "week") / 7).cast("bigint")
    arrived = laid.where("_one.at is not null").groupBy("week", "channel", "_one.outcome", age.alias("age"))
    counts = shell.small(arrived.agg(F.count("*").alias("arrived")), MAX_CELLS)
    ages = 2 + (conf.base.measure.click_days + conf.base.link.pending_days + FUND_DAYS) // 7
    both = pd.concat([counts, counts.assign(channel=ALL)])
    told = [
        _told(str(outcome), str(channel), mine, day, ages)
        for (outcome, channel), mine in both.groupby(["outcome", "channel"], sort=True)
    ]
    names = [c.name for c in NOWCASTS.columns]
    return pd.concat(told, ignore_index=True)[names] if told else pd.DataFrame(columns=names)


def _told(outcome: str, channel: str, counts: pd.DataFrame, day: date, ages: int) -> pd.DataFrame:
    """Weeks that are not whole yet, of one channel and outcome."""
    import pandas as pd

    first = pd.Timestamp(counts["week"].min())
    weeks = pd.date_range(first, pd.Timestamp(day), freq="7D")
    # An age is seen once its week is whole.
    whole = ((pd.Timestamp(day) - weeks).days.to_numpy(dtype="int64") + 1) // 7 - 1
    newest = np.minimum(whole, ages - 1)
    added = counts.groupby(["week", "age"])["arrived"].sum().unstack("age")
    added.index = pd.DatetimeIndex(added.index)
    table = added.reindex(index=weeks, columns=range(ages)).fillna(0.0).to_numpy(dtype="float64")
    triangle = Triangle.of(table, newest)
    told, ladder = nowcast(triangle), developed(triangle)
    low, high = ladder.bounds
    rows = pd.DataFrame(
        {
            "outcome": outcome,
            "channel": channel,
            "week": weeks.date,
            "observed": told.observed.astype("int64"),
            "arrived": told.arrived,
            "total": told.total,
            "lo": told.lo,
            "hi": told.hi,
            "ladder": ladder.ultimate,
            "ladder_lo": low,
            "ladder_hi": high,
        }
    )
    still_open: pd.DataFrame = rows.loc[(newest >= 0) & (newest < ages - 1)]
    return still_open
