"""What becomes of each landed row: let in, dropped as a duplicate, or refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import Window
from pyspark.sql import functions as F

from jobs.contract import Table
from jobs.runtime.keys import Keys

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell


def decided(rows: DataFrame, table: Table, shell: Shell) -> DataFrame:
    """The same rows with `_fate`: out, duplicate or quarantined.

    Of rows that are equal in every column the first (by file and place) is let in. Rows of one day with one key that
    differ contradict each other: all of them are refused as `key_conflict`.
    """
    by = ["day", *table.key]
    is_good = F.col("_reason").isNull()
    fate = F.when(is_good, "out").otherwise("quarantined")
    good = rows.where(is_good)
    repeated = good.groupBy(*[F.col(name).alias(f"_{name}") for name in by]).count().where("count > 1")
    if not len(shell.small(repeated.select("_day").limit(1), 1)):
        return rows.withColumn("_fate", fate)
    # Few rows repeat: the others are not sorted. A part of a key may be null.
    same_key = [F.col(name).eqNullSafe(F.col(f"_{name}")) for name in by]
    told = shell.cut(_repeats(good.join(repeated, same_key, "left_semi"), table, by))
    return rows.join(told, ["day", "_file", "_row"], "left").select(
        *[F.col(f"`{name}`") for name in rows.columns if name != "_reason"],
        F.coalesce("_found", "_reason").alias("_reason"),
        F.coalesce("_became", fate).alias("_fate"),
    )


def _repeats(rows: DataFrame, table: Table, by: list[str]) -> DataFrame:
    """Of good rows whose keys repeat: day, _file, _row, what became of each (`_became`) and why (`_found`)."""
    # Two lanes of 64 bits: equal digests are equal rows.
    cells = [F.coalesce(F.col(f"`{c.name}`").cast("string"), F.lit("\0")) for c in table.columns]
    cells.append(F.coalesce(F.hex("_vault"), F.lit("\0")))
    digest = F.sha2(F.concat_ws("\x1f", *cells), 256)
    same_key = Window.partitionBy(*by)
    same_row = Window.partitionBy(*by, "_digest").orderBy("_file", "_row")
    marked = (
        rows.withColumn("_digest", digest)
        .withColumn("_conflict", F.min("_digest").over(same_key) != F.max("_digest").over(same_key))
        .withColumn("_nth", F.row_number().over(same_row))
    )
    became = F.when(F.col("_conflict"), "quarantined").when(F.col("_nth") > 1, "duplicate").otherwise("out")
    found = F.when(F.col("_conflict"), "key_conflict")
    return marked.select("day", "_file", "_row", became.alias("_became"), found.alias("_found"))


@dataclass(frozen=True)
class ConflictSealer:
    """Seals rows that contradict each other: their columns as typed, with raw identifiers where those are kept."""

    keys: Keys

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            sealed = [self._seal(row) for row in batch.to_pylist()]
            kept = batch.drop_columns(["_typed", "_vault", "_raw"])
            yield kept.append_column("_raw", pa.array(sealed, pa.binary()))

    def _seal(self, row: dict[str, Any]) -> bytes:
        if row["_raw"] is not None:
            return bytes(row["_raw"])
        told = json.loads(row["_typed"])
        if row["_vault"] is not None:
            told |= json.loads(self.keys.unseal(row["_vault"]))
        return self.keys.seal(json.dumps(told, sort_keys=True))


def refused_rows(rows: DataFrame, table: Table, keys: Keys) -> DataFrame:
    """The refused rows as the table's quarantine wants them, numbered a day in order of their digest."""
    typed = F.to_json(F.struct(*[F.col(f"`{c.name}`") for c in table.columns]))
    chosen = rows.where("_fate = 'quarantined'").select(
        "day", "_file", "_reason", "_column", "_raw", "_vault", typed.alias("_typed")
    )
    schema = "day date, _file string, _reason string, _column string, _raw binary"
    sealed = chosen.mapInArrow(ConflictSealer(keys), schema)
    place = Window.partitionBy("day").orderBy(F.sha2("_raw", 256), "_file", "_reason", "_column")
    return sealed.select(
        "day",
        F.row_number().over(place).cast("bigint").alias("row_number"),
        F.col("_file").alias("file"),
        F.col("_reason").alias("reason"),
        F.col("_column").alias("column"),
        F.col("_raw").alias("row_sealed"),
    )
