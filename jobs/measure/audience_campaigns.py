"""Which campaign and ad group each audience ran under, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.credit import level
from jobs.runtime.conf import Conf
from jobs.tables.ingest import ASSIGNMENTS, DELIVERIES_REPORTED
from jobs.tables.measure.costs import AUDIENCE_CAMPAIGNS, SPEND_LEDGER
from segments.campaigns import cleaned
from segments.money import to_major

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

AUDIENCE = ["channel", "audience"]
PLACE = ["channel", "campaign", "level"]


@job(
    reads={
        "deliveries": DELIVERIES_REPORTED.in_force(),
        "assignments": ASSIGNMENTS.in_force(),
        "spend": SPEND_LEDGER,
    },
    writes=AUDIENCE_CAMPAIGNS,
)
def audience_campaigns(deliveries: DataFrame, assignments: DataFrame, spend: DataFrame, *, conf: Conf) -> DataFrame:
    """Every audience that was assigned or reported: as its channel reports it, else as channels/<name>.yaml names it.

    Spend is told of an audience only where no other one ran, or may have, under its campaign and ad group.
    """
    assigned = (
        assignments.where("audience is not null and role <> 'holdout'")
        .groupBy(*AUDIENCE)
        .agg(F.count("*").alias("assigned"), F.min("assigned_day").alias("first_day"))
    )
    told = deliveries.where("campaign is not null").select(
        *AUDIENCE,
        cleaned(F.col("campaign"), conf.base.measure.campaign_names).alias("campaign"),
        level(F.col("ad_group")).alias("level"),
        F.lit("channel").alias("told_by"),
    )
    every = assigned.join(deliveries.select(*AUDIENCE).distinct(), AUDIENCE, "full").join(
        told.distinct(), AUDIENCE, "left"
    )
    named = every.select(
        *AUDIENCE,
        F.coalesce("campaign", _named(conf)).alias("campaign"),
        F.coalesce("level", F.lit("")).alias("level"),
        F.coalesce("told_by", F.when(_named(conf).isNotNull(), "conf")).alias("told_by"),
        F.coalesce("assigned", F.lit(0)).alias("assigned"),
        "first_day",
    )
    joined = named.join(_sharing(named), PLACE, "left").join(_bills(named, spend), [*AUDIENCE, *PLACE[1:]], "left")
    is_alone = F.col("audiences") == 1
    return joined.select(
        *AUDIENCE,
        "campaign",
        F.when(F.col("level") != "", F.substr("level", F.lit(2))).alias("ad_group"),
        "told_by",
        "assigned",
        "first_day",
        F.coalesce("audiences", F.lit(0)).alias("audiences"),
        F.when(is_alone, to_major(F.coalesce("cost_minor", F.lit(0)), conf.base.currency)).alias("spend"),
        F.when(F.col("campaign").isNull(), "not_told").when(~is_alone, "shared").alias("reason"),
    )


def _sharing(named: DataFrame) -> DataFrame:
    """`audiences` that ran, or may have, at each place: those of a whole campaign run under its ad groups too."""
    ran = named.where("campaign is not null")
    place, other = ran.select(*PLACE).distinct().alias("place"), ran.alias("other")
    is_same = [F.col(f"place.{name}") == F.col(f"other.{name}") for name in PLACE[:-1]]
    meets = F.expr("place.level = other.level or place.level = '' or other.level = ''")
    pairs = place.join(other, [*is_same, meets]).select("place.*", "other.audience")
    return pairs.groupBy(*PLACE).agg(F.count_distinct("audience").alias("audiences"))


def _bills(named: DataFrame, spend: DataFrame) -> DataFrame:
    """`cost_minor` of each audience and place, each unit once: its ad groups' own, and under `""` the rest."""
    billed = spend.groupBy("channel", "campaign", level(F.col("ad_group")).alias("level")).agg(
        F.sum("cost_minor").alias("cost_minor")
    )
    own = named.where("level <> ''").join(billed, PLACE).select(*AUDIENCE, "campaign", "level", "cost_minor")
    told = own.select(*AUDIENCE, "campaign", F.col("level").alias("_level"), F.lit(True).alias("_told"))
    rest = (
        named.where("level = ''")
        .drop("level")
        .join(billed.withColumnRenamed("level", "_level"), ["channel", "campaign"])
        .join(told, [*AUDIENCE, "campaign", "_level"], "left")
        .where("_told is null")
        .groupBy(*AUDIENCE, "campaign")
        .agg(F.sum("cost_minor").alias("cost_minor"))
    )
    return own.union(rest.select(*AUDIENCE, "campaign", F.lit("").alias("level"), "cost_minor"))


def _named(conf: Conf) -> Column:
    """The campaign that conf gives an audience of its channel; null where it gives none."""
    found = F.lit(None).cast("string")
    for name, channel in sorted(conf.channels.items()):
        if channel.campaign is not None:
            text = F.lit(channel.campaign)
            for mark, column in (("{audience}", F.col("audience")), ("{month}", F.date_format("first_day", "yyyy-MM"))):
                text = F.replace(text, F.lit(mark), column)
            found = F.when(F.col("channel") == name, text).otherwise(found)
    return found
