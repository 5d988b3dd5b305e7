"""What each channel, campaign and ad group is credited with, day by day, under every model of attribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.attribution.counting import FLOW, CountFlows
from jobs.measure.attribution.events import STAGES, TOUCH, Window
from jobs.measure.attribution.shapley import grouped
from jobs.measure.attribution.shares import NANO
from jobs.measure.attribution.splitting import CREDIT, FIGURES
from jobs.measure.attribution.spread import FOLDS
from jobs.measure.attribution.told import ORDERS, attributions, models_of
from jobs.measure.credit import ad_group, journeyer, level, with_journeyers
from jobs.runtime.conf import Conf
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES
from jobs.tables.measure.credits import CHANNEL_ATTRIBUTIONS, CHANNEL_CREDITS
from segments.calendar import billed_day, local_day
from segments.money import minor_digits
from segments.outcomes import ACTED_KINDS, SEEN_KINDS

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import Column, DataFrame

    from jobs.runtime.shell import Shell

MAX_CHANNELS = 500
MAX_FLOWS = 2_000_000


@job(reads={"touches": LINKED_TOUCHES, "outcomes": MATURED_OUTCOMES}, writes=(CHANNEL_CREDITS, CHANNEL_ATTRIBUTIONS))
def channel_credits(
    touches: DataFrame, outcomes: DataFrame, *, conf: Conf, shell: Shell
) -> tuple[DataFrame, pd.DataFrame]:
    """Every application, approval and funding once under every model, at its touches or as (unattributed).

    A stage's window is (moment - `measure.click_days`, moment]; with `measure.paths_end_at_conversion` it begins after
    the person's previous one of that stage. Views count with `measure.view_through` alone, where nobody acted in time.
    Credit stands on the day of the touch, so that it meets the money that was spent for it.
    """
    measure = conf.base.measure
    kinds = (*ACTED_KINDS, *SEEN_KINDS) if measure.view_through else ACTED_KINDS
    met = touches.where(F.col("kind").isin(*kinds))
    events = shell.cut(_touched(met, outcomes, conf).union(_won(outcomes, conf.base.time_zone)))
    named = shell.small(met.groupBy("channel").agg(F.count("*").alias("touches")), MAX_CHANNELS, ["channel"])
    channels = tuple(named["channel"])
    groups = grouped(named["touches"].to_numpy(dtype="float64"))
    window = Window(measure.click_days, measure.paths_end_at_conversion, measure.view_days * measure.view_through)
    sorted_ = events.repartition("person_key").sortWithinPartitions("person_key", "at", "stage", "id")
    counted = sorted_.mapInArrow(CountFlows(channels, window, ORDERS, tuple(map(int, groups))), FLOW)
    sums = F.sum("journeys").alias("journeys"), F.sum("worth_minor").alias("worth")
    moved = shell.small(counted.groupBy("stage", "model_order", "state", "next").agg(*sums), MAX_FLOWS)
    models = models_of(moved, channels, groups)
    split = shell.cut(sorted_.mapInArrow(models.splitter(window), CREDIT))
    credits = _credits(split.where("part is null"))
    folds = split.where("part is not null").groupBy("stage", "model", "channel", "fold")
    parts = shell.small(folds.agg(F.sum("part").alias("part")), MAX_FLOWS)
    principal = credits.where("stage = 'fund'").groupBy("model", "channel").agg(F.sum("principal_minor").alias("minor"))
    of_fund = shell.small(principal, MAX_FLOWS, ["model", "channel"])
    return credits, attributions(models, parts, of_fund, 10 ** minor_digits(conf.base.currency))


def _touched(met: DataFrame, outcomes: DataFrame, conf: Conf) -> DataFrame:
    """Touches as events."""
    place = (
        billed_day(F.col("occurred_at"), F.col("channel"), conf.account_zones, conf.base.time_zone).alias("cost_day"),
        "channel",
        "campaign",
        level(F.col("ad_group")).alias("level"),
    )
    nothing = [F.lit(None).cast("boolean").alias(name) for name in ("good", "late", "fraud")]
    return with_journeyers(met, outcomes).select(
        F.col("journeyer").alias("person_key"),
        F.unix_micros("occurred_at").alias("at"),
        F.lit(TOUCH).alias("stage"),
        F.col("touch_id").alias("id"),
        *place,
        *nothing,
        F.lit(None).cast("bigint").alias("principal_minor"),
        (~F.col("kind").isin(*ACTED_KINDS)).alias("is_view"),
        _fold(F.col("journeyer")),
    )


def _won(outcomes: DataFrame, zone: str) -> DataFrame:
    """Conversions as events: each application once a stage it has reached, with what became of its loan."""
    approved_at = F.coalesce("decided_at", "funded_at", "applied_at")
    reached = {
        "apply": (F.lit(True), F.col("applied_at")),
        "approve": (F.coalesce("is_approved", F.lit(False)), approved_at),
        "fund": (F.coalesce("is_funded", F.lit(False)), F.coalesce("funded_at", approved_at)),
    }
    stages = [
        F.when(is_reached, F.struct(F.lit(place).alias("stage"), at.alias("_at")))
        for place, (is_reached, at) in enumerate(reached[stage] for stage in STAGES)
    ]
    rows = outcomes.withColumn("_won", F.explode(F.filter(F.array(*stages), lambda one: one.isNotNull())))
    is_fund = F.col("_won.stage") == STAGES.index("fund")
    whose = F.coalesce(journeyer(), F.concat(F.lit("application|"), F.col("application_id")))
    return rows.select(
        whose.alias("person_key"),
        F.unix_micros("_won._at").alias("at"),
        F.col("_won.stage").alias("stage"),
        F.col("application_id").alias("id"),
        local_day(F.col("_won._at"), zone).alias("cost_day"),
        F.lit(None).cast("string").alias("channel"),
        F.lit(None).cast("string").alias("campaign"),
        F.lit("").alias("level"),
        F.when(is_fund, F.col("is_good")).alias("good"),
        F.when(is_fund, F.col("is_late")).alias("late"),
        F.when(is_fund, F.col("is_fraud")).alias("fraud"),
        F.when(is_fund, F.col("principal_minor")).alias("principal_minor"),
        F.lit(False).alias("is_view"),
        _fold(whose),
    )


def _fold(person_key: Column) -> Column:
    """Which fold of people somebody is in."""
    return F.pmod(F.xxhash64(person_key), F.lit(FOLDS)).cast("int").alias("fold")


def _credits(split: DataFrame) -> DataFrame:
    """Whole billionths summed, as decimals; money in minor units."""
    cell = ["stage", "model", "cost_day", "channel", "campaign", "level"]
    sums = split.groupBy(*cell).agg(*[F.sum(name).alias(name) for name in (*FIGURES, "principal_minor", "paths_cut")])
    told = [(F.col(name).cast("decimal(28,0)") / F.lit(NANO)).cast("decimal(18,9)").alias(name) for name in FIGURES]
    return sums.select(*cell[:-1], ad_group(F.col("level")).alias("ad_group"), *told, "principal_minor", "paths_cut")
