"""What each customer cost, by month, channel, campaign, ad group and band."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.credit import UNATTRIBUTED
from jobs.measure.metrics import metric, value
from jobs.runtime.conf import Conf
from jobs.tables.measure.costs import BOOK, CHANNEL_COSTS, COUNTS, DAILY_COSTS
from segments import money
from segments.outcomes import EARLY_MONTHS, can_change_until

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

COSTS = ("cost_per_application", "cost_per_approval", "cost_per_funded", "cost_per_good")


@job(reads={"daily": DAILY_COSTS}, writes=CHANNEL_COSTS)
def channel_costs(daily: DataFrame, *, day: date, conf: Conf) -> DataFrame:
    """Monthly sums of daily_costs with each cost per; a cost per good only once nothing credited can still change."""
    month = F.date_format("cost_day", "yyyy-MM").alias("period")
    sums = [F.sum(name).alias(name) for name in ("spend_minor", *[c.name for c in (*COUNTS, *BOOK)])]
    is_allocated = F.max("is_allocated").alias("is_allocated")
    month_end = F.max(F.last_day("cost_day")).alias("_month_end")
    summed = (
        daily.drop("period")
        .groupBy(month, "channel", "campaign", "ad_group", "band")
        .agg(*sums, is_allocated, month_end)
    )
    click_days = conf.base.measure.click_days
    is_closed = can_change_until(F.col("_month_end"), click_days) <= F.lit(day)
    is_closed_early = can_change_until(F.col("_month_end"), click_days, EARLY_MONTHS) <= F.lit(day)
    told = (
        summed.withColumn("currency", F.lit(conf.base.currency))
        .withColumn("spend", money.to_major(F.col("spend_minor"), conf.base.currency))
        .withColumn("is_mature", is_closed & (F.col("undecided") == 0))
        .withColumn("is_mature_30_3", is_closed_early & (F.col("undecided_30_3") == 0))
    )
    priced = told.select("*", *[value(metric(conf, name, CHANNEL_COSTS)).alias(name) for name in COSTS])
    reason = (
        F.when(F.col("cost_per_good").isNotNull(), None)
        .when(F.col("channel") == UNATTRIBUTED, "unattributed")
        .when(~F.col("is_mature"), "immature")
        .otherwise("no_outcome")
    )
    return priced.withColumn("reason", reason).select(*[c.name for c in CHANNEL_COSTS.columns])
