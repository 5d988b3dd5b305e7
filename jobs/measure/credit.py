"""Who gets the credit: the band a person had when sent, the cell a touch is billed in, the last click's outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from jobs.runtime.settings import MeasureConf
from segments.calendar import local_day
from segments.outcomes import ACTED_KINDS, SEEN_KINDS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

NO_BAND = "(none)"
UNATTRIBUTED = "(unattributed)"
# A place money is billed at; `level` is the ad group, or "" for "not at that level", so that joins need no nulls.
PLACE = ["cost_day", "channel", "campaign", "level"]
CELL = [*PLACE, "band"]


def level(ad_group: Column) -> Column:
    """An ad group as a join key that is never null."""
    return F.coalesce(F.concat(F.lit("="), ad_group), F.lit(""))


def ad_group(level: Column) -> Column:
    """The ad group a level stands for."""
    return F.when(level != "", F.substr(level, F.lit(2)))


def with_band(touches: DataFrame, audiences: DataFrame, people: DataFrame) -> DataFrame:
    """`touches` (person_key, channel, cost_day, …) with `band`: of the latest audience of that channel by that day."""
    sent = (
        audiences.join(people.select("prospect_key", "person_key"), "prospect_key")
        .groupBy("person_key", "channel", F.col("day").alias("cost_day"))
        .agg(F.min("band").alias("band"))
    )
    asked = touches.where("person_key is not null").select("person_key", "channel", "cost_day").distinct()
    # An audience sorts before the touches of its own day. The struct tells "sent without a band" from "not sent".
    mixed = sent.select(
        "person_key", "channel", "cost_day", F.lit(0).alias("_side"), F.struct("band").alias("_sent")
    ).union(asked.select("*", F.lit(1), F.lit(None).cast("struct<band:string>")))
    so_far = Window.partitionBy("person_key", "channel").orderBy("cost_day", "_side")
    newest = F.last("_sent", ignorenulls=True).over(so_far.rowsBetween(Window.unboundedPreceding, 0))
    known = mixed.withColumn("_newest", newest).where("_side = 1")
    bands = known.select("person_key", "channel", "cost_day", F.col("_newest.band").alias("_band"))
    joined = touches.join(bands, ["person_key", "channel", "cost_day"], "left")
    return joined.withColumn("band", F.coalesce("_band", F.lit(NO_BAND))).drop("_band")


def at_billed_level(touches: DataFrame, billed: DataFrame) -> DataFrame:
    """`touches` moved to the campaign's own row where their ad group was not billed that day but the campaign was."""
    own = billed.select(*PLACE, F.lit(True).alias("_own"))
    campaign = billed.where("level = ''").select(*PLACE[:-1], F.lit(True).alias("_campaign"))
    joined = touches.join(own, PLACE, "left").join(campaign, PLACE[:-1], "left")
    moved = F.when(F.col("_own").isNull() & F.col("_campaign"), F.lit("")).otherwise(F.col("level"))
    return joined.withColumn("level", moved).drop("_own", "_campaign")


def journeyer() -> Column:
    """Whose journey a touch or an application is of: a person's, else an unknown clicker's; null where nobody knows."""
    return F.coalesce("person_key", F.concat(F.lit("click|"), F.col("id_click_key")))


def with_journeyers(touches: DataFrame, outcomes: DataFrame) -> DataFrame:
    """`touches` by `journeyer`, without those of nobody; a touch is also of whoever applied by its click."""
    own = touches.withColumn("journeyer", journeyer()).where("journeyer is not null")
    came = outcomes.where("id_click_key is not null").select("id_click_key", journeyer().alias("_came")).distinct()
    others = own.join(came, "id_click_key").where("_came <> journeyer").withColumn("journeyer", F.col("_came"))
    return own.unionByName(others.select(*own.columns))


