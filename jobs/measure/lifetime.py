"""What loans on book will yet earn by month 12, by what older loans earned at each month on book while they lived."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import Window
from pyspark.sql import functions as F

from segments.outcomes import GOOD_MONTHS, LATE_DAYS

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import Column, DataFrame

EARNED = ("interest_minor", "balance_months_minor")


def with_life(months: DataFrame) -> DataFrame:
    """`loan_months` with `is_alive` (at the month's end: owes, not charged off, never late) and `began_alive`."""
    so_far = Window.partitionBy("loan_id").orderBy("months_on_book")
    worst = F.max("days_past_due").over(so_far)
    alive = ~F.col("is_charged_off") & (F.col("balance_minor") > 0) & (worst <= LATE_DAYS)
    told = months.withColumn("is_alive", alive)
    return told.withColumn("began_alive", F.coalesce(F.lag("is_alive").over(so_far), F.lit(True)))


def lived(months: DataFrame) -> DataFrame:
    """Sums by month on book of the loans that began it alive: `began` and `stayed` (principal), and what it earned."""
    told = months.where(F.col("began_alive") & (F.col("months_on_book") <= GOOD_MONTHS))
    return told.groupBy("months_on_book").agg(
        F.sum("principal_minor").alias("began"),
        F.sum(F.when(F.col("is_alive"), F.col("principal_minor")).otherwise(0)).alias("stayed"),
        *[F.sum(name).alias(name) for name in EARNED],
    )


def earnings_to_come(sums: pd.DataFrame, discount_a_year: float) -> dict[str, list[float]] | None:
    """Of each of EARNED what a living loan of month 0, 1, …, 12 yet adds by month 12, a unit of principal.

    Given `lived`: survival times what the month earns, discounted from the month the loan is in. None while some month
    on book has been reached by no loan: nothing is extrapolated.
    """
    wanted = range(1, GOOD_MONTHS + 1)
    months = sums.set_index("months_on_book").reindex(wanted)
    began = months["began"].to_numpy(dtype="float64")
    if not (began > 0).all():
        return None
    stays = months["stayed"].to_numpy(dtype="float64") / began
    factor = (1 + discount_a_year) ** (-1 / 12)
    found = {}
    for name in EARNED:
        ahead = np.zeros(GOOD_MONTHS + 1)
        of_month = months[name].to_numpy(dtype="float64") / began
        for month in reversed(range(GOOD_MONTHS)):
            ahead[month] = factor * (of_month[month] + stays[month] * ahead[month + 1])
        found[name] = ahead.tolist()
    return found


def ahead(to_come: dict[str, list[float]] | None, name: str, is_alive: Column) -> Column:
    """Minor units a loan yet adds of one of EARNED, by `months_observed` and `principal_minor`; null while unknown."""
    if to_come is None:
        return F.lit(None).cast("bigint")
    shares = F.array(*[F.lit(share) for share in to_come[name]])
    seen = F.least(F.coalesce("months_observed", F.lit(0)), F.lit(GOOD_MONTHS)).cast("int")
    told = F.coalesce("principal_minor", F.lit(0)) * F.element_at(shares, seen + 1)
    return F.when(is_alive, F.round(told)).otherwise(0).cast("bigint")
