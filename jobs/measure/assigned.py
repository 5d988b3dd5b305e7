"""What followed assignments, outcome by outcome, and since when it is known of everybody assigned on a day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.tables.measure.experiments import LIFT_OUTCOMES
from segments.outcomes import APPLY_DAYS, FUND_DAYS, GOOD_MONTHS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def by_outcome(assigned: DataFrame) -> DataFrame:
    """`assigned` once an outcome of LIFT_OUTCOMES: `outcome` and `hit`, 1, 0, or null while open."""
    hits = [F.struct(F.lit(name).alias("outcome"), _hit(f"is_{name}").alias("hit")) for name in LIFT_OUTCOMES]
    return assigned.withColumn("_hit", F.explode(F.array(*hits))).select("*", "_hit.*").drop("_hit")


def known(outcome: Column, assigned_day: Column, day: date, apply_days: int = APPLY_DAYS) -> Column:
    """Whether an outcome of people assigned on a day is known of all of them.

    A calendar rule, so that a day without customers is not called decided before the others.
    """
    funded_by = F.date_add(assigned_day, apply_days + FUND_DAYS)
    until = F.when(outcome == "good", F.add_months(funded_by, GOOD_MONTHS)).when(outcome == "funded", funded_by)
    return F.coalesce(until, F.date_add(assigned_day, apply_days)) <= F.lit(day)


def _hit(column: str) -> Column:
    """The outcome of an assignment: no application is no outcome, an open one is null."""
    return F.when(F.col("is_applied"), F.col(column)).otherwise(F.col("is_applied")).cast("int")
