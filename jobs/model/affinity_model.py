"""LightFM embeddings that say which creative is for whom, from the features of prospects and of creatives."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.model.affinity.fit import COLUMNS, fit_affinity
from jobs.model.person_features import person_features
from jobs.model.training.cohorts import plain
from jobs.runtime.conf import Conf
from jobs.runtime.shell import Shell
from jobs.tables.ingest import CREATIVES, PROSPECTS
from jobs.tables.link import LINKED_TOUCHES
from jobs.tables.model import AFFINITY_MODEL

MAX_PAIRS = 300_000
BUCKETS = 1_000_000
CLICKS = ("click", "visit", "call")


@job(
    reads={"touches": LINKED_TOUCHES, "creatives": CREATIVES.in_force(), "prospects": PROSPECTS.latest()},
    writes=AFFINITY_MODEL,
    cadence="weekly",
)
def affinity_model(
    touches: DataFrame, creatives: DataFrame, prospects: DataFrame, *, day: date, conf: Conf, shell: Shell
) -> pd.DataFrame:
    """Pairs of prospect and creative: +1 with a click, -1 when shown without one.

    The touches of the newest `calibration_days` are left out, so that the click stage, which takes the score as an
    input, is judged on days the embeddings have not seen. At most MAX_PAIRS pairs, by hash of the pair.
    """
    training, features = conf.base.training, person_features(conf)
    newest = day - timedelta(days=training.calibration_days)
    oldest = day - timedelta(days=training.window_days)
    seen = touches.where("prospect_key is not null and creative is not null")
    seen = seen.where(F.to_date("occurred_at").between(F.lit(oldest), F.lit(newest)))
    pairs = seen.groupBy("prospect_key", "channel", "creative").agg(
        F.count_if(F.col("kind").isin(*CLICKS)).alias("clicks"),
        F.count_if(~F.col("kind").isin(*CLICKS)).alias("exposures"),
    )
    count = int(shell.small(pairs.agg(F.count("*").alias("n")), 1)["n"].iloc[0])
    kept = int(min(1.0, MAX_PAIRS / max(count, 1)) * BUCKETS)
    bucket = F.pmod(F.xxhash64(F.lit("pairs"), "prospect_key", "channel", "creative"), F.lit(BUCKETS))
    people = prospects.select("prospect_key", *[plain(prospects, name) for name in features.names])
    rows = pairs.where(bucket < kept).join(people, "prospect_key")
    found = shell.sample(rows, 2 * MAX_PAIRS, ["prospect_key", "channel", "creative"])
    shown = shell.small(creatives.select("creative", "channel", "placement", "format", "features"), 200_000)
    if not len(found):
        return pd.DataFrame(columns=COLUMNS)
    return fit_affinity(found, shown, features, conf.base.creative_features, training)
