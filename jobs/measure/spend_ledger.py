"""Spend in the base currency by dated rates, the latest restatement in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.runtime.conf import Conf
from jobs.runtime.errors import DataRefused
from jobs.tables.ingest import FX_RATES, SPEND
from jobs.tables.measure.costs import SPEND_LEDGER
from segments import money
from segments.campaigns import cleaned

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell


PLACE = ("spend_day", "channel", "campaign")
LEVELS = ("ad_group", "creative")


@job(reads={"spend": SPEND.in_force(), "landed": SPEND.upto(), "fx_rates": FX_RATES.in_force()}, writes=SPEND_LEDGER)
def spend_ledger(spend: DataFrame, landed: DataFrame, fx_rates: DataFrame, *, conf: Conf, shell: Shell) -> DataFrame:
    """Each billed row once, as last restated, at the newest rate not after its day, rounded half up to minor units.

    Raises DataRefused, naming currency and day, when a currency has no rate by then.
    """
    base = conf.base.currency
    rated = money.rated(spend, F.col("spend_day"), fx_rates, base)
    missing = shell.small(money.first_missing(rated), 1000, ["currency"])
    if len(missing):
        raise DataRefused(money.no_rate("job spend_ledger", "rows of spend", missing, base))
    told = F.struct("cost", "currency", "impressions", "clicks")
    # Null levels are keys too.
    named = [F.coalesce(F.concat(F.lit("="), name), F.lit("")).alias(f"_{name}") for name in LEVELS]
    restated = landed.select("day", told.alias("_told"), *PLACE, *named).groupBy(*PLACE, *[f"_{n}" for n in LEVELS])
    history = restated.agg(F.min("day").alias("first_day"), (F.count_distinct("_told") - 1).alias("restated"))
    return (
        rated.select("*", *named)
        .join(history, [*PLACE, *[f"_{n}" for n in LEVELS]])
        .select(
            "spend_day",
            "channel",
            cleaned(F.col("campaign"), conf.base.measure.campaign_names).alias("campaign"),
            F.col("campaign").alias("campaign_raw"),
            "ad_group",
            "creative",
            F.col("cost").alias("cost_raw"),
            F.col("currency").alias("currency_raw"),
            "rate",
            "rate_day",
            money.to_minor(F.col("cost"), F.col("rate"), base).alias("cost_minor"),
            "impressions",
            "clicks",
            F.col("platform_conversions").alias("claimed"),
            "first_day",
            "restated",
        )
    )
