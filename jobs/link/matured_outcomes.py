"""The credit outcome each application led to, as far as it could be known on the day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.link.identifiers import click_owners, linked, sole_owners
from jobs.runtime.conf import Conf
from jobs.runtime.errors import DataRefused
from jobs.tables.ingest import APPLICATIONS, FX_RATES, LOANS, REPAYMENTS
from jobs.tables.link import IDENTIFIER_OWNERS, LINKED_TOUCHES, MATURED_OUTCOMES
from segments import money, outcomes

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from jobs.runtime.shell import Shell


@job(
    reads={
        "applications": APPLICATIONS.in_force(),
        "loans": LOANS.in_force(),
        "repayments": REPAYMENTS.in_force(),
        "fx_rates": FX_RATES.in_force(),
        "owners": IDENTIFIER_OWNERS,
        "touches": LINKED_TOUCHES,
    },
    writes=MATURED_OUTCOMES,
)
def matured_outcomes(
    applications: DataFrame,
    loans: DataFrame,
    repayments: DataFrame,
    fx_rates: DataFrame,
    owners: DataFrame,
    touches: DataFrame,
    *,
    day: date,
    conf: Conf,
    shell: Shell,
) -> DataFrame:
    """Each application once, with its person, its first loan and what the loan became by month 12.

    Bad is said as soon as it is seen, good only when the twelve months are over. Raises DataRefused when a loan's
    currency has no rate on its day.
    """
    everyone = sole_owners(owners).where("kind <> 'click'").unionByName(click_owners(touches))
    named = applications.join(linked(applications, "application_id", everyone), "application_id", "left")
    funded = _first_loans(_in_base(loans, fx_rates, conf.base.currency, shell))
    seen = _seen(repayments, day)
    joined = named.join(funded, "application_id", "left").join(seen, "loan_id", "left")
    months = _months_observed(day)
    staged = (
        joined.withColumn(
            "is_approved",
            outcomes.is_approved(
                F.coalesce("decision", F.lit("pending")),
                F.col("applied_at"),
                F.col("loan_id").isNotNull(),
                day,
                conf.base.link.pending_days,
            ),
        )
        # Without the moment of the decision the 30 days run from the application; a loan is then taken as in time.
        .withColumn("_approved_at", outcomes.approved_at())
        .withColumn(
            "is_funded", outcomes.is_funded(F.col("is_approved"), F.col("_approved_at"), F.col("funded_at"), day)
        )
        .withColumn("months_observed", months)
        .withColumn("max_days_past_due", F.when(F.col("loan_id").isNotNull(), F.coalesce("_worst", F.lit(0))))
        .withColumn("is_fraud", F.when(F.col("loan_id").isNotNull(), F.coalesce("_fraud", F.lit(False))))
        .withColumn("is_late", outcomes.is_late(F.col("max_days_past_due"), F.col("months_observed")))
        .withColumn("is_good", outcomes.is_good(F.col("is_funded"), F.col("is_fraud"), F.col("is_late")))
        .withColumn("is_mature", outcomes.is_mature(F.col("funded_at"), day))
    )
    return staged.select(*[c.name for c in MATURED_OUTCOMES.columns])


def _in_base(loans: DataFrame, fx_rates: DataFrame, base: str, shell: Shell) -> DataFrame:
    """Loans with their principal in minor units of the base currency."""
    rated = money.rated(loans, F.to_date("funded_at"), fx_rates, base)
    missing = shell.small(money.first_missing(rated), 1000, ["currency"])
    if len(missing):
        raise DataRefused(money.no_rate("job matured_outcomes", "loans", missing, base))
    return rated.withColumn("principal_minor", money.to_minor(F.col("principal"), F.col("rate"), base))


def _first_loans(loans: DataFrame) -> DataFrame:
    """The first loan of each application."""
    first = F.min(F.struct("funded_at", "loan_id", "principal_minor")).alias("_loan")
    return loans.groupBy("application_id").agg(first).select("application_id", "_loan.*")


def _seen(repayments: DataFrame, day: date) -> DataFrame:
    """One row a loan: months seen, the worst state by month 12 and when it was first late, fraud, whether repaid."""
    known = repayments.where(F.col("as_of_day") <= F.lit(day))
    in_time = F.col("months_on_book") <= outcomes.GOOD_MONTHS
    is_late = F.col("days_past_due") > outcomes.LATE_DAYS
    last = F.max(F.struct("as_of_day", "balance", "days_past_due", "charged_off")).alias("_last")
    grouped = known.groupBy("loan_id").agg(
        F.max("months_on_book").alias("_months"),
        F.max(F.when(in_time, F.col("days_past_due"))).alias("_worst"),
        F.min(F.when(in_time & is_late, F.col("months_on_book"))).alias("late_month"),
        F.max("is_confirmed_fraud").alias("_fraud"),
        last,
    )
    is_repaid = (
        (F.col("_last.balance") == 0)
        & (F.col("_last.days_past_due") == 0)
        & (F.coalesce("_last.charged_off", F.lit(0)) == 0)
    )
    return grouped.select("loan_id", "_months", "_worst", "late_month", "_fraud", is_repaid.alias("_repaid"))


def _months_observed(day: date) -> Column:
    """Months on book seen; a repaid loan stays known, so that its time passes by the calendar."""
    age = F.floor(F.months_between(F.lit(day), F.to_date("funded_at"))).cast("bigint")
    seen = F.coalesce("_months", F.lit(0).cast("bigint"))
    known = F.when(F.coalesce("_repaid", F.lit(False)), F.greatest(seen, age)).otherwise(seen)
    return F.when(F.col("loan_id").isNotNull(), known)
