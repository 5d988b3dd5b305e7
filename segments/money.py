"""Money in one currency: dated rates found by equi-join, booked in integer minor units (pure column logic)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import Column, DataFrame

# ISO 4217: currencies whose minor unit is not a hundredth.
MINOR_DIGITS = dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF"), 0)


def minor_digits(currency: str) -> int:
    """Decimal places of a currency's minor unit (landing money carries at most two)."""
    return MINOR_DIGITS.get(currency, 2)


def to_minor(amount: Column, rate: Column, currency: str) -> Column:
    """An amount times a rate as integer minor units of `currency`, rounded half up once."""
    digits = minor_digits(currency)
    return (F.round(amount * rate, digits) * F.lit(10**digits)).cast("bigint")


def to_major(minor: Column, currency: str) -> Column:
    """Integer minor units as a double in major units."""
    return minor / F.lit(10 ** minor_digits(currency))


def dated_rates(wanted: DataFrame, fx_rates: DataFrame, base: str) -> DataFrame:
    """For each distinct (currency, on_day) of `wanted`: rate and rate_day, the newest rate_day not after on_day.

    The base currency has rate 1 of the same day; where no rate is known, both are null. One row a pair.
    """
    pairs = wanted.select("currency", "on_day").where("currency is not null and on_day is not null").distinct()
    rates = fx_rates.select("currency", F.col("rate_day").alias("on_day"), "rate")
    # A rate sorts before the pair of its own day, so a rate of the same day counts.
    mixed = rates.select(
        "currency", "on_day", F.lit(0).alias("_side"), F.struct("rate", "on_day").alias("_rate")
    ).union(pairs.select("currency", "on_day", F.lit(1), F.lit(None).cast("struct<rate:decimal(18,8),on_day:date>")))
    so_far = Window.partitionBy("currency").orderBy("on_day", "_side").rowsBetween(Window.unboundedPreceding, 0)
    found = mixed.withColumn("_rate", F.last("_rate", ignorenulls=True).over(so_far)).where("_side = 1")
    is_base = F.col("currency") == base
    return found.select(
        "currency",
        "on_day",
        F.when(is_base, F.lit(1).cast("decimal(18,8)")).otherwise(F.col("_rate.rate")).alias("rate"),
        F.when(is_base, F.col("on_day")).otherwise(F.col("_rate.on_day")).alias("rate_day"),
    )


def rated(rows: DataFrame, day: Column, fx_rates: DataFrame, base: str) -> DataFrame:
    """The rows with `on_day` (their `day`), and `rate` and `rate_day` of that day, null where no rate is known."""
    dated = rows.withColumn("on_day", day)
    return dated.join(dated_rates(dated, fx_rates, base), ["currency", "on_day"], "left")


def first_missing(rated: DataFrame) -> DataFrame:
    """Per currency without a rate: its first day and how many rows wait for it."""
    missing = rated.where("rate is null and currency is not null and on_day is not null")
    return missing.groupBy("currency").agg(F.min("on_day").alias("on_day"), F.count("*").alias("rows"))


def no_rate(job: str, what: str, missing: pd.DataFrame, base: str) -> str:
    """The sentence that refuses rows without a rate; `missing` is `first_missing` brought over."""
    waits = "; ".join(f"{row.rows} {what} in {row.currency} from {row.on_day} on" for row in missing.itertuples())
    return f"{job}: no rate to {base} for {waits}; land fx_rates with a rate_day up to that day"
