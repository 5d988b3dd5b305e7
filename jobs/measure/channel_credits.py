"""What each channel, campaign and ad group is credited with, day by day, under every model of attribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.attribution.events import STAGES, TOUCH, Window
from jobs.measure.attribution.flows import Flows, summed
from jobs.measure.attribution.markov import Removal, chain_of, removal
from jobs.measure.attribution.partitions import CREDIT, FIGURES, FLOW, CountFlows, SplitCredit
from jobs.measure.attribution.shares import NANO
from jobs.measure.credit import ad_group, journeyer, level, with_journeyers
from jobs.runtime.conf import Conf
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES
from jobs.tables.measure import CHANNEL_CREDITS, REMOVAL_EFFECTS
from segments.calendar import billed_day, local_day
from segments.outcomes import ACTED_KINDS

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

MAX_CHANNELS = 500
MAX_FLOWS = 2_000_000
# A chain of more touches is solved while it has at most MOST_STATES states.
ORDERS = (1, 2, 3)


@job(reads={"touches": LINKED_TOUCHES, "outcomes": MATURED_OUTCOMES}, writes=(CHANNEL_CREDITS, REMOVAL_EFFECTS))
def channel_credits(
    touches: DataFrame, outcomes: DataFrame, *, conf: Conf, shell: Shell
) -> tuple[DataFrame, pd.DataFrame]:
    """Every application, approval and funding once under every model, at its touches or as (unattributed).

    A stage's window is (moment - `measure.click_days`, moment]; with `measure.paths_end_at_conversion` it begins after
    the person's previous one of that stage.
    Credit stands on the day of the touch, so that it meets the money that was spent for it.
    """
    acted = touches.where(F.col("kind").isin(*ACTED_KINDS))
    events = shell.cut(_touched(acted, outcomes, conf).union(_won(outcomes, conf.base.time_zone)))
    named = shell.small(acted.select("channel").distinct(), MAX_CHANNELS)["channel"]
    channels = tuple(sorted(named))
    window = Window(conf.base.measure.click_days, conf.base.measure.paths_end_at_conversion)
    sorted_ = events.repartition("person_key").sortWithinPartitions("person_key", "at", "stage", "id")
    counted = sorted_.mapInArrow(CountFlows(channels, window, ORDERS), FLOW).groupBy(
        "stage", "model_order", "state", "next"
    )
    moved = shell.small(
        counted.agg(F.sum("journeys").alias("journeys"), F.sum("worth_minor").alias("worth")), MAX_FLOWS
    )
    found = {(stage, order): _effects(moved, channels, stage, order) for stage in STAGES for order in ORDERS}
    effects = {
        stage: {order: tuple(told.of_conversions) for order in ORDERS if (told := found[stage, order]) is not None}
        for stage in STAGES
    }
    split = sorted_.mapInArrow(SplitCredit(channels, window, effects), CREDIT)
    return _credits(split), _told(found, channels)


def _touched(acted: DataFrame, outcomes: DataFrame, conf: Conf) -> DataFrame:
    """Touches as events."""
    place = (
        billed_day(F.col("occurred_at"), F.col("channel"), conf.account_zones, conf.base.time_zone).alias("cost_day"),
        "channel",
        "campaign",
        level(F.col("ad_group")).alias("level"),
    )
    nothing = [F.lit(None).cast("boolean").alias(name) for name in ("good", "late", "fraud")]
    return with_journeyers(acted, outcomes).select(
        F.col("journeyer").alias("person_key"),
        F.unix_micros("occurred_at").alias("at"),
        F.lit(TOUCH).alias("stage"),
        F.col("touch_id").alias("id"),
        *place,
        *nothing,
        F.lit(None).cast("bigint").alias("principal_minor"),
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
    return rows.select(
        F.coalesce(journeyer(), F.concat(F.lit("application|"), F.col("application_id"))).alias("person_key"),
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
    )


def _effects(moved: pd.DataFrame, channels: tuple[str, ...], stage: str, order: int) -> Removal | None:
    """The removal effects of a stage's chain; none where nobody touched anything before one."""
    mine = moved[(moved["stage"] == stage) & (moved["model_order"] == order)]
    if not len(mine) or not (mine["next"] == -1).any():
        return None
    parts = [mine[name].to_numpy(dtype="float64") for name in ("journeys", "worth")]
    ends = [mine[name].to_numpy(dtype="int64") for name in ("state", "next")]
    return removal(chain_of(channels, summed([Flows(ends[0], ends[1], parts[0], parts[1])]), order))


def _credits(split: DataFrame) -> DataFrame:
    """Whole billionths summed, as decimals; money in minor units."""
    cell = ["stage", "model", "cost_day", "channel", "campaign", "level"]
    sums = split.groupBy(*cell).agg(*[F.sum(name).alias(name) for name in (*FIGURES, "principal_minor", "paths_cut")])
    told = [(F.col(name).cast("decimal(28,0)") / F.lit(NANO)).cast("decimal(18,9)").alias(name) for name in FIGURES]
    return sums.select(*cell[:-1], ad_group(F.col("level")).alias("ad_group"), *told, "principal_minor", "paths_cut")


def _told(found: dict[tuple[str, int], Removal | None], channels: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    rows = [
        (stage, f"markov_{order}", channel, effect, worth, told.base)
        for (stage, order), told in found.items()
        if told is not None
        for channel, effect, worth in zip(channels, told.of_conversions, told.of_value, strict=True)
    ]
    return pd.DataFrame(rows, columns=[c.name for c in REMOVAL_EFFECTS.columns])
