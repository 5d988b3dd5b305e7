"""Spend and the customers credited to it, by day, channel, campaign, ad group and band."""

from __future__ import annotations

from datetime import date
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.credit import (
    CELL,
    NO_BAND,
    PLACE,
    ad_group,
    at_billed_level,
    journeyer,
    last_click,
    level,
    with_band,
    with_views,
)
from jobs.runtime.conf import Conf
from jobs.tables.activate import AUDIENCES
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES, PEOPLE
from jobs.tables.measure.costs import BOOK, COUNTS, DAILY_COSTS, SPEND_LEDGER
from jobs.tables.measure.loans import LOAN_RESULTS
from segments.calendar import billed_day
from segments.outcomes import ACTED_KINDS, FUND_DAYS, SOON_DAYS, is_taken
from segments.splits import largest_remainder

if TYPE_CHECKING:
    from pyspark.sql import Column

    from jobs.runtime.shell import Shell


@job(
    reads={
        "spend": SPEND_LEDGER,
        "touches": LINKED_TOUCHES,
        "outcomes": MATURED_OUTCOMES,
        "results": LOAN_RESULTS,
        "people": PEOPLE,
        "audiences": AUDIENCES.upto(),
    },
    writes=DAILY_COSTS,
)
def daily_costs(
    spend: DataFrame,
    touches: DataFrame,
    outcomes: DataFrame,
    results: DataFrame,
    people: DataFrame,
    audiences: DataFrame,
    *,
    day: date,
    conf: Conf,
    shell: Shell,
) -> DataFrame:
    """Every unit of spend and every application exactly once, in the cell of its day, place and band.

    Spend of a place is split over bands by that day's clicks there (largest remainder); without clicks its band is
    (none). An application counts where its person's last click within `measure.click_days` was, else as unattributed;
    views are counted beside (`viewed`), and credited with `measure.view_through` where no click is in time.
    """
    zone = conf.base.time_zone
    sent = audiences.where("role <> 'holdout'")
    billed = shell.cut(_billed(spend))
    named = touches.select(
        "touch_id",
        "person_key",
        "id_click_key",
        "occurred_at",
        billed_day(F.col("occurred_at"), F.col("channel"), conf.account_zones, zone).alias("cost_day"),
        "channel",
        "campaign",
        level(F.col("ad_group")).alias("level"),
        "kind",
    )
    acted = named.where(F.col("kind").isin(*ACTED_KINDS))
    seen = with_band(with_views(acted, named, outcomes), sent, people)
    placed = shell.cut(at_billed_level(seen, billed))
    clicked = placed.where("is_act")
    clicks = clicked.groupBy(*CELL).agg(F.count("*").alias("clicks"))
    book = results.select(*[c.name for c in LOAN_RESULTS.columns])
    credited = shell.cut(last_click(outcomes, placed, conf.base.measure, zone).join(book, "loan_id", "left"))
    figures = ["spend_minor", "is_allocated", *[c.name for c in (*COUNTS, *BOOK)]]
    parts = [_split(billed, clicks), clicks, _leads(clicked), _viewed(credited), _counted(credited, day)]
    filled = [_filled(part, figures) for part in parts]
    summed = reduce(DataFrame.union, filled).groupBy(*CELL).agg(*[_total(name).alias(name) for name in figures])
    first = sent.agg(F.min("day").alias("_first"))
    is_campaign = F.coalesce(F.col("cost_day") > F.col("_first"), F.lit(False))
    return summed.crossJoin(first).select(
        "cost_day",
        F.when(is_campaign, "campaign").otherwise("history").alias("period"),
        "channel",
        "campaign",
        ad_group(F.col("level")).alias("ad_group"),
        "band",
        *figures,
    )


def _billed(spend: DataFrame) -> DataFrame:
    """Spend of each place: day, channel, campaign, level."""
    placed = spend.withColumn("cost_day", F.col("spend_day")).withColumn("level", level(F.col("ad_group")))
    return placed.groupBy(*PLACE).agg(F.sum("cost_minor").alias("place_minor"))


def _split(billed: DataFrame, clicks: DataFrame) -> DataFrame:
    """Each place's spend over the bands that clicked there."""
    joined = billed.join(clicks, PLACE, "left")
    weighed = joined.select(
        *PLACE,
        F.coalesce("band", F.lit(NO_BAND)).alias("band"),
        "place_minor",
        F.coalesce("clicks", F.lit(1)).alias("weight"),
        F.col("clicks").isNotNull().alias("is_allocated"),
    )
    split = largest_remainder(weighed, PLACE, ["band"], "place_minor", "weight", "spend_minor")
    return split.select(*CELL, "spend_minor", "is_allocated")