def last_touch(
    outcomes: DataFrame, touches: DataFrame, told: list[str], click_days: int, view_days: int | None = None
) -> DataFrame:
    """`outcomes` with `_touch` (is_act, occurred_at, touch_id, the columns `told`): the last in time of its journeyer.

    In time is (applied_at - click_days, applied_at], for what `touches` tells not to be `is_act` (a view) with
    `view_days`; any act in time outranks every view. Null where there was none.
    """
    is_act = F.col("is_act") if "is_act" in touches.columns else F.lit(True)
    touched = with_journeyers(touches, outcomes).select(
        "journeyer", F.struct(is_act.alias("is_act"), "occurred_at", "touch_id", *told).alias("_touch")
    )
    found = outcomes.select("application_id", journeyer().alias("journeyer"), "applied_at").join(touched, "journeyer")
    at = F.col("_touch.occurred_at")
    start = F.col("applied_at") - F.expr(f"interval {click_days} days")
    if view_days is not None:
        of_view = F.col("applied_at") - F.expr(f"interval {view_days} days")
        start = F.when(F.col("_touch.is_act"), start).otherwise(of_view)
    inside = found.where((at > start) & (at <= F.col("applied_at")))
    last = inside.groupBy("application_id").agg(F.max("_touch").alias("_touch"))
    return outcomes.join(last, "application_id", "left")


def with_views(acted: DataFrame, touches: DataFrame, outcomes: DataFrame) -> DataFrame:
    """`acted` and, `is_act` false, the views of whoever applied or by whose click; both with the same columns."""
    came = outcomes.select(journeyer().alias("_came")).where("_came is not null").distinct()
    clicks = outcomes.select(F.col("id_click_key").alias("_click")).where("_click is not null").distinct()
    seen, is_own = touches.where(F.col("kind").isin(*SEEN_KINDS)), journeyer() == F.col("_came")
    own = seen.join(came, is_own, "left_semi")
    others = seen.join(clicks, F.col("id_click_key") == F.col("_click"), "left_semi").join(came, is_own, "left_anti")
    views = own.union(others).select(*acted.columns)
    return acted.withColumn("is_act", F.lit(True)).union(views.withColumn("is_act", F.lit(False)))


def credited_touch(outcomes: DataFrame, touches: DataFrame, told: list[str], measure: MeasureConf) -> DataFrame:
    """`outcomes` with `_touch`: the last act in time; with `measure.view_through`, without one the last view."""
    acted = touches.where(F.col("kind").isin(*ACTED_KINDS))
    acted = acted.select("person_key", "id_click_key", "occurred_at", "touch_id", *told)
    if not measure.view_through:
        return last_touch(outcomes, acted, told, measure.click_days)
    return last_touch(outcomes, with_views(acted, touches, outcomes), told, measure.click_days, measure.view_days)


def last_click(outcomes: DataFrame, touches: DataFrame, measure: MeasureConf, zone: str) -> DataFrame:
    """Each application once with the cell of its last touch; without one, (unattributed) on the day it was made.

    A view (`is_act` false) is credited with `measure.view_through` alone; `_viewed` says whether one was the last.
    """
    joined = last_touch(outcomes, touches, CELL, measure.click_days, measure.view_days)
    nowhere = {
        "cost_day": local_day(F.col("applied_at"), zone),
        "channel": F.lit(UNATTRIBUTED),
        "campaign": F.lit(None).cast("string"),
        "level": F.lit(""),
        "band": F.lit(NO_BAND),
    }
    is_viewed = F.coalesce(~F.col("_touch.is_act"), F.lit(False))
    has_touch = F.col("_touch").isNotNull() & (F.lit(measure.view_through) | ~is_viewed)
    cells = [F.when(has_touch, F.col(f"_touch.{name}")).otherwise(nowhere[name]).alias(name) for name in CELL]
    return joined.select(*outcomes.columns, *cells, F.when(is_viewed, F.col("_touch")).alias("_viewed"))
