"""Scores by Arrow batches: the same function on a worker, in training a band, and in a test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame

from jobs.model.learners import Features
from jobs.model.serving.scorer import MEASURES, Scorer

SCORE_SCHEMA = (
    "prospect_key string, channel string, "
    + "".join(f"{name} double, " for name in MEASURES)
    + "band string, model_version string"
)
BAND_SCHEMA = "prospect_key string, band_score double"


def arrow_table(prospects: DataFrame, scorer: Scorer) -> DataFrame:
    """Every prospect x channel with SCORE_SCHEMA; what a row gets does not depend on how rows are batched."""
    return _mapped(prospects, scorer, score_batch, SCORE_SCHEMA)


def arrow_band_scores(prospects: DataFrame, scorer: Scorer) -> DataFrame:
    """Every prospect with its band score, BAND_SCHEMA."""
    return _mapped(prospects, scorer, _band_batch, BAND_SCHEMA)


def _mapped(
    prospects: DataFrame, scorer: Scorer, batch: Callable[[Scorer, pa.RecordBatch], pa.RecordBatch], schema: str
) -> DataFrame:
    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for one in batches:
            yield batch(scorer, one)

    wanted: Sequence[str] = ("prospect_key", *scorer.features.names)
    return prospects.select(*[f"`{name}`" for name in wanted]).mapInArrow(run, schema)


def _frame(batch: pa.RecordBatch, features: Features) -> pd.DataFrame:
    columns: dict[str, object] = {}
    for name in features.numeric:
        columns[name] = batch.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False)
    for name in features.categorical:
        columns[name] = batch.column(name).dictionary_encode().to_pandas()
    return pd.DataFrame(columns, index=pd.RangeIndex(batch.num_rows))


def score_batch(scorer: Scorer, batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of prospects as rows of every channel."""
    rows, count = batch.num_rows, len(scorer.channels)
    found, best = scorer.score(_frame(batch, scorer.features))
    key = batch.column("prospect_key").take(pa.array(np.repeat(np.arange(rows), count)))
    columns: list[pa.Array] = [key, pa.array(list(scorer.channels) * rows, pa.string())]
    for name in MEASURES:
        block = np.column_stack([found[channel][name] for channel in scorer.channels])
        columns.append(pa.array(block.ravel()))
    columns.append(pa.array(np.repeat(scorer.bands(best), count), pa.string()))
    columns.append(pa.array([scorer.funnel.version] * (rows * count), pa.string()))
    names = ["prospect_key", "channel", *MEASURES, "band", "model_version"]
    return pa.RecordBatch.from_arrays(columns, names=names)


def _band_batch(scorer: Scorer, batch: pa.RecordBatch) -> pa.RecordBatch:
    _, best = scorer.score(_frame(batch, scorer.features))
    return pa.RecordBatch.from_arrays(
        [batch.column("prospect_key"), pa.array(best)], names=["prospect_key", "band_score"]
    )
