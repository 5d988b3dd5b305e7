"""How loans of each month of funding aged: the share ever past due by months on book, seen and to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.credit import credited_touch
from jobs.measure.development.exposure import developed_rate
from jobs.measure.development.triangles import Triangle
from jobs.measure.metrics import ALL
from jobs.runtime.conf import Conf
from jobs.tables.ingest import REPAYMENTS
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES
from jobs.tables.measure.loans import DEVELOPED, OBSERVED, PAST_DUE_DAYS, VINTAGES
from segments.calendar import local_day
from segments.intervals import wilson_bounds
from segments.outcomes import GOOD_MONTHS

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

MAX_CELLS = 500_000


@job(
    reads={"outcomes": MATURED_OUTCOMES, "touches": LINKED_TOUCHES, "repayments": REPAYMENTS.in_force()},
    writes=VINTAGES,
)
def vintages(
    outcomes: DataFrame, touches: DataFrame, repayments: DataFrame, *, conf: Conf, shell: Shell
) -> pd.DataFrame:
    """Ever over 0, 30, 60 and 90 days past due by each month on book, by vintage and by channel of the last touch.

    A vintage is seen to a month on book when every loan of it is. What is still to come by month 12 is one row more,
    marked developed, with an interval of its own: never a figure among those that were seen.
    """
    loans = shell.cut(_loans(outcomes, touches, conf))
    grain = ["vintage", "channel"]
    sized = loans.groupBy(*grain).agg(F.count("*").alias("loans"), F.min("months_observed").alias("seen"))
    late = _first_late(loans, repayments).groupBy(*grain, "days_past_due", "month").agg(F.count("*").alias("late"))
    sizes, firsts = shell.small(sized, MAX_CELLS, grain), shell.small(late, MAX_CELLS)
    return _told(sizes, firsts)


def _loans(outcomes: DataFrame, touches: DataFrame, conf: Conf) -> DataFrame:
    """Funded loans: vintage, channel, months observed."""
    channel = F.coalesce("_touch.channel", F.lit("(unattributed)"))
    funded = credited_touch(outcomes, touches, ["channel"], conf.base.measure).where("is_funded")
    vintage = F.date_format(local_day(F.col("funded_at"), conf.base.time_zone), "yyyy-MM")
    return funded.where("loan_id is not null").select(
        "loan_id",
        vintage.alias("vintage"),
        channel.alias("channel"),
        F.least("months_observed", F.lit(GOOD_MONTHS)).alias("months_observed"),
    )


def _first_late(loans: DataFrame, repayments: DataFrame) -> DataFrame:
    """The month on book in which each loan was first over each threshold, by month 12."""
    told = repayments.where(F.col("months_on_book") <= GOOD_MONTHS).join(loans, "loan_id")
    over = [
        F.min(F.when(F.col("days_past_due") > days, F.col("months_on_book"))).alias(f"_{days}")
        for days in PAST_DUE_DAYS
    ]
    first = told.groupBy("loan_id", "vintage", "channel").agg(*over)
    pairs = F.array(
        *[F.struct(F.lit(days).alias("days_past_due"), F.col(f"_{days}").alias("month")) for days in PAST_DUE_DAYS]
    )
    laid = first.select("vintage", "channel", F.explode(pairs).alias("_one"))
    return laid.select("vintage", "channel", "_one.*").where("month is not null")


def _told(sizes: pd.DataFrame, firsts: pd.DataFrame) -> pd.DataFrame:
    """Rows of every channel and of all together."""
    import pandas as pd

    names = [c.name for c in VINTAGES.columns]
    if sizes.empty:
        return pd.DataFrame(columns=names)
    seen = sizes.groupby("vintage")["seen"].min()
    everyone = sizes.groupby("vintage", as_index=False)["loans"].sum().assign(channel=ALL)
    parts = []
    for channel, mine in pd.concat([sizes, everyone]).groupby("channel", sort=True):
        own = firsts if channel == ALL else firsts[firsts["channel"] == channel]
        for days in PAST_DUE_DAYS:
            parts.append(_slice(str(channel), days, mine, own[own["days_past_due"] == days], seen))
    return pd.concat(parts, ignore_index=True)[names]


def _slice(channel: str, days: int, sizes: pd.DataFrame, firsts: pd.DataFrame, seen: pd.Series) -> pd.DataFrame:
    """One channel's curves at one threshold."""
    import pandas as pd

    loans = sizes.set_index("vintage")["loans"].sort_index().astype("float64")
    added = firsts.groupby(["vintage", "month"])["late"].sum().unstack("month")
    table = added.reindex(index=loans.index, columns=range(GOOD_MONTHS + 1)).fillna(0.0).to_numpy(dtype="float64")
    newest = seen.reindex(loans.index).to_numpy(dtype="int64")
    triangle = Triangle.of(table, newest)
    rows = [
        (vintage, month, int(loans.iloc[i]), triangle.seen[i, month])
        for i, vintage in enumerate(loans.index)
        for month in range(1, newest[i] + 1)
    ]
    told = pd.DataFrame(rows, columns=["vintage", "months_on_book", "loans", "late"]).assign(maturity=OBSERVED)
    low, high = wilson_bounds(told["late"].to_numpy(dtype="float64"), told["loans"].to_numpy(dtype="float64"))
    told = told.assign(rate=told["late"] / told["loans"], lo=low, hi=high)
    to_come = developed_rate(triangle, np.asarray(loans, dtype=np.float64))
    young = np.flatnonzero((newest < GOOD_MONTHS) & np.isfinite(to_come.rate))
    ahead = pd.DataFrame(
        {
            "vintage": loans.index[young],
            "months_on_book": GOOD_MONTHS,
            "loans": loans.iloc[young].astype("int64").to_numpy(),
            "late": np.nan,
            "rate": to_come.rate[young],
            "lo": to_come.lo[young],
            "hi": to_come.hi[young],
            "maturity": DEVELOPED,
        }
    )
    both = pd.concat([part for part in (told, ahead) if len(part)]) if len(told) or len(ahead) else told
    late = both["late"].astype("Float64").astype("Int64")
    return both.assign(channel=channel, days_past_due=days, late=late)
