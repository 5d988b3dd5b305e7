"""Who was shown which creative and clicked: the rows that taste is learned from."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.model.learners import Features
from jobs.model.training.cohorts import as_known
from jobs.runtime.settings import TrainingConf
from jobs.runtime.shell import Shell
from segments.outcomes import ACTED_KINDS, APPLY_DAYS, SEEN_KINDS

MAX_PAIRS = 300_000
BUCKETS = 1_000_000
HELD_ONE_IN = 5  # of prospects, to say how far what is learned from the others may be trusted
KEY = ["prospect_key", "channel", "creative"]


def exposures(
    touches: DataFrame, prospects: DataFrame, features: Features, training: TrainingConf, day: date, shell: Shell
) -> pd.DataFrame:
    """A row a prospect and creative it was shown: exposures, clicks, seen_day (the first), is_held, and its features.

    Features are as known when the creative was first seen, which is long enough ago for its clicks to have come. At
    most about MAX_PAIRS, by hash of the pair. Sorted by key.
    """
    since, until = day - timedelta(days=training.window_days), day - timedelta(days=APPLY_DAYS)
    told = touches.where("prospect_key is not null and creative is not null")
    shown, clicked = F.col("kind").isin(*SEEN_KINDS), F.col("kind").isin(*ACTED_KINDS)
    pairs = (
        told.groupBy(*KEY)
        .agg(
            F.count_if(shown).alias("exposures"),
            F.count_if(clicked).alias("clicks"),
            F.min(F.when(shown, F.to_date("occurred_at"))).alias("seen_day"),
        )
        .where(F.col("seen_day").between(F.lit(since), F.lit(until)))
    )
    count = int(shell.small(pairs.agg(F.count("*").alias("n")), 1)["n"].iloc[0])
    kept = int(min(1.0, MAX_PAIRS / max(count, 1)) * BUCKETS)
    bucket = F.pmod(F.xxhash64(F.lit("pairs"), *KEY), F.lit(BUCKETS))
    held = F.pmod(F.xxhash64(F.lit("held pairs"), "prospect_key"), F.lit(HELD_ONE_IN)) == 0
    rows = as_known(pairs.where(bucket < kept).withColumn("is_held", held), prospects, features, "seen_day")
    return shell.sample(rows, 2 * MAX_PAIRS, KEY)
