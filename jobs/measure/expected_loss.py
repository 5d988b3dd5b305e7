"""What loans on book are yet expected to lose, by how often older loans turned late at each month on book."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import functions as F

from segments.outcomes import GOOD_MONTHS

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import Column, DataFrame


def seen_months() -> Column:
    """Months on book over which a loan was watched for being late: up to then, or to month 12."""
    return F.least(F.coalesce("late_month", "months_observed", F.lit(0)), F.lit(GOOD_MONTHS))


def watched(outcomes: DataFrame) -> DataFrame:
    """How many loans were watched for how long, and when they were late: few rows of seen, late_month, loans."""
    loans = outcomes.where("loan_id is not null").withColumn("seen", seen_months())
    return loans.groupBy("seen", "late_month").agg(F.count("*").alias("loans"))


def late_to_come(book: pd.DataFrame) -> list[float] | None:
    """Chance to be late by month 12 of a loan not late by month 0, 1, …, 12, given `watched`; None of an empty book.

    At each month on book as many turn late as did of all loans that reached it; a month that none has reached is taken
    to be like the last one that was.
    """
    exposed, late = np.zeros(GOOD_MONTHS + 1), np.zeros(GOOD_MONTHS + 1)
    for seen, late_month, loans in book[["seen", "late_month", "loans"]].itertuples(index=False):
        exposed[1 : int(seen) + 1] += loans
        if late_month == late_month and late_month is not None:
            late[int(late_month)] += loans
    reached = np.flatnonzero(exposed)
    if not len(reached):
        return None
    hazard = np.divide(late, exposed, out=np.zeros_like(late), where=exposed > 0)
    hazard[reached[-1] + 1 :] = hazard[reached[-1]]
    return [float(1 - np.prod(1 - hazard[month + 1 :])) for month in range(GOOD_MONTHS + 1)]


def expected_loss(to_come: list[float] | None, balance: Column, loss_given_default: float) -> Column:
    """Minor units a loan is expected to lose of its `balance`: exposure x chance x share lost; null while unknown.

    Late loans and confirmed fraud count whole.
    """
    if to_come is None:
        return F.lit(None).cast("bigint")
    chances = F.array(*[F.lit(chance) for chance in to_come])
    is_bad = F.col("late_month").isNotNull() | F.coalesce("is_fraud", F.lit(False))
    chance = F.when(is_bad, 1.0).otherwise(F.element_at(chances, seen_months().cast("int") + 1))
    return F.round(balance * chance * loss_given_default).cast("bigint")
