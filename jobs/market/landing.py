"""Writing the landing folder: rows sorted by the day they land, one file a table, day and writer, each renamed in."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from jobs.market.calendar import as_date
from jobs.market.dice import Ints


class LandingWriter:
    """Writes tables under LANDING/<table>/day=YYYY-MM-DD/<part>.<format>; a file that is there is left alone."""

    def __init__(self, root: Path, file_format: str, until: int, after: int = 0) -> None:
        self.root = root
        self.file_format = file_format
        self.after = after
        self.until = until
        self.written = 0
        self.rows: dict[str, int] = {}

    def write(self, table: str, part: str, rows: pa.Table, landed: Ints, *, is_new: bool = True) -> None:
        """Write the rows that land up to `until`; rows seen before (`is_new` false) only if they land past `after`."""
        keep = landed <= self.until
        if not is_new:
            keep &= landed > self.after
        order = np.flatnonzero(keep)
        order = order[np.argsort(landed[order], kind="stable")]
        if not len(order):
            return
        rows = rows.take(pa.array(order))
        day = landed[order]
        edges = np.flatnonzero(np.diff(day, prepend=day[0] - 1, append=day[-1] + 1))
        for start, stop in pairwise(edges):
            self._write_file(table, int(day[start]), part, rows.slice(start, stop - start))
        self.rows[table] = self.rows.get(table, 0) + len(order)

    def _write_file(self, table: str, day: int, part: str, rows: pa.Table) -> None:
        path = self.root / table / f"day={as_date(day).isoformat()}" / f"{part}.{self.file_format}"
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        staging = self.root / ".staging"
        staging.mkdir(exist_ok=True)
        temporary = staging / f"{table}-{day}-{part}"
        if self.file_format == "parquet":
            pq.write_table(rows, temporary, compression="zstd", compression_level=1)
        else:
            compression = "gzip" if self.file_format == "csv.gz" else None
            with pa.output_stream(temporary, compression=compression) as stream:
                pacsv.write_csv(_as_text(rows), stream)
        os.replace(temporary, path)
        self.written += 1

    def close(self) -> None:
        """Remove the staging folder."""
        staging = self.root / ".staging"
        if staging.exists():
            for left in staging.iterdir():
                left.unlink()
            staging.rmdir()


def _as_text(rows: pa.Table) -> pa.Table:
    """Every column as CSV text: ISO 8601 moments with an offset, plain decimals, true and false."""
    columns = []
    for column in rows.columns:
        if pa.types.is_timestamp(column.type):
            column = pc.strftime(column, format="%Y-%m-%dT%H:%M:%S+00:00")
        columns.append(column.cast(pa.string()))
    return pa.table(columns, names=rows.column_names)
