"""Identifiers that tie prospect rows together, and those that too many rows share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

OVER_SHARED = "over_shared"


def usable(held: DataFrame, max_shared: int) -> DataFrame:
    """Rows of `held` (node, kind, id_key, …) whose identifier has two to `max_shared` holders; `_first` of them."""
    hubs = _hubs(held).where((F.col("holders") > 1) & (F.col("holders") <= max_shared))
    return held.join(hubs.drop("holders"), ["kind", "id_key"])


def over_shared(held: DataFrame, max_shared: int) -> DataFrame:
    """(kind, id_key, reason, holders) of the identifiers that more than `max_shared` nodes hold: they tie nobody."""
    hubs = _hubs(held).where(F.col("holders") > max_shared)
    return hubs.select("kind", "id_key", F.lit(OVER_SHARED).alias("reason"), "holders")


def stars(ties: DataFrame) -> DataFrame:
    """Edges (a, b): each holder of an identifier to the first of them."""
    return ties.select(F.col("node").alias("a"), F.col("_first").alias("b"))


def _hubs(held: DataFrame) -> DataFrame:
    return held.groupBy("kind", "id_key").agg(F.count("*").alias("holders"), F.min("node").alias("_first"))
