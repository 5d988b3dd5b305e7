"""What runs inside Spark's workers: landing files in, typed rows under pseudonyms out, refused rows sealed.

The workers write the rows down themselves: to hand millions of them to the JVM, for it to write, takes almost as long
as all the rest.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.contract import Table
from jobs.runtime.keys import Keys
from jobs.runtime.landing_blocks import Block, blocks
from jobs.runtime.landing_contract import ABOUT_SOMEBODY, HASHED_IDS, POSITIVE, PSEUDONYMS, RAW_IDS, Source
from jobs.runtime.landing_days import mark_after_day
from jobs.runtime.landing_files import LandedFile
from jobs.runtime.landing_people import identify, mapped
from jobs.runtime.landing_types import Marks, typed

CURRENCY = r"^[A-Z]{3}$"
HASH64 = r"^[0-9a-fA-F]{16}$"
RAW = (*PSEUDONYMS, *RAW_IDS, *HASHED_IDS)


@dataclass(frozen=True)
class Unit:
    """A piece of a landing file that one task reads: the file, and of Parquet these row groups."""

    file: LandedFile
    groups: tuple[int, ...]


@dataclass(frozen=True)
class RowReader:
    """The function Spark maps over numbers of units. It carries the keys, so that no query plan names a secret.

    `table`: resolved. `schema`: what it writes: day, _file, _row, _reason, _column, _raw, _vault, then the columns.
    `folder`: where, a Parquet file a unit, put in place whole, so that a task tried again changes nothing.
    """

    units: tuple[Unit, ...]
    table: Table
    sources: Mapping[str, Source]
    schema: pa.Schema
    keys: Keys
    phone_region: str | None
    time_zone: str
    is_vaulted: bool
    folder: Path

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yields for each batch of numbers how many rows its units held, as `rows`."""
        for batch in batches:
            rows = [self._write(number) for number in batch.column(0).to_pylist()]
            yield pa.RecordBatch.from_pydict({"rows": pa.array(rows, pa.int64())})

    def _write(self, number: int) -> int:
        """Write one unit down: its rows."""
        beside, rows = self.folder / f".{number:06d}.{uuid.uuid4().hex}", 0
        try:
            with pq.ParquetWriter(beside, self.schema, write_statistics=False) as out:
                for batch in self._batches(self.units[number]):
                    out.write_batch(batch)
                    rows += batch.num_rows
            os.replace(beside, self.folder / f"{number:06d}.parquet")
        finally:
            beside.unlink(missing_ok=True)
        return rows

    def _batches(self, unit: Unit) -> Iterator[pa.RecordBatch]:
        for block in blocks(unit.file, frozenset(self.sources), unit.groups):
            if block.rows:
                yield self._rows(unit.file, block)
            if block.broken:
                yield self._broken(unit.file, block)

    def _rows(self, file: LandedFile, block: Block) -> pa.RecordBatch:
        marks = Marks(block.rows)
        if block.headers is not None:
            marks.mark(block.headers, "header_row", None)
        columns = {n: typed(block.columns[n], s.type, n, marks) for n, s in self.sources.items() if n in block.columns}
        self._check(columns, marks)
        mark_after_day(columns, self.sources, file.day, self.time_zone, marks)
        made, raw_forms = self._made(columns, block.rows, marks)
        bad = marks.is_bad
        reasons = [marks.reasons[i] for i in marks.found]
        fixed: dict[str, Any] = {
            "day": pa.array([file.day] * block.rows, pa.date32()),
            "_file": pa.array([file.name] * block.rows, pa.string()),
            "_row": pa.array(np.arange(block.first_row, block.first_row + block.rows)),
            "_reason": pa.array([reason or None for reason, _ in reasons], pa.string()),
            "_column": pa.array([column for _, column in reasons], pa.string()),
            "_raw": self._sealed_raw(block, bad),
            "_vault": self._sealed_ids(raw_forms, bad),
        }
        return self._batch({**columns, **made, **fixed}, block.rows)

    def _broken(self, file: LandedFile, block: Block) -> pa.RecordBatch:
        rows = len(block.broken)
        fixed: dict[str, Any] = {
            "day": pa.array([file.day] * rows, pa.date32()),
            "_file": pa.array([file.name] * rows, pa.string()),
            "_row": pa.array(np.arange(block.first_row + block.rows, block.first_row + block.rows + rows)),
            "_reason": pa.array(["bad_row"] * rows),
            "_raw": pa.array([self.keys.seal(json.dumps({"line": line})) for line in block.broken], pa.binary()),
        }
        return self._batch(fixed, rows)

    def _batch(self, columns: Mapping[str, pa.Array], rows: int) -> pa.RecordBatch:
        arrays = [columns[f.name].cast(f.type) if f.name in columns else pa.nulls(rows, f.type) for f in self.schema]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    # ---- rules

    def _check(self, columns: dict[str, pa.Array], marks: Marks) -> None:
        for name, values in columns.items():
            source = self.sources[name]
            if source.is_feature:
                continue
            if source.in_every_row:
                marks.mark(values.is_null(), "missing_value", name)
            if source.words:
                known = pc.is_in(values, value_set=pa.array(source.words))
                marks.mark(pc.and_(pc.invert(known), values.is_valid()), "unknown_value", name)
            if source.kind in ("decimal", "bigint", "double"):
                lowest = pa.scalar(Decimal(0) if source.kind == "decimal" else 0, values.type)
                below = pc.less_equal if name in POSITIVE else pc.less
                marks.mark(below(values, lowest), "bad_value", name)
        if "propensity" in columns:
            marks.mark(pc.greater(columns["propensity"], 1.0), "bad_value", "propensity")
        if "currency" in columns:
            marks.mark(pc.invert(pc.match_substring_regex(columns["currency"], CURRENCY)), "unknown_value", "currency")
        if "background_hash" in columns:
            marks.mark(
                pc.invert(pc.match_substring_regex(columns["background_hash"], HASH64)), "bad_value", "background_hash"
            )
        self._check_currency(columns, marks)

    def _check_currency(self, columns: dict[str, pa.Array], marks: Marks) -> None:
        """An amount without its currency means nothing."""
        if "currency" not in self.sources:
            return
        for name, values in columns.items():
            if self.sources[name].kind == "decimal" and name != "rate":
                nameless = columns["currency"].is_null() if "currency" in columns else np.ones(len(values), dtype=bool)
                has = values.is_valid().to_numpy(zero_copy_only=False)
                bare = nameless if isinstance(nameless, np.ndarray) else nameless.to_numpy(zero_copy_only=False)
                marks.mark(has & bare, "missing_value", "currency")

    # ---- people

    def _made(
        self, columns: dict[str, pa.Array], rows: int, marks: Marks
    ) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
        """(columns ingest makes, raw identifiers in canonical form)."""
        made: dict[str, pa.Array] = {}
        raw_forms: dict[str, pa.Array] = {}
        if "id_phone" in self.sources:
            made, raw_forms = identify(columns, rows, self.keys, marks, self.phone_region)
        for name, (target, kind) in PSEUDONYMS.items():
            if name in columns:
                raw_forms[name] = columns[name]
                made[target] = mapped(columns[name], lambda value, kind=kind: self.keys.pseudonym(kind, value))  # type: ignore[misc]
        if self.table.name in ABOUT_SOMEBODY:
            nobody = np.ones(rows, dtype=bool)
            for values in made.values():
                nobody &= values.is_null().to_numpy(zero_copy_only=False)
            marks.mark(nobody, "missing_value", "id_*")
            target = self.table.key[0]
            what = [columns[n].cast(pa.string()) for n in ("purpose", "channel", "reason", "from_at") if n in columns]
            parts = [pc.fill_null(values, "") for values in (*made.values(), *what)]
            joined = pc.binary_join_element_wise(*parts, "\x1f")
            made[target] = mapped(joined, lambda value: self.keys.pseudonym(self.table.name, value))
        if "background_hash" in columns:
            made["background_hash"] = pc.utf8_lower(columns["background_hash"])
        if self.table.name == "creatives":
            made["features"] = self._features(columns, rows)
        return made, raw_forms

    def _features(self, columns: dict[str, pa.Array], rows: int) -> pa.Array:
        names = sorted(name for name, source in self.sources.items() if source.is_feature)
        lists = [columns[name].to_pylist() for name in names]
        told = [json.dumps({n: values[i] for n, values in zip(names, lists, strict=True)}) for i in range(rows)]
        return pa.array(told, pa.string())

    def _sealed_ids(self, raw_forms: dict[str, pa.Array], bad: np.ndarray) -> pa.Array:
        """For each good row of a vaulted table the sealed JSON of its raw identifiers; null when it has none."""
        if not self.is_vaulted:
            return pa.nulls(len(bad), pa.binary())
        names = [name for name in RAW if name in raw_forms]
        sealed: list[bytes | None] = []
        rows = zip(*(raw_forms[name].to_pylist() for name in names), strict=True)
        for is_bad, values in zip(bad, rows, strict=True):
            told = {n: v for n, v in zip(names, values, strict=True) if v is not None}
            sealed.append(self.keys.seal(json.dumps(told, sort_keys=True)) if told and not is_bad else None)
        return pa.array(sealed, pa.binary())

    def _sealed_raw(self, block: Block, bad: np.ndarray) -> pa.Array:
        """For each refused row its sealed JSON as it stands in the file."""
        result: list[bytes | None] = [None] * len(bad)
        places = np.flatnonzero(bad)
        lists = {name: values.take(pa.array(places)).to_pylist() for name, values in block.columns.items()}
        for nth, place in enumerate(places):
            row = {name: values[nth] for name, values in lists.items()}
            result[place] = self.keys.seal(json.dumps(row, sort_keys=True, default=str))
        return pa.array(result, pa.binary())
