"""The audiences a warehouse published, under the prospects' own ids: what a market plays and a referee judges."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.runtime import export


def published_audiences(warehouse: Path, day: date) -> pa.Table:
    """The audience rows of a day with `prospect_id` in place of `prospect_key`.

    Raises UsageError when nothing was published that day. Only a market may do this: its people are made up.
    """
    found = export.find(warehouse, "audiences", day)
    rows = pa.Table.from_batches(list(found.batches()), schema=found.schema)
    with tempfile.TemporaryDirectory(dir=warehouse) as folder:
        keys = Path(folder) / "keys.parquet"
        export.write_keys(warehouse, keys)
        joined = rows.join(pq.read_table(keys), keys="prospect_key", join_type="inner")
    return joined.drop_columns(["prospect_key"])
