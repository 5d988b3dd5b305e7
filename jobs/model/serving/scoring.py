"""Scores of a frame of prospects: by Spark alone where the models allow it, else by Python workers."""

from __future__ import annotations

from pyspark.sql import DataFrame

from jobs.model.serving.arrow import arrow_band_scores, arrow_table
from jobs.model.serving.native import is_native, native_band_scores, native_table
from jobs.model.serving.scorer import Scorer


def score_table(prospects: DataFrame, scorer: Scorer) -> DataFrame:
    """Every prospect x channel: prospect_key, channel, the measures, band, model_version."""
    return (native_table if is_native(scorer.funnel) else arrow_table)(_spread(prospects), scorer)


def band_scores(prospects: DataFrame, scorer: Scorer) -> DataFrame:
    """Every prospect with its band score: prospect_key, band_score."""
    return (native_band_scores if is_native(scorer.funnel) else arrow_band_scores)(_spread(prospects), scorer)


def _spread(prospects: DataFrame) -> DataFrame:
    """The rows over all cores: a snapshot may lie in one row group of one file, which is one task's work."""
    return prospects.repartition("prospect_key")
