"""What the customers of each month's touches have earned by months on book, beside what was spent on them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.credit import credited_touch
from jobs.measure.loan_months import loan_months
from jobs.measure.metrics import ALL, contribution
from jobs.runtime.conf import Conf
from jobs.tables.ingest import LOANS, REPAYMENTS
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES
from jobs.tables.measure.costs import SPEND_LEDGER
from jobs.tables.measure.loans import PAYBACKS
from segments.calendar import billed_day
from segments.money import minor_digits, to_major
from segments.outcomes import can_change_until

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

MAX_CELLS = 500_000
MONEY = ("lost", "interest", "balance_months")
COHORT = ["period", "channel"]


@job(
    reads={
        "outcomes": MATURED_OUTCOMES,
        "touches": LINKED_TOUCHES,
        "loans": LOANS.in_force(),
        "repayments": REPAYMENTS.in_force(),
        "spend": SPEND_LEDGER,
    },
    writes=PAYBACKS,
)
def paybacks(
    outcomes: DataFrame,
    touches: DataFrame,
    loans: DataFrame,
    repayments: DataFrame,
    spend: DataFrame,
    *,
    day: date,
    conf: Conf,
    shell: Shell,
) -> pd.DataFrame:
    """Contribution so far of each month and channel of touches; only months on book that every loan was seen to."""
    funded = credited_touch(outcomes, touches, ["channel"], conf.base.measure).where(
        "_touch is not null and is_funded and loan_id is not null"
    )
    touched = F.col("_touch.occurred_at")
    on = billed_day(touched, F.col("_touch.channel"), conf.account_zones, conf.base.time_zone)
    credited = shell.cut(
        funded.select(
            "loan_id",
            F.coalesce("months_observed", F.lit(0)).alias("seen"),
            F.date_format(on, "yyyy-MM").alias("period"),
            F.explode(F.array(F.col("_touch.channel"), F.lit(ALL))).alias("channel"),
        )
    )
    months = loan_months(outcomes, loans, repayments, day).join(credited, "loan_id")
    added = months.groupBy(*COHORT, "months_on_book").agg(*[F.sum(f"{name}_minor").alias(name) for name in MONEY])
    major = [to_major(F.col(name), conf.base.currency).alias(name) for name in MONEY]
    earned = added.select(*COHORT, "months_on_book", *major)
    told = earned.select(*COHORT, "months_on_book", contribution(conf).alias("contribution"))
    sizes = credited.groupBy(*COHORT).agg(F.count("*").alias("loans"), F.min("seen").alias("seen"))
    channel = F.explode(F.array("channel", F.lit(ALL))).alias("channel")
    billed = spend.select(F.date_format("spend_day", "yyyy-MM").alias("period"), channel, "cost_minor")
    month_end = F.last_day(F.to_date(F.concat("period", F.lit("-01"))))
    is_closed = can_change_until(month_end, conf.base.measure.click_days, months=0) <= F.lit(day)
    cohorts = billed.groupBy(*COHORT).agg(F.sum("cost_minor").alias("cost_minor")).join(sizes, COHORT)
    return _told(
        shell.small(cohorts.withColumn("is_closed", is_closed), MAX_CELLS, COHORT),
        shell.small(told, MAX_CELLS, [*COHORT, "months_on_book"]),
        10 ** minor_digits(conf.base.currency),
    )


def _told(cohorts: pd.DataFrame, earned: pd.DataFrame, unit: int) -> pd.DataFrame:
    """One row a cohort and month on book."""
    import pandas as pd

    names = [c.name for c in PAYBACKS.columns]
    if cohorts.empty:
        return pd.DataFrame(columns=names)
    rows = cohorts.loc[cohorts.index.repeat(cohorts["seen"])].reset_index(drop=True)
    rows["months_on_book"] = rows.groupby(COHORT).cumcount() + 1
    told = rows.merge(earned, on=[*COHORT, "months_on_book"], how="left").fillna({"contribution": 0.0})
    so_far = told.groupby(COHORT)["contribution"].cumsum()
    money = told["cost_minor"] / unit
    return told.assign(
        contribution=so_far,
        spend=money,
        is_paid_back=so_far >= money,
        maturity=told["is_closed"].map({True: "final", False: "open"}),
    )[names]
