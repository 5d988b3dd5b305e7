"""What followed each assignment, reached or not: the training cohort."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.link.identifiers import person_key
from jobs.runtime.conf import Conf
from jobs.tables.ingest import ASSIGNMENTS, PROSPECTS
from jobs.tables.link import ASSIGNMENT_OUTCOMES, LINKED_TOUCHES, MATURED_OUTCOMES, PEOPLE
from segments.outcomes import ACTED_KINDS, APPLY_DAYS, SEEN_KINDS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

KEY = list(ASSIGNMENT_OUTCOMES.key)
FOLLOWED = ("is_approved", "is_funded", "is_late", "is_good", "is_fraud", "is_mature")


@job(
    reads={
        "assignments": ASSIGNMENTS.in_force(),
        "prospects": PROSPECTS.upto(),
        "people": PEOPLE,
        "touches": LINKED_TOUCHES,
        "applied": MATURED_OUTCOMES,
    },
    writes=ASSIGNMENT_OUTCOMES,
)
def assignment_outcomes(
    assignments: DataFrame,
    prospects: DataFrame,
    people: DataFrame,
    touches: DataFrame,
    applied: DataFrame,
    *,
    day: date,
    conf: Conf,
) -> DataFrame:
    """Each assignment once, with its person's touches on that channel and first application in the 14 days after.

    Days are days of the deployment's time zone. Until the 14 days are over no outcome is told, a seen one neither:
    an open window that told its applications only would look like a cohort in which everybody applies.
    """
    windows = _windows(assignments, people, conf.base.time_zone)
    reached = _touched(windows, touches)
    followed = _first_applications(windows, applied)
    is_over = F.date_add("assigned_day", APPLY_DAYS) <= F.lit(day)
    joined = (
        windows.join(reached, KEY, "left")
        .join(followed, KEY, "left")
        .join(_snapshots(windows, prospects), "assigned_day", "left")
    )
    return joined.select(
        *KEY,
        "person_key",
        "role",
        "propensity",
        "snapshot_day",
        F.coalesce("impressions", F.lit(0)).alias("impressions"),
        F.coalesce("clicks", F.lit(0)).alias("clicks"),
        F.when(is_over, F.col("_first").isNotNull()).alias("is_applied"),
        *[F.when(is_over, F.col(f"_first.{name}")).alias(name) for name in ("application_id", *FOLLOWED)],
    )


def _windows(assignments: DataFrame, people: DataFrame, zone: str) -> DataFrame:
    """Assignments with their person and the window (_from, _to) in which what follows counts.

    A prospect that was never in a snapshot is a person alone.
    """
    known = people.select("prospect_key", F.col("person_key").alias("_person"))
    return assignments.join(known, "prospect_key", "left").select(
        *KEY,
        F.coalesce("_person", person_key(F.col("prospect_key"))).alias("person_key"),
        "role",
        "propensity",
        _midnight(F.col("assigned_day"), zone).alias("_from"),
        _midnight(F.date_add("assigned_day", APPLY_DAYS), zone).alias("_to"),
    )


def _midnight(day: Column, zone: str) -> Column:
    return F.to_utc_timestamp(day.cast("timestamp"), zone)


def _touched(windows: DataFrame, touches: DataFrame) -> DataFrame:
    """Per assignment: what the person saw and did on its channel within the window."""
    counted = touches.where(F.col("person_key").isNotNull() & F.col("kind").isin(*SEEN_KINDS, *ACTED_KINDS))
    met = windows.join(counted.select("person_key", "channel", "kind", "occurred_at"), ["person_key", "channel"])
    inside = met.where((F.col("occurred_at") >= F.col("_from")) & (F.col("occurred_at") < F.col("_to")))
    return inside.groupBy(*KEY).agg(
        F.count_if(F.col("kind").isin(*SEEN_KINDS)).alias("impressions"),
        F.count_if(F.col("kind").isin(*ACTED_KINDS)).alias("clicks"),
    )


def _first_applications(windows: DataFrame, applied: DataFrame) -> DataFrame:
    """Per assignment: the person's first application within the window, with what became of it."""
    known = applied.where("person_key is not null").select(
        "person_key", "applied_at", F.struct("applied_at", "application_id", *FOLLOWED).alias("_application")
    )
    met = windows.join(known, "person_key")
    inside = met.where((F.col("applied_at") >= F.col("_from")) & (F.col("applied_at") < F.col("_to")))
    return inside.groupBy(*KEY).agg(F.min("_application").alias("_first"))


def _snapshots(windows: DataFrame, prospects: DataFrame) -> DataFrame:
    """(assigned_day, snapshot_day): the newest prospect snapshot known on each assigned day, null when none was."""
    wanted = windows.select("assigned_day").distinct().select("assigned_day", F.lit(None).cast("date").alias("_day"))
    known = prospects.select("day").distinct().select(F.col("day").alias("assigned_day"), F.col("day").alias("_day"))
    # A snapshot sorts before the assignments of its own day, so it counts for them. Days are few: one task is enough.
    so_far = Window.orderBy("assigned_day", F.col("_day").asc_nulls_last()).rowsBetween(Window.unboundedPreceding, 0)
    dated = known.union(wanted).withColumn("snapshot_day", F.last("_day", ignorenulls=True).over(so_far))
    return dated.where("_day is null").select("assigned_day", "snapshot_day")
