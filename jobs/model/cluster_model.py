"""A k-means clustering of prospects, fitted on a bounded sample sorted by key."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.model.person_features import person_features
from jobs.model.training.cohorts import plain
from jobs.model.usual_units import usual_units
from jobs.runtime.conf import Conf
from jobs.runtime.shell import Shell
from jobs.tables.ingest import PROSPECTS
from jobs.tables.model import CLUSTER_MODEL, FEATURE_UNITS
from segments.clusters import Coordinates, nearest

MAX_ROWS = 20_000
BUCKETS = 1_000_000
MOST_LEVELS = 12
COLUMNS = ["cluster", "rows", "centre", "encoder"]


@job(reads={"prospects": PROSPECTS.latest(), "units": FEATURE_UNITS}, writes=CLUSTER_MODEL, cadence="weekly")
def cluster_model(prospects: DataFrame, units: DataFrame, *, conf: Conf, shell: Shell) -> pd.DataFrame:
    """scikit-learn's KMeans (8 starts, one thread, fixed seed); clusters numbered by size, the largest first."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    features, training = person_features(conf), conf.base.training
    count = int(shell.small(prospects.agg(F.count("*").alias("n")), 1)["n"].iloc[0])
    kept = int(min(1.0, MAX_ROWS / max(count, 1)) * BUCKETS)
    sample = usual_units(prospects, units, shell).where(
        F.pmod(F.xxhash64(F.lit("clusters"), "prospect_key"), F.lit(BUCKETS)) < kept
    )
    wanted = sample.select("prospect_key", *[plain(prospects, name) for name in features.names])
    rows = shell.small(wanted, 2 * MAX_ROWS, ["prospect_key"])
    coordinates = Coordinates.of(rows, features.numeric, features.categorical, MOST_LEVELS)
    points = coordinates.points(rows)
    if len(np.unique(points, axis=0)) < 2 * training.clusters:
        return pd.DataFrame(columns=COLUMNS)
    with threadpool_limits(1):
        fitted = KMeans(training.clusters, n_init=8, random_state=training.seed).fit(points)
    centres = np.round(fitted.cluster_centers_, 9)
    sizes = np.bincount(nearest(points, centres), minlength=training.clusters)
    order = sorted(range(training.clusters), key=lambda at: (-int(sizes[at]), tuple(centres[at])))
    encoder = coordinates.to_json()
    content = [
        (f"cluster_{n:02d}", int(sizes[at]), centres[at].tolist(), encoder) for n, at in enumerate(order, start=1)
    ]
    return pd.DataFrame(content, columns=COLUMNS)
