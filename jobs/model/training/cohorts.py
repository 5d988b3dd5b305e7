"""The rows models are trained on, each with the prospect as known at the time, bounded by a hash sample."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.model.applied_before import with_applied_before
from jobs.model.learners import Features
from jobs.model.person_features import APPLIED_BEFORE
from jobs.runtime.settings import TrainingConf
from jobs.runtime.shell import Shell
from segments.outcomes import FUND_DAYS

BUCKETS = 1_000_000
DAYS_DRAWN = 400
ASSIGNED = ["assigned_day", "channel", "role", "clicks", "impressions", "is_applied", APPLIED_BEFORE]
DECIDED = [
    "applied_day",
    "partner",
    "product",
    "is_approved",
    "is_funded",
    "is_draw_over",
    "is_late",
    "late_month",
    "is_fraud",
    "months_observed",
    "funded_day",
    APPLIED_BEFORE,
]


def assigned_rows(
    assignments: DataFrame,
    outcomes: DataFrame,
    prospects: DataFrame,
    features: Features,
    training: TrainingConf,
    day: date,
    shell: Shell,
) -> pd.DataFrame:
    """Assignments whose 14 days are over, with what was known on the assigned day (snapshot, applications before it)
    and a `weight`.

    At most about `training.max_rows`, at least half of that room for rows with a click or an application if there are
    so many: each kind is sampled by hash of its key and weighted up. Sorted by assigned_day, prospect_key, channel.
    """
    since = day - timedelta(days=training.window_days)
    known = assignments.where(F.col("assigned_day") > F.lit(since)).where("is_applied is not null")
    is_event = (F.col("clicks") > 0) | F.col("is_applied")
    events, others = _counts(known.select(is_event.alias("is_event")), shell)
    share_events = min(1.0, max(training.max_rows - others, training.max_rows // 2) / max(events, 1))
    share_others = min(1.0, max(training.max_rows - events, training.max_rows // 2) / max(others, 1))
    key = ("prospect_key", "assigned_day", "channel")
    chosen = known.where(F.when(is_event, sampled(share_events, *key)).otherwise(sampled(share_others, *key)))
    snapshots = prospects.select(
        F.col("day").alias("snapshot_day"), "prospect_key", *[plain(prospects, n) for n in features.names]
    )
    weight = F.when(is_event, F.lit(1.0 / share_events)).otherwise(F.lit(1.0 / share_others)).alias("weight")
    wanted: list[Column | str] = ["prospect_key", *ASSIGNED, weight, *features.names]
    chosen = with_applied_before(chosen.drop("day"), outcomes, F.col("assigned_day"))
    rows = chosen.join(snapshots, ["prospect_key", "snapshot_day"], "left").select(*wanted)
    found = shell.sample(rows, 3 * training.max_rows, ["assigned_day", "prospect_key", "channel"])
    return typed(found, features)


def decided_rows(
    outcomes: DataFrame, prospects: DataFrame, features: Features, training: TrainingConf, day: date, shell: Shell
) -> pd.DataFrame:
    """Linked applications of the lender's whole book, organic ones too, with the prospect as known at the time.

    The newest snapshot known on the day of application; where none was known yet (a book older than the snapshots)
    the first one after, and `is_known` is false. `is_draw_over`: the 30 days in which an approved loan may be drawn
    have passed; before that the drawn are known and the others are not. Sorted by applied_day, application_id.
    """
    linked = outcomes.where("prospect_key is not null").drop("day")
    total = _counts(linked.select(F.lit(True).alias("is_event")), shell)[0]
    chosen = linked.where(sampled(min(1.0, training.max_rows / max(total, 1)), "application_id"))
    chosen = with_applied_before(chosen, outcomes, F.to_date("applied_at"))
    applied = chosen.select(
        "application_id",
        "prospect_key",
        F.to_date("applied_at").alias("applied_day"),
        F.to_date("funded_at").alias("funded_day"),
        (F.date_add(F.to_date(F.coalesce("decided_at", "funded_at", "applied_at")), FUND_DAYS) < F.lit(day)).alias(
            "is_draw_over"
        ),
        *[name for name in DECIDED if not name.endswith("_day") and name != "is_draw_over"],
    ).select("application_id", "prospect_key", *DECIDED)
    rows = _nearest(applied, prospects, features, "applied_day")
    return typed(shell.sample(rows, 2 * training.max_rows, ["applied_day", "application_id"]), features)


def asked_rows(
    outcomes: DataFrame,
    assignments: DataFrame,
    prospects: DataFrame,
    features: Features,
    training: TrainingConf,
    shell: Shell,
) -> pd.DataFrame:
    """Prospects of the newest snapshot, each with whether it ever applied of its own accord (`is_asked`).

    Applications within 14 days of being put on a channel's list do not count: what lists bring is learned elsewhere,
    and must not be told in advance. Who asked is seen as known on the day of first asking (`known_day`), who did not
    as known on a day drawn by hash from those days: else the features would tell the day, and the day who asked.
    Where nothing was known yet, the first snapshot after counts, and `is_known` is false. At most about
    `training.max_rows`, by hash of the key. Sorted by prospect_key.
    """
    brought = assignments.where("channel <> 'none' and application_id is not null").select("application_id")
    unasked = outcomes.where("prospect_key is not null").join(brought, "application_id", "left_anti")
    first = unasked.groupBy("prospect_key").agg(F.to_date(F.min("applied_at")).alias("asked_day"))
    newest = prospects.join(prospects.agg(F.max("day").alias("day")), "day").select("prospect_key")
    total = _counts(newest.select(F.lit(True).alias("is_event")), shell)[0]
    chosen = newest.where(sampled(min(1.0, training.max_rows / max(total, 1)), "prospect_key"))
    told = chosen.join(first, "prospect_key", "left").select(
        "prospect_key",
        F.col("asked_day").isNotNull().alias("is_asked"),
        F.coalesce("asked_day", _drawn(_days_of(first, "asked_day", shell), "prospect_key")).alias("known_day"),
    )
    rows = _nearest(told, prospects, features, "known_day")
    return typed(shell.sample(rows, 2 * training.max_rows, ["prospect_key"]), features)


def outside_rings(outcomes: DataFrame, shared: DataFrame, most: int) -> DataFrame:
    """Outcomes of people who share no device, account or picture with more than `most`: what rings do says nothing of
    those who can be sent.
    """
    rings = shared.where(F.col("persons") > most).select("person_key")
    return outcomes.join(rings, "person_key", "left_anti").select(*outcomes.columns)


def _nearest(rows: DataFrame, prospects: DataFrame, features: Features, day: str) -> DataFrame:
    """The rows with their prospect's features in the newest snapshot up to a day column, else in the first one after.

    `is_known` tells the former; where there is no snapshot it is null, and so is every feature.
    """
    values = F.struct(*[plain(prospects, n) for n in features.names]).alias("values")
    both = rows.join(prospects.select("prospect_key", F.col("day").alias("_day"), values), "prospect_key", "left")
    ahead = F.datediff("_day", day)
    distance = F.when(ahead <= 0, -ahead).otherwise(ahead + 100_000)
    picked = both.groupBy(*rows.columns).agg(
        F.min_by("values", distance).alias("values"), (F.min(distance) < 100_000).alias("is_known")
    )
    return picked.select(*rows.columns, "is_known", *[F.col(f"values.`{n}`") for n in features.names])


def _days_of(rows: DataFrame, day: str, shell: Shell) -> list[date]:
    """DAYS_DRAWN days spread over those of the rows as the rows are; none of no rows."""
    counted = rows.groupBy(day).agg(F.count("*").alias("rows")).where(F.col(day).isNotNull())
    found = shell.small(counted, 20_000, [day])
    upto = found["rows"].cumsum().to_numpy()
    if not len(upto):
        return []
    place = np.searchsorted(upto, (np.arange(DAYS_DRAWN) + 0.5) / DAYS_DRAWN * upto[-1])
    return list(found[day].to_numpy()[place])


def _drawn(days: list[date], *key: str) -> Column:
    """One of the days, by hash of a key; null where there are none."""
    if not days:
        return F.lit(None).cast("date")
    place = F.pmod(F.xxhash64(F.lit("drawn"), *key), F.lit(len(days))).cast("int")
    return F.array(*[F.lit(one) for one in days])[place]


def plain(prospects: DataFrame, name: str) -> Column:
    """A feature as the learners take it: text, or a double."""
    kind = prospects.schema[name].dataType.simpleString()
    column = F.col(f"`{name}`")
    return (column if kind == "string" else column.cast("double")).alias(name)


def _counts(rows: DataFrame, shell: Shell) -> tuple[int, int]:
    agg = rows.agg(F.count_if("is_event").alias("events"), F.count_if(~F.col("is_event")).alias("others"))
    found = shell.small(agg, 1).iloc[0]
    return int(found["events"]), int(found["others"])


def sampled(share: float, *key: str) -> Column:
    """Whether a row is among a share of all, by hash of its key."""
    if share >= 1:
        return F.lit(True)
    return F.pmod(F.xxhash64(F.lit("cohort"), *key), F.lit(BUCKETS)) < int(share * BUCKETS)


def as_known(rows: DataFrame, prospects: DataFrame, features: Features, day: str) -> DataFrame:
    """The rows with their prospect's features in the newest snapshot up to a day column; null where there was none."""
    snapshots = prospects.select(
        F.col("day").alias("_known"), "prospect_key", *[plain(prospects, n) for n in features.names]
    )
    days = snapshots.select("_known").distinct()
    dated = rows.select(day).distinct().join(F.broadcast(days), F.col("_known") <= F.col(day), "left")
    newest = dated.groupBy(day).agg(F.max("_known").alias("_known"))
    found = rows.join(F.broadcast(newest), day, "left").join(snapshots, ["prospect_key", "_known"], "left")
    return found.drop("_known")


def typed(rows: pd.DataFrame, features: Features) -> pd.DataFrame:
    """Categories as pandas categories: one text a level instead of one a row."""
    return rows.assign(
        **{name: rows[name].astype("category") for name in ("channel", *features.categorical) if name in rows}
    )
