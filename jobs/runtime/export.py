"""Reading published tables without Spark: for people, for files, for dashboards."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from jobs.runtime.errors import DataRefused, PolicyRefused, UsageError
from jobs.runtime.keys import load_keys
from jobs.runtime.store import Pointer, Store

VAULT_PREFIXES = ("vault_", "quarantine_")
BATCH = 65_536


@dataclass(frozen=True)
class Found:
    """A published table's day, resolved to one version."""

    pointer: Pointer
    folder: Path
    schema: pa.Schema

    @property
    def day(self) -> date:
        """The day of the partition."""
        return date.fromisoformat(self.pointer.day)

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        return self.pointer.rows

    @property
    def columns(self) -> list[str]:
        """Column names, `day` first."""
        return list(self.schema.names)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Every row, some thousand at a time, `day` first."""
        files = [str(f) for f in sorted(self.folder.glob("*.parquet"))]
        if not files:
            return
        for batch in ds.dataset(files, format="parquet").to_batches(batch_size=BATCH):
            days = pa.array([self.day] * batch.num_rows, pa.date32())
            yield pa.RecordBatch.from_arrays([days, *[batch.column(n) for n in self.columns[1:]]], schema=self.schema)


def find(warehouse: Path, table: str, day: date | None = None) -> Found:
    """A published table's day, the newest when none is given.

    Raises UsageError when nothing is published there, PolicyRefused for vault tables.
    """
    if table.startswith(VAULT_PREFIXES):
        raise PolicyRefused(
            f"{table} lies in the vault and is not shown; `huoke keys` maps keys for whoever may know them"
        )
    store = Store(warehouse)
    days = store.days(table)
    chosen = day or (days[-1] if days else None)
    pointer = store.pointer(table, chosen) if chosen else None
    if pointer is None:
        newest = f"its newest day is {days[-1]}" if days else "nothing is published under that name"
        raise UsageError(f"table {table} has no day {day or ''}: {newest}; `huoke status` lists what there is")
    return Found(pointer, store.path(pointer), _schema(pointer))


def _schema(pointer: Pointer) -> pa.Schema:
    from jobs.runtime.types import arrow_type

    pairs = [_split(part) for part in _columns(pointer.schema)]
    return pa.schema([("day", pa.date32()), *[(name, arrow_type(kind)) for name, kind in pairs]])


def _columns(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "(<") - (letter in ")>")
        if letter == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def _split(part: str) -> tuple[str, str]:
    name, _, kind = part.partition(":")
    return name, kind


def head(found: Found, limit: int | None) -> list[dict[str, Any]]:
    """The first rows as dicts; all of them when `limit` is None."""
    rows: list[dict[str, Any]] = []
    for batch in found.batches():
        rows += batch.to_pylist() if limit is None else batch.slice(0, limit - len(rows)).to_pylist()
        if limit is not None and len(rows) >= limit:
            break
    return rows


def write(found: Found, out: Path) -> int:
    """Write all rows to a file whose ending says how (.csv, .parquet, .jsonl); returns how many. Never half a file."""
    return _write(found.schema, found.batches(), out)


def _write(schema: pa.Schema, batches: Iterator[pa.RecordBatch], out: Path, mode: int = 0o644) -> int:
    kinds = {".csv": _csv, ".parquet": _parquet, ".jsonl": _jsonl}
    if out.suffix not in kinds:
        raise UsageError(f"{out.name} does not end in {', '.join(kinds)}; choose one of them")
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode))
    try:
        rows = kinds[out.suffix](schema, batches, beside)
        os.replace(beside, out)
    finally:
        beside.unlink(missing_ok=True)
    return rows


def _csv(schema: pa.Schema, batches: Iterator[pa.RecordBatch], path: Path) -> int:
    plain = pa.schema(
        [(f.name, pa.string() if pa.types.is_nested(f.type) or pa.types.is_binary(f.type) else f.type) for f in schema]
    )
    rows = 0
    with pacsv.CSVWriter(str(path), plain) as writer:
        for batch in batches:
            columns = [
                _text(batch.column(f.name)) if f.type != schema.field(f.name).type else batch.column(f.name)
                for f in plain
            ]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=plain))
            rows += batch.num_rows
    return rows


def _text(column: pa.Array) -> pa.Array:
    return pa.array(
        [None if v is None else v.hex() if isinstance(v, bytes) else json.dumps(v) for v in column.to_pylist()]
    )


def _parquet(schema: pa.Schema, batches: Iterator[pa.RecordBatch], path: Path) -> int:
    rows = 0
    with pq.ParquetWriter(str(path), schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _jsonl(schema: pa.Schema, batches: Iterator[pa.RecordBatch], path: Path) -> int:
    rows = 0
    with path.open("w", encoding="utf-8") as handle:
        for batch in batches:
            handle.writelines(json.dumps(row, default=str, ensure_ascii=False) + "\n" for row in batch.to_pylist())
            rows += batch.num_rows
    return rows


def write_keys(warehouse: Path, out: Path) -> int:
    """Write prospect_key and prospect_id of every prospect ever ingested; returns how many."""
    store, keys = Store(warehouse), load_keys(warehouse)
    days = store.days("vault_prospects")
    if not days:
        raise DataRefused(f"{warehouse} holds no prospects; run `huoke run --day D` first")
    schema = pa.schema([("prospect_key", pa.string()), ("prospect_id", pa.string())])

    def batches() -> Iterator[pa.RecordBatch]:
        seen: set[str] = set()
        for day in reversed(days):
            pointer = store.pointer("vault_prospects", day)
            files = sorted(store.path(pointer).glob("*.parquet")) if pointer else []
            for file in files:
                for batch in pq.ParquetFile(file).iter_batches(BATCH, columns=["record_key", "sealed"]):
                    pairs = [
                        (key, json.loads(keys.unseal(sealed))["prospect_id"])
                        for key, sealed in zip(
                            batch["record_key"].to_pylist(), batch["sealed"].to_pylist(), strict=True
                        )
                        if key not in seen
                    ]
                    seen.update(key for key, _ in pairs)
                    yield pa.RecordBatch.from_arrays(
                        [pa.array(c, pa.string()) for c in zip(*pairs, strict=True)]
                        if pairs
                        else [pa.array([], pa.string())] * 2,
                        schema=schema,
                    )

    return _write(schema, batches(), out, 0o600)
