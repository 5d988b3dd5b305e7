"""What the credit words mean: approved, funded, late, good, and when each may be said (pure column logic)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import Column

# They define the words, so no deployment changes them.
APPLY_DAYS = 14
FUND_DAYS = 30
SOON_DAYS = 7  # funded so soon after approval: the early reading of take-up
GOOD_MONTHS = 12
LATE_DAYS = 90
# Early forms of good, named by their thresholds (`good_30_3`); a first instalment is over 30 days late by month 2.
EARLY_MONTHS = 3
EARLY_DAYS = 30
FIRST_MONTHS = 2
# A cohort is whole one month after its twelfth month: by then the last state has been reported for good and bad alike.
MATURE_MONTHS = GOOD_MONTHS + 1

# What a touch says of a person: that something was shown, or that the person acted.
SEEN_KINDS = ("impression", "view", "message")
ACTED_KINDS = ("click", "visit", "call")


def can_change_until(last_day: Column, click_days: int, months: int = GOOD_MONTHS) -> Column:
    """The last day on which what is credited to touches up to `last_day` may still turn: apply, draw, `months`.

    A calendar rule, so that months without customers are not called decided before the others.
    """
    return F.add_months(F.date_add(last_day, click_days + FUND_DAYS), months)


def is_approved(decision: Column, applied_at: Column, has_loan: Column, day: date, pending_days: int) -> Column:
    """Approved; null while pending, but no longer than `pending_days`; a loan proves an approval."""
    is_stale = F.date_add(F.to_date(applied_at), pending_days) < F.lit(day)
    return (
        F.when(has_loan | (decision == "approved"), True)
        .when(decision.isin("declined", "withdrawn") | is_stale, False)
        .otherwise(F.lit(None).cast("boolean"))
    )


def approved_at() -> Column:
    """When an application was approved; without the moment of the decision, when it was paid out, else made."""
    return F.coalesce("decided_at", "funded_at", "applied_at")


def is_taken(days: int, day: date) -> Column:
    """Paid out within `days` of approval, of an approved application; null until those days are over."""
    in_time = F.coalesce(F.col("funded_at") <= approved_at() + F.expr(f"interval {days} days"), F.lit(False))
    is_over = F.date_add(F.to_date(approved_at()), days) < F.lit(day)
    return F.when(F.col("is_approved") & is_over, in_time)


def is_funded(approved: Column, approved_at: Column, funded_at: Column, day: date) -> Column:
    """Paid out within 30 days of approval; null while that may still happen."""
    in_time = funded_at <= approved_at + F.expr(f"interval {FUND_DAYS} days")
    is_over = F.date_add(F.to_date(approved_at), FUND_DAYS) < F.lit(day)
    return (
        F.when(~approved, False)
        .when(funded_at.isNotNull(), in_time)
        .when(approved & is_over, False)
        .otherwise(F.lit(None).cast("boolean"))
    )


def is_late(
    max_days_past_due: Column, months_observed: Column, days: int = LATE_DAYS, months: int = GOOD_MONTHS
) -> Column:
    """Ever over `days` past due by month `months`: true as soon as seen, false only when those months are over."""
    return (
        F.when(max_days_past_due > days, True)
        .when(months_observed >= months, False)
        .otherwise(F.lit(None).cast("boolean"))
    )


def is_good(funded: Column, fraud: Column, late: Column) -> Column:
    """Funded, no confirmed fraud, never late: false as soon as one fails, true only when all are known."""
    return (
        F.when(~funded | F.coalesce(fraud, F.lit(False)) | F.coalesce(late, F.lit(False)), False)
        .when(funded & ~late, True)
        .otherwise(F.lit(None).cast("boolean"))
    )


def is_mature(funded_at: Column, day: date) -> Column:
    """The loan's first twelve months are over and reported, for good and bad alike."""
    return F.add_months(F.to_date(funded_at), MATURE_MONTHS) <= F.lit(day)
