"""The look at a landing file before any row of it is read: streamed, bounded in memory, one clear refusal."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.runtime.errors import DataRefused
from jobs.runtime.landing_contract import Source, is_accepted, storage

ENDINGS = (".parquet", ".csv", ".csv.gz")
CHUNK = 1 << 20
MAX_LINE = 1 << 20  # bytes; a longer line is no record, and would have to be held in memory whole
MAX_CELLS = 1 << 20  # mean bytes a row of a Parquet row group
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class LandedFile:
    """One landing file that may be read: where it lies, its columns, how many rows it holds."""

    day: date
    name: str
    shown: str
    path: str
    columns: tuple[str, ...]
    rows: int
    size: int
    groups: tuple[int, ...]
    note: str | None

    @property
    def is_parquet(self) -> bool:
        """True for Parquet, false for CSV."""
        return self.name.endswith(".parquet")


def inspect(path: Path, shown: str, day: date, sources: Mapping[str, Source]) -> LandedFile:
    """Check one file as a whole; `shown` is its path inside the landing folder.

    Raises DataRefused when it is empty, cut off, not UTF-8, has a line over MAX_LINE, repeats a column, lacks a
    required one, or stores one in a type that cannot become the declared one.
    """
    size = path.stat().st_size
    if size == 0:
        raise _refused(shown, "is empty (0 bytes); land it again, or leave the file out when nothing is new")
    if path.name.endswith(".parquet"):
        columns, groups = _parquet(path, shown, sources)
        rows = sum(groups)
    else:
        columns, rows = _csv(path, shown)
        groups = ()
    if repeated := sorted({name for name in columns if name in sources and columns.count(name) > 1}):
        raise _refused(shown, f"has {rows} rows and repeats the columns {repeated}; give each column one name")
    lacking = [s.name for s in sources.values() if s.in_every_file and s.name not in columns]
    if lacking:
        kinds = "declared features" if all(sources[name].is_feature for name in lacking) else "required columns"
        raise _refused(
            shown,
            f"has {rows} rows and lacks the {kinds} {lacking}; give the columns their names of the landing contract"
            + (" or take the features out of conf/base.yaml" if kinds == "declared features" else ""),
        )
    return LandedFile(day, path.name, shown, str(path), columns, rows, size, groups, _note(columns, sources))


def _note(columns: tuple[str, ...], sources: Mapping[str, Source]) -> str | None:
    extra = sorted(
        name if name.isprintable() and len(name) <= 60 else "(unprintable)" for name in set(columns) - set(sources)
    )
    absent = sorted(s.name for s in sources.values() if s.name not in columns and not s.name.startswith("id_"))
    parts = [f"{word}: {', '.join(names)}" for word, names in (("dropped", extra), ("absent", absent)) if names]
    return "; ".join(parts) or None


def _parquet(path: Path, shown: str, sources: Mapping[str, Source]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    try:
        with pq.ParquetFile(path) as file:
            schema, meta = file.schema_arrow, file.metadata
            groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
            counted = tuple(group.num_rows for group in groups)
            widest = max((g.total_byte_size / g.num_rows for g in groups if g.num_rows), default=0)
    except (pa.ArrowException, OSError) as error:
        raise _refused(shown, f"is no whole Parquet file ({type(error).__name__}); land it again") from error
    if widest > MAX_CELLS:
        raise _refused(shown, f"has rows of over {MAX_CELLS} bytes; land the contract's columns only")
    wrong = [
        f"{field.name} is {storage(field.type)}, not {sources[field.name].type}"
        for field in schema
        if field.name in sources and not is_accepted(sources[field.name], field.type)
    ]
    if wrong:
        raise _refused(
            shown, f"has {sum(counted)} rows and columns of another type: {'; '.join(wrong)}; store them as declared"
        )
    return tuple(schema.names), counted


@contextmanager
def opened(path: str | Path) -> Iterator[BinaryIO]:
    """The bytes of a CSV file, unpacked when its name ends in .gz."""
    name = str(path)
    with gzip.open(name, "rb") if name.endswith(".gz") else open(name, "rb") as handle:
        yield cast(BinaryIO, handle)


def _csv(path: Path, shown: str) -> tuple[tuple[str, ...], int]:
    """The header and the number of rows (lines that are not blank, after the header)."""
    try:
        with opened(path) as handle:
            header = _header(handle, shown)
            rows = _rows(handle, shown)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _refused(shown, f"is cut off or damaged gzip ({type(error).__name__}); land it again") from error
    return header, rows


def _header(handle: BinaryIO, shown: str) -> tuple[str, ...]:
    line = handle.readline(MAX_LINE + 1)
    if len(line) > MAX_LINE:
        raise _long(shown)
    try:
        text = line.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(shown, "has a header that is not UTF-8; save the file as UTF-8") from error
    if not text.strip() or "\0" in text:
        raise _refused(shown, "has no header line in UTF-8; the first line must name the columns")
    names = next(csv.reader(io.StringIO(text)))
    return tuple(name.strip() for name in names)


def _rows(handle: BinaryIO, shown: str) -> int:
    """Count the rows that are left in a stream, a chunk at a time, checking encoding and line length on the way."""
    rows, tail = 0, b""
    while chunk := handle.read(CHUNK):
        block = tail + chunk
        head, newline, tail = block.rpartition(b"\n")
        if len(tail) > MAX_LINE:
            raise _long(shown)
        if newline:
            rows += _lines(head, shown)
    return rows + (_lines(tail, shown) if tail else 0)


def _lines(block: bytes, shown: str) -> int:
    """The lines of a block that are not blank; DataRefused when it is not UTF-8 text with one record a line."""
    if b"\0" in block or b"\r" in block.replace(b"\r\n", b"\n").removesuffix(b"\r"):
        raise _refused(shown, "holds NUL bytes or bare carriage returns; save it as UTF-8 with \\n line ends")
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(shown, "is not UTF-8; save the file as UTF-8") from error
    lines = block.split(b"\n")
    if max(map(len, lines)) > MAX_LINE:
        raise _long(shown)
    return len(lines) - lines.count(b"") - lines.count(b"\r")


def _long(shown: str) -> DataRefused:
    return _refused(shown, f"has a line of over {MAX_LINE} bytes; write one record a line")


def _refused(shown: str, what: str) -> DataRefused:
    return DataRefused(f"landing file {shown} {what}")
