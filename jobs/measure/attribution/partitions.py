"""Partitions of people as workers get them: sums of whole numbers over them are the same however people are parted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobs.measure.attribution.events import Events

if TYPE_CHECKING:
    import pyarrow as pa


def events_of(batches: Iterator[pa.RecordBatch], channels: tuple[str, ...]) -> Events | None:
    """A whole partition, which Spark sorted by person, moment, stage and id."""
    import pandas as pd
    import pyarrow as pa

    parts = [batch for batch in batches if batch.num_rows]
    if not parts:
        return None
    rows = pa.Table.from_batches(parts).to_pandas()
    rows["person"] = pd.factorize(rows["person_key"])[0]
    rows["name"] = rows["channel"]
    rows["channel"] = pd.Categorical(rows["channel"], categories=channels).codes
    return Events(rows, channels)