def _leads(placed: DataFrame) -> DataFrame:
    """People who acted, each once a channel and month, in the cell of the first touch; nobody known is one alone."""
    who = F.coalesce(journeyer(), F.concat(F.lit("touch|"), F.col("touch_id")))
    first = F.min(F.struct("occurred_at", "touch_id", *CELL)).alias("_first")
    each = placed.groupBy(who, "channel", F.trunc("cost_day", "month")).agg(first)
    return each.select("_first.*").groupBy(*CELL).agg(F.count("*").alias("leads"))


def _viewed(credited: DataFrame) -> DataFrame:
    """Applications by the cell of the view that was the last before them, credited or not."""
    views = credited.where("_viewed is not null").select(*[F.col(f"_viewed.{name}").alias(name) for name in CELL])
    return views.groupBy(*CELL).agg(F.count("*").alias("viewed"))


def _counted(credited: DataFrame, day: date) -> DataFrame:
    """Outcomes of each cell."""
    is_funded = F.coalesce("is_funded", F.lit(False))
    is_fraud = F.coalesce("is_fraud", F.lit(False))
    may_be_funded = F.coalesce("is_funded", F.lit(True))
    return credited.groupBy(*CELL).agg(
        F.count("*").alias("applications"),
        F.count_if(F.coalesce("is_approved", F.lit(False))).alias("approvals"),
        F.count_if(is_funded).alias("funded"),
        F.count_if(is_funded & F.col("is_good").isNotNull()).alias("matured"),
        F.count_if(F.coalesce("is_good", F.lit(False))).alias("good"),
        F.count_if(is_funded & F.coalesce("is_late", F.lit(False))).alias("late"),
        F.count_if(is_funded & is_fraud).alias("fraud"),
        F.count_if(F.col("is_good").isNull()).alias("undecided"),
        F.count_if(F.col("is_approved").isNotNull()).alias("decisions"),
        F.count_if(is_funded & F.col("is_good_30_3").isNotNull()).alias("decided_30_3"),
        F.count_if(is_funded & F.coalesce("is_good_30_3", F.lit(False))).alias("good_30_3"),
        F.count_if(may_be_funded & F.col("is_good_30_3").isNull()).alias("undecided_30_3"),
        F.count_if(is_funded & F.col("is_first_late").isNotNull()).alias("due"),
        F.count_if(is_funded & F.coalesce("is_first_late", F.lit(False))).alias("first_late"),
        F.count_if(is_funded & F.col("expected_loss_minor").isNotNull()).alias("priced"),
        F.count_if(is_funded & F.col("interest_ahead_minor").isNotNull()).alias("projected"),
        *[F.count_if(is_taken(days, day).isNotNull()).alias(f"approved_{days}") for days in (SOON_DAYS, FUND_DAYS)],
        *[F.count_if(is_taken(days, day)).alias(f"funded_{days}") for days in (SOON_DAYS, FUND_DAYS)],
        *[
            F.sum(F.when(is_told, F.coalesce(of, F.lit(0))).otherwise(0)).alias(name)
            for name, of, is_told in (
                ("principal_minor", "principal_minor", is_funded),
                ("fraud_minor", "principal_minor", is_funded & is_fraud),
                ("lost_minor", "lost_minor", is_funded),
                ("interest_minor", "interest_minor", is_funded),
                ("balance_months_minor", "balance_months_minor", is_funded),
                ("expected_loss_minor", "expected_loss_minor", is_funded),
                ("interest_ahead_minor", "interest_ahead_minor", is_funded),
                ("balance_months_ahead_minor", "balance_months_ahead_minor", is_funded),
            )
        ],
    )


def _filled(part: DataFrame, figures: list[str]) -> DataFrame:
    """The cell and every figure, none where the part does not know it."""
    zero = {name: F.lit(False) if name == "is_allocated" else F.lit(0).cast("bigint") for name in figures}
    return part.select(*CELL, *[F.col(name) if name in part.columns else zero[name].alias(name) for name in figures])


def _total(name: str) -> Column:
    return F.max(name) if name == "is_allocated" else F.sum(name)
