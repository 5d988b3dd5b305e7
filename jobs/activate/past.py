"""Past assignments beside what the scores expect of them and what a plan's rule would choose: rows to judge it on."""

from __future__ import annotations

from datetime import date
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.runtime.conf import Conf
from segments.outcomes import APPLY_DAYS, FUND_DAYS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

NAMES = ("applied", "funded", "value")


def prepared(
    assignments: DataFrame, scores: DataFrame, chances: DataFrame, channels: tuple[str, ...], conf: Conf, day: date
) -> DataFrame:
    """A row an assignment and outcome, on days on which that outcome is decided for everybody.

    Listed rows: weight (null where the chance is unknown), raw_weight, y, q, q0. Held-out rows: inverse, direct, any,
    y, q0, chances. Assignments to channels the plan does not know, and of people without scores today, are left out.
    """
    people = _people(scores, channels, float(conf.base.plan.value_of_good)).join(chances, "prospect_key")
    known = assignments.where((F.col("role") == "holdout") | F.col("channel").isin(*channels))
    rows = known.join(people, "prospect_key").withColumn("is_held", F.col("role") == "holdout")
    place = F.lit(0)
    for k, name in enumerate(channels):
        place = F.when(F.col("channel") == name, F.lit(k)).otherwise(place)
    rows = rows.withColumn("place", place)
    hits = {"applied": F.col("is_applied"), "funded": _funded(), "value": _funded()}
    made = [F.struct(F.lit(name).alias("outcome"), *_measured(name, hits[name])) for name in NAMES]
    long = rows.withColumn("_m", F.explode(F.array(*made))).select("*", "_m.*").drop("_m")
    decided = _decided(long, day)
    raw = F.get("chances", F.col("place")) / F.col("propensity")
    is_known = F.coalesce(~F.col("is_held") & (F.col("propensity") > 0), F.lit(False))
    total = dot([F.get("chances", F.lit(k)) for k in range(len(channels))], [F.lit(1.0)] * len(channels))
    each = [F.get("expected", F.lit(k)) for k in range(len(channels))]
    return decided.select(
        "outcome",
        "person_key",
        "channel",
        "is_held",
        "hit",
        "y",
        "q0",
        F.get("expected", F.col("place")).alias("q"),
        F.when(is_known, raw).alias("raw_weight"),
        F.when(is_known, F.least(raw, F.lit(conf.policy.gate_limits.max_weight))).alias("weight"),
        F.when(F.col("is_held") & (F.col("propensity") > 0), 1.0 / F.col("propensity")).alias("inverse"),
        dot([F.get("chances", F.lit(k)) for k in range(len(channels))], each).alias("direct"),
        total.alias("any"),
        "chances",
    ).where("not is_held or inverse is not null")


def dot(left: list[Column], right: list[Column]) -> Column:
    """Products added up in a fixed order; what is null counts as nothing."""
    products = [F.coalesce(a * b, F.lit(0.0)) for a, b in zip(left, right, strict=True)]
    return reduce(lambda a, b: a + b, products)


def _funded() -> Column:
    return F.when(F.col("is_applied"), F.col("is_funded")).otherwise(F.col("is_applied"))


def _people(scores: DataFrame, channels: tuple[str, ...], value_of_good: float) -> DataFrame:
    """What the scores expect of each prospect, channel by channel, and without being listed."""
    credit = F.col("p_approve") * F.col("p_fund")
    funded = F.col("p_apply") * credit
    worth = F.col("p_good") * value_of_good

    def each(measure: Column) -> Column:
        return F.array(*[F.max(F.when(F.col("channel") == name, measure)) for name in channels])

    return scores.groupBy("prospect_key").agg(
        each(F.col("p_apply")).alias("e_applied"),
        each(funded).alias("e_funded"),
        each(funded * worth - F.col("expected_cost")).alias("e_value"),
        each(F.col("expected_cost")).alias("cost"),
        F.max("p_organic").alias("o_applied"),
        F.max(F.col("p_organic") * credit).alias("o_funded"),
        F.max(F.col("p_organic") * credit * worth).alias("o_value"),
        F.max(worth).alias("worth"),
    )


def _measured(name: str, hit: Column) -> list[Column]:
    """hit, y, q0 and the expectations by channel of one outcome; a listed row's value bears the cost of its channel."""
    y: Column = hit.cast("double")
    if name == "value":
        cost = F.when(F.col("is_held"), F.lit(0.0)).otherwise(F.coalesce(F.get("cost", F.col("place")), F.lit(0.0)))
        y = y * F.col("worth") - cost
    return [
        hit.cast("int").alias("hit"),
        y.alias("y"),
        F.col(f"o_{name}").alias("q0"),
        F.col(f"e_{name}").alias("expected"),
    ]


def _decided(long: DataFrame, day: date) -> DataFrame:
    """Days whose calendar is over and on which nothing is open: young days tell of their applicants only."""
    wait = F.when(F.col("outcome") == "applied", APPLY_DAYS).otherwise(APPLY_DAYS + FUND_DAYS)
    old = long.where(F.date_add("assigned_day", wait) <= F.lit(day))
    is_open = F.count_if(F.col("hit").isNull()).alias("_open")
    whole = old.groupBy("outcome", "assigned_day").agg(is_open).where("_open = 0")
    return old.join(whole.select("outcome", "assigned_day"), ["outcome", "assigned_day"])
