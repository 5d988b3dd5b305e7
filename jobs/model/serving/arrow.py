"""Scores by Arrow batches: the same function on a worker, in training a band, and in a test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from jobs.model.learners import Features
from jobs.model.learners.features import Floats
from jobs.model.serving.funnel import Funnel
from jobs.model.serving.prices import Price

PROBABILITIES = ("p_apply", "p_organic", "p_approve", "p_fund", "p_good", "p_late", "p_fraud")
MEASURES = (*PROBABILITIES, "expected_cost", "expected_value")
SCORE_SCHEMA = (
    "prospect_key string, channel string, "
    + "".join(f"{name} double, " for name in MEASURES)
    + "band string, model_version string"
)
BAND_SCHEMA = "prospect_key string, band_score double"


@dataclass(frozen=True, eq=False)
class Scorer:
    """All that is needed to score a batch of prospects; travels to the workers as one object."""

    funnel: Funnel
    features: Features
    channels: tuple[str, ...]
    prices: dict[str, Price]
    value_of_good: float
    cuts: tuple[tuple[str, float], ...]  # band and lower cut, best first

    def people(self, frame: pd.DataFrame) -> dict[str, Floats]:
        """What does not depend on the channel."""
        late, fraud = self.funnel.credit("late", frame), self.funnel.credit("fraud", frame)
        return {
            "p_organic": self.funnel.organic(frame),
            "p_approve": self.funnel.credit("approve", frame),
            "p_fund": self.funnel.credit("fund", frame),
            "p_good": self.funnel.p_good(late, fraud),
            "p_late": late,
            "p_fraud": fraud,
        }

    def score(self, frame: pd.DataFrame) -> tuple[dict[str, dict[str, Floats]], Floats]:
        """Measures by channel, and each row's band score: incremental good customers on its best channel."""
        person = self.people(frame)
        embedded = self.funnel.people(frame)
        kept = person["p_approve"] * person["p_fund"] * person["p_good"]
        found: dict[str, dict[str, Floats]] = {}
        best = np.full(len(frame), -np.inf)
        for channel in self.channels:
            told = self.funnel.with_affinity(frame, embedded, channel)
            added = self.funnel.added(told, person["p_organic"], channel)
            apply = self.funnel.p_apply(added, person["p_organic"], channel)
            price = self.prices.get(channel, Price(0.0, 0.0))
            cost = np.full(len(frame), price.a_person)
            if price.a_unit:
                cost += price.a_unit * self.funnel.units(told, channel) * self.funnel.price(told, channel)
            good = (apply - person["p_organic"]) * kept
            measures = {**person, "p_apply": apply, "expected_cost": cost}
            measures["expected_value"] = self.value_of_good * good - cost
            found[channel] = measures
            best = np.maximum(best, good)
        return found, best

    def bands(self, score: Floats) -> NDArray[np.object_]:
        """The first band whose lower cut the score reaches; the last one below all cuts."""
        names = [name for name, _ in self.cuts]
        if len(names) == 1:
            return np.full(len(score), names[0], dtype=object)
        lower = np.array([cut for _, cut in self.cuts[:-1]])
        place = (np.round(score, 9)[:, None] < lower[None, :]).sum(axis=1)
        return np.asarray(np.array(names, dtype=object)[place])


def score_table(prospects: DataFrame, scorer: Scorer) -> DataFrame:
    """Every prospect x channel with SCORE_SCHEMA; what a row gets does not depend on how rows are batched."""
    return _mapped(prospects, scorer, _score_batch, SCORE_SCHEMA)


def band_scores(prospects: DataFrame, scorer: Scorer) -> DataFrame:
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


def _score_batch(scorer: Scorer, batch: pa.RecordBatch) -> pa.RecordBatch:
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
