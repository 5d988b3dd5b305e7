"""The rows of one landing file as bounded blocks of columns, in the order they stand in the file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from jobs.runtime.errors import DataRefused
from jobs.runtime.landing_files import LandedFile, opened

CSV_BLOCK = 4 << 20
BATCH_ROWS = 50_000


@dataclass(frozen=True)
class Block:
    """Some rows of a file: the contract's columns as stored, lines that are no rows, which rows repeat the header."""

    first_row: int
    columns: dict[str, pa.Array]
    rows: int
    broken: tuple[str, ...]
    headers: pa.Array | None


def blocks(file: LandedFile, names: frozenset[str], groups: tuple[int, ...]) -> Iterator[Block]:
    """The blocks of a file (Parquet: of these row groups), holding the columns in `names` that it has."""
    try:
        yield from _parquet_blocks(file, names, groups) if file.is_parquet else _csv_blocks(file, names)
    except (pa.ArrowException, OSError) as error:
        raise DataRefused(
            f"landing file {file.shown} is damaged inside ({type(error).__name__}) and cannot be read to its end; "
            "land it again"
        ) from error


def _parquet_blocks(file: LandedFile, names: frozenset[str], groups: tuple[int, ...]) -> Iterator[Block]:
    wanted = [name for name in file.columns if name in names]
    with pq.ParquetFile(file.path) as source:
        for group in groups:
            first = sum(file.groups[:group])
            for batch in source.iter_batches(BATCH_ROWS, row_groups=[group], columns=wanted, use_threads=False):
                yield Block(first, dict(zip(batch.schema.names, batch.columns, strict=True)), batch.num_rows, (), None)
                first += batch.num_rows


def _csv_blocks(file: LandedFile, names: frozenset[str]) -> Iterator[Block]:
    with opened(file.path) as handle:
        handle.readline()
        first, tail = 0, b""
        while chunk := handle.read(CSV_BLOCK):
            head, newline, tail = (tail + chunk).rpartition(b"\n")
            if newline:
                block = _csv_block(file, names, head, first)
                first += block.rows + len(block.broken)
                yield block
        if tail:
            yield _csv_block(file, names, tail, first)


def _csv_block(file: LandedFile, names: frozenset[str], content: bytes, first: int) -> Block:
    lines = [line for line in content.split(b"\n") if line not in (b"", b"\r")]
    broken: list[str] = []
    if b'"' in content:
        # A record is one line: an open quote must not swallow the lines after it.
        broken += [line.decode() for line in lines if line.count(b'"') % 2]
        lines = [line for line in lines if line.count(b'"') % 2 == 0]

    def keep(row: pcsv.InvalidRow) -> str:
        broken.append(row.text or "")
        return "skip"

    wanted = [name for name in file.columns if name in names]
    unique = [name if name in names else f"{name}\x1f{place}" for place, name in enumerate(file.columns)]
    columns = {name: pa.array([], pa.string()) for name in wanted}
    if lines:
        text = b"\n".join(lines) + b"\n"
        table = pcsv.read_csv(
            io.BytesIO(text),
            read_options=pcsv.ReadOptions(use_threads=False, column_names=unique, block_size=len(text) + 1),
            parse_options=pcsv.ParseOptions(invalid_row_handler=keep, ignore_empty_lines=False),
            convert_options=pcsv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
        columns = {name: table[name].combine_chunks() for name in wanted}
    rows = len(next(iter(columns.values())))
    return Block(first, columns, rows, tuple(broken), _repeats_header(columns))


def _repeats_header(columns: dict[str, pa.Array]) -> pa.Array:
    same = [pc.fill_null(pc.equal(pc.utf8_trim(v, characters="\ufeff \r"), name), False) for name, v in columns.items()]
    result = same[0]
    for one in same[1:]:
        result = pc.and_(result, one)
    return result
