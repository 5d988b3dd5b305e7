"""A job's small results (pandas), written and looked at in this process: a query of Spark's would cost more."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.contract import Column, Table
from jobs.runtime.errors import Fault
from jobs.runtime.types import FLOATS, MOST_STEPS, arrow_type

FILE = "part-00000.parquet"


def as_arrow(rows: pd.DataFrame, table: Table, job: str) -> pa.Table:
    """A pandas frame as a resolved table's declared columns (after `day`, where the frame has it) of their types.

    A NaN becomes null, as pandas has no other null of numbers. Raises Fault when a declared column is missing.
    """
    days = ["day"] if "day" in rows.columns else []
    if missing := {column.name for column in table.columns} - set(rows.columns):
        raise Fault(f"job {job}, table {table.name}: columns missing {sorted(missing)}; return every declared one")
    described = pa.schema([(d, pa.date32()) for d in days] + [(c.name, arrow_type(c.type)) for c in table.columns])
    return pa.Table.from_pandas(rows[described.names], schema=described, preserve_index=False)


def stage(
    rows: pd.DataFrame, table: Table, folder: Path, days: Sequence[date] | None, job: str
) -> dict[str | None, dict[str, Any]]:
    """Write a resolved table's rows, a file for each of the days or, without days, one; figures as `frames.profile`."""
    held = as_arrow(rows, table, job)
    if days is None:
        return {None: _written(held, table, folder)}
    own = {day: held.filter(pc.equal(held["day"], pa.scalar(day))) for day in days}
    return {d.isoformat(): _written(found, table, folder / f"day={d}") for d, found in own.items() if found.num_rows}


def _written(rows: pa.Table, table: Table, folder: Path) -> dict[str, Any]:
    folder.mkdir(parents=True)
    pq.write_table(_at_scale(rows.select([column.name for column in table.columns]), table.columns), folder / FILE)
    return _profile(pq.read_table(folder / FILE), table)


def _at_scale(rows: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """The same rows, doubles rounded as `frames.conform` rounds Spark's."""
    for place, column in enumerate(columns):
        if column.type in FLOATS:
            values = rows.column(place).to_numpy()
            power = 10.0**column.scale
            with np.errstate(invalid="ignore"):
                steps = values * power
                told = np.where(np.abs(steps) < MOST_STEPS, (np.rint(steps) + 0.0) / power, values)
            made = pa.array(told, arrow_type(column.type), mask=rows.column(place).is_null().to_numpy())
            rows = rows.set_column(place, rows.schema.field(place), made)
    return rows


def _profile(rows: pa.Table, table: Table) -> dict[str, Any]:
    """Rows, distinct keys, two lanes of the rows' hashes, and what breaks the declaration."""
    records = rows.to_pylist()
    digests = [hashlib.sha256(_told(record).encode()).digest() for record in records]
    lanes = {
        f"lane{lane}": sum(int.from_bytes(digest[8 * lane : 8 * lane + 8]) for digest in digests) if digests else None
        for lane in (0, 1)
    }
    nulls = {f"null:{c.name}": rows[c.name].null_count for c in table.columns if not c.nullable}
    keys = len({tuple(record[name] for name in table.key) for record in records})
    return {"rows": len(records), "keys": keys, **lanes, **nulls}


def _told(record: Mapping[str, Any]) -> str:
    """A row as text: numbers and words as JSON writes them, the rest by its own exact form."""
    return json.dumps(record, sort_keys=True, default=lambda it: it.hex() if isinstance(it, bytes) else str(it))
