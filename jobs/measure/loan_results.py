"""What each loan has come to so far beside being good: early forms, interest, losses, and how balances rolled."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.development.rolls import roll_rates
from jobs.measure.expected_loss import expected_loss, late_to_come, watched
from jobs.measure.lifetime import EARNED, ahead, earnings_to_come, lived, with_life
from jobs.measure.loan_months import loan_months
from jobs.runtime.conf import Conf
from jobs.tables.ingest import LOANS, REPAYMENTS
from jobs.tables.link import MATURED_OUTCOMES
from jobs.tables.measure.loans import LOAN_RESULTS, ROLL_RATES
from segments.outcomes import EARLY_DAYS, EARLY_MONTHS, FIRST_MONTHS, is_late

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from jobs.runtime.shell import Shell

MAX_CELLS = 1000
SUMS = ("lost_minor", "interest_minor", "balance_months_minor")


@job(
    reads={"outcomes": MATURED_OUTCOMES, "loans": LOANS.in_force(), "repayments": REPAYMENTS.in_force()},
    writes=(LOAN_RESULTS, ROLL_RATES),
)
def loan_results(
    outcomes: DataFrame, loans: DataFrame, repayments: DataFrame, *, day: date, conf: Conf, shell: Shell
) -> tuple[DataFrame, DataFrame]:
    """Each application's loan once; bad is said as soon as it is seen, good only when its months are over.

    What it is yet expected to lose and to earn by month 12 stands apart from what it has lost and earned.
    """
    months = shell.cut(with_life(loan_months(outcomes, loans, repayments, day)))
    summed = months.groupBy("loan_id").agg(
        *[F.sum(name).alias(name) for name in SUMS],
        _worst(EARLY_MONTHS, "_early"),
        _worst(FIRST_MONTHS, "_first"),
        F.max_by(F.when(F.col("is_charged_off"), F.lit(0)).otherwise(F.col("balance_minor")), "months_on_book").alias(
            "_owed"
        ),
        F.bool_and("is_alive").alias("_alive"),
    )
    to_come = late_to_come(shell.small(watched(outcomes), MAX_CELLS))
    earnings = earnings_to_come(shell.small(lived(months), MAX_CELLS), conf.base.measure.discount_a_year)
    joined = outcomes.where("loan_id is not null").join(summed, "loan_id", "left")
    seen = F.coalesce("months_observed", F.lit(0))
    early = is_late(F.col("_early"), seen, EARLY_DAYS, EARLY_MONTHS)
    good = F.when(F.coalesce("is_fraud", F.lit(False)), False).otherwise(~early)
    owed = F.coalesce("_owed", "principal_minor")
    is_alive = F.coalesce("_alive", F.lit(True)) & ~F.coalesce("is_fraud", F.lit(False))
    results = joined.select(
        "loan_id",
        good.alias("is_good_30_3"),
        is_late(F.col("_first"), seen, EARLY_DAYS, FIRST_MONTHS).alias("is_first_late"),
        *[F.coalesce(name, F.lit(0)).alias(name) for name in SUMS],
        expected_loss(to_come, owed, conf.base.measure.loss_given_default).alias("expected_loss_minor"),
        *[ahead(earnings, name, is_alive).alias(name.replace("_minor", "_ahead_minor")) for name in EARNED],
    )
    return results, roll_rates(months)


def _worst(months: int, name: str) -> Column:
    """Most days past due by so many months on book."""
    return F.max(F.when(F.col("months_on_book") <= months, F.col("days_past_due"))).alias(name)
