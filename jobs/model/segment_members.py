"""Which prospects are in which segment: by the rules of conf/segments, and by the nearest cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.model.person_features import person_features
from jobs.model.training.cohorts import plain
from jobs.model.usual_units import usual_units
from jobs.runtime.conf import Conf
from jobs.runtime.errors import UsageError
from jobs.runtime.shell import Shell
from jobs.tables.ingest import PROSPECTS
from jobs.tables.model import CLUSTER_MODEL, FEATURE_UNITS, SEGMENT_MEMBERS
from segments.clusters import Coordinates, nearest
from segments.rules import members


@job(
    reads={"prospects": PROSPECTS.latest(), "clusters": CLUSTER_MODEL.latest(), "units": FEATURE_UNITS},
    writes=SEGMENT_MEMBERS,
)
def segment_members(
    prospects: DataFrame, clusters: DataFrame, units: DataFrame, *, day: date, conf: Conf, shell: Shell
) -> DataFrame:
    """One row a segment and member; a prospect may follow many rules, and is in one cluster once there are any."""
    prospects = usual_units(prospects, units, shell)
    columns = ("region", "registered_at", *conf.base.features)
    found = _clustered(prospects, clusters, conf, shell)
    for name, segment in sorted(conf.segments.items()):
        if name.startswith("cluster_"):
            raise UsageError(f"segments/{name}.yaml: names that start with cluster_ are the clusters'; rename it")
        rule = members(prospects, name, segment.predicate, columns, conf.policy.forbidden_attributes, day)
        found = found.unionByName(
            rule.select(F.lit(name).alias("segment"), "prospect_key", F.lit("rule").alias("kind"))
        )
    return found


def _clustered(prospects: DataFrame, clusters: DataFrame, conf: Conf, shell: Shell) -> DataFrame:
    rows = shell.small(clusters.select("cluster", "centre", "encoder"), 100, ["cluster"])
    schema = "segment string, prospect_key string, kind string"
    if rows.empty:
        return prospects.sparkSession.createDataFrame([], schema)
    coordinates = Coordinates.from_json(str(rows["encoder"].iloc[0]))
    centres = np.array(rows["centre"].tolist(), dtype=np.float64)
    names = rows["cluster"].to_numpy(dtype=object)

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            place = nearest(coordinates.points(batch.to_pandas()), centres)
            kind = pa.array(["cluster"] * batch.num_rows, pa.string())
            columns = [pa.array(names[place], pa.string()), batch.column("prospect_key"), kind]
            yield pa.RecordBatch.from_arrays(columns, names=["segment", "prospect_key", "kind"])

    wanted = prospects.select("prospect_key", *[plain(prospects, name) for name in person_features(conf).names])
    return wanted.mapInArrow(run, schema)
