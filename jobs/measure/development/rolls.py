"""How balances roll from one state of lateness to the next within a month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

BUCKETS = ((0, "current"), (30, "M1"), (60, "M2"), (90, "M3"))  # at most so many days past due
WORST = "M4+"
GONE = ("repaid", "charged_off")  # nothing rolls on from here


def roll_rates(months: DataFrame) -> DataFrame:
    """Shares of each state's balance by the state a month on book later; rows of one state add up to 1.

    `months`: loan_id, months_on_book, as_of_day, days_past_due, is_charged_off, balance_minor. A loan whose next month
    is not reported though others of that month are is `not_reported`, so that nothing leaves unseen.
    """
    later = Window.partitionBy("loan_id").orderBy("months_on_book")
    newest = months.agg(F.max("as_of_day").alias("_newest"))
    states = months.withColumn("state", state())
    followed = states.select(
        "state",
        "balance_minor",
        F.lead("state").over(later).alias("_next"),
        F.lead("months_on_book").over(later).alias("_month"),
        F.lead("as_of_day").over(later).alias("_told"),
        "months_on_book",
        "as_of_day",
    ).where(~F.col("state").isin(*GONE))
    is_next = F.col("_month") == F.col("months_on_book") + 1
    told_at = F.when(is_next, F.col("_told")).otherwise(F.add_months("as_of_day", 1))
    known = followed.crossJoin(F.broadcast(newest)).where(is_next | (F.add_months("as_of_day", 1) <= F.col("_newest")))
    moved = known.groupBy(
        F.date_format(told_at, "yyyy-MM").alias("month"),
        "state",
        F.when(is_next, F.col("_next")).otherwise("not_reported").alias("next_state"),
    ).agg(F.count("*").alias("loans"), F.sum("balance_minor").alias("balance_minor"))
    whole = F.sum("balance_minor").over(Window.partitionBy("month", "state"))
    return moved.withColumn("rate", F.try_divide(F.col("balance_minor").cast("double"), whole))


def state() -> Column:
    """The state of a loan at a month's end."""
    found = F.when(F.col("is_charged_off"), "charged_off").when(is_repaid(), "repaid")
    for most, name in BUCKETS:
        found = found.when(F.col("days_past_due") <= most, name)
    return found.otherwise(WORST)


def is_repaid() -> Column:
    """Nothing is owed any more, and nothing is late."""
    return (F.col("balance_minor") == 0) & (F.col("days_past_due") == 0)
