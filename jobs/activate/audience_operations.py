"""What to add to and remove from each channel's audience, against what it held after the last delivery.

Read from the published `sent_members`, not from the memberships database: so the job stays a pure function of pinned
tables, a backfill of a day gives the same bytes, and operations can be looked at before anything is sent. The sender
starts from the database, which also knows what a killed run may have left behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.runtime.conf import Conf
from jobs.tables.activate import AUDIENCE_OPERATIONS, AUDIENCES, ELIGIBILITY, PLAN_GATE, SENT_MEMBERS
from segments.release import is_released

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MEMBER = ["channel", "audience", "prospect_key"]


@job(
    reads={"audiences": AUDIENCES, "eligibility": ELIGIBILITY, "gate": PLAN_GATE, "held": SENT_MEMBERS.before()},
    writes=AUDIENCE_OPERATIONS,
)
def audience_operations(
    audiences: DataFrame, eligibility: DataFrame, gate: DataFrame, held: DataFrame, *, conf: Conf
) -> DataFrame:
    """Adds and removals only, never clear-then-fill; whoever's gates are shut is removed, planned or not.

    Of a plan that the off-policy gate holds back only the released share of people is wanted.
    """
    share = gate.where("outcome = 'value'").select("released_share")
    is_first = is_released(F.col("person_key"), conf.policy.holdout_salt, F.col("released_share"))
    gates = (
        eligibility.crossJoin(share)
        .withColumn("is_open", F.col("is_eligible") & is_first)
        .withColumn("gate", F.when(F.col("is_eligible") & ~is_first, "not_released").otherwise(F.col("reason")))
        .select("channel", "prospect_key", "is_eligible", "is_open", "gate")
    )
    planned = audiences.where("channel <> 'none'").select(*MEMBER)
    wanted = planned.join(gates.where("is_open").select("channel", "prospect_key"), ["channel", "prospect_key"])
    present = held.select(*MEMBER)
    adds = wanted.join(present, MEMBER, "left_anti").select(
        *MEMBER, F.lit("add").alias("operation"), F.lit("planned").alias("reason")
    )
    moved = wanted.select("prospect_key", F.lit(True).alias("is_moved")).distinct()
    left = present.join(wanted, MEMBER, "left_anti").join(gates, ["channel", "prospect_key"], "left")
    why = (
        F.when(F.col("gate").isNotNull(), F.col("gate"))
        .when(F.col("is_eligible").isNull(), F.lit("not_a_prospect"))
        .when(F.col("is_moved"), F.lit("moved"))
        .otherwise(F.lit("left_plan"))
    )
    removes = left.join(moved, "prospect_key", "left").select(
        *MEMBER, F.lit("remove").alias("operation"), why.alias("reason")
    )
    return removes.unionByName(adds)
