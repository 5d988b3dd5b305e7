"""Each month a loan was on book: what it began with, whether anything was past due, interest earned, money lost."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

TOLD = ("as_of_day", "balance", "charged_off", "recovered")


def loan_months(outcomes: DataFrame, loans: DataFrame, repayments: DataFrame, day: date) -> DataFrame:
    """One row a loan and reported month: loan_id, months_on_book, as_of_day, days_past_due, is_charged_off,
    principal_minor, balance_minor, and what the month added: interest_minor, lost_minor, balance_months_minor.

    Interest is a twelfth of the annual rate on the balance a month began with, earned where nothing was past due at
    its end; a month nobody reported counts with the next. Money turns into the base currency as the principal did.
    Lost is what was charged off less what was recovered; no rate (apr) is no interest.
    """
    # Of several reports in one month on book the last one tells.
    known = repayments.where((F.col("as_of_day") <= F.lit(day)) & (F.col("months_on_book") > 0))
    monthly = known.groupBy("loan_id", "months_on_book").agg(
        F.max("days_past_due").alias("days_past_due"), F.max_by(F.struct(*TOLD), "as_of_day").alias("_last")
    )
    book = outcomes.where("loan_id is not null").select("loan_id", "principal_minor")
    owed = book.join(loans.select("loan_id", "principal", "apr"), "loan_id")
    rows = monthly.join(owed, "loan_id").select(
        "loan_id", "months_on_book", "days_past_due", "_last.*", "principal", "principal_minor", "apr"
    )
    before = Window.partitionBy("loan_id").orderBy("months_on_book")
    lost = _or_0("charged_off") - _or_0("recovered")
    began = F.coalesce(F.lag("balance").over(before), F.col("principal"))
    months = F.col("months_on_book") - F.coalesce(F.lag("months_on_book").over(before), F.lit(0))
    earned = F.when(F.col("days_past_due") == 0, began * months * F.coalesce("apr", F.lit(0.0)) / 12).otherwise(0.0)
    added = rows.withColumn("_lost", lost).select(
        "loan_id",
        "months_on_book",
        "as_of_day",
        "days_past_due",
        (_or_0("charged_off") > 0).alias("is_charged_off"),
        "balance",
        "principal",
        "principal_minor",
        (F.col("_lost") - F.coalesce(F.lag("_lost").over(before), F.lit(0))).alias("lost"),
        earned.alias("interest"),
        (began * months).alias("balance_months"),
    )
    return added.select(
        "loan_id",
        "months_on_book",
        "as_of_day",
        "days_past_due",
        "is_charged_off",
        "principal_minor",
        *[_minor(name).alias(f"{name}_minor") for name in ("balance", "lost", "interest", "balance_months")],
    )


def _or_0(name: str) -> Column:
    return F.coalesce(F.col(name), F.lit(0))


def _minor(name: str) -> Column:
    """Money of the loan's currency at the rate at which its principal was booked."""
    rate = F.try_divide(F.col("principal_minor").cast("double"), F.col("principal").cast("double"))
    return F.coalesce(F.round(F.col(name).cast("double") * rate), F.lit(0)).cast("bigint")
