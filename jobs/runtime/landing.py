"""The landing folder: which days have landed, what their files look like, and frames over them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.contract import Table
from jobs.runtime.conf import Conf
from jobs.runtime.errors import DataRefused
from jobs.runtime.keys import Keys
from jobs.runtime.landing_contract import sources
from jobs.runtime.landing_files import ENDINGS, LandedFile, inspect
from jobs.tables.ingest import LANDED, VAULTS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from jobs.runtime.landing_rows import Unit

TABLES = {table.name: table for table in LANDED}
TASK_BYTES = 48 << 20
TASK_FILES = 16
SHOWN_PROBLEMS = 20


@dataclass(frozen=True)
class Landed:
    """Some landed days of one table, every file inspected: what an ingest job gets as `landed`."""

    spark: SparkSession
    table: Table
    files: tuple[LandedFile, ...]
    days: tuple[date, ...]
    conf: Conf

    def rows(self, keys: Keys, folder: Path) -> DataFrame:
        """Every row of the files, read once and kept in a new folder: `day`, the table's columns, what became of it.

        `_file`, `_row` (its place there), `_reason` and `_column` (null when it may be let in), `_raw` (a refused row,
        sealed), `_vault` (the raw identifiers of a row of a vaulted table, sealed).

        Raises DataRefused where a file breaks off in the middle.
        """
        from pyspark.errors import PySparkException
        from pyspark.sql.pandas.types import to_arrow_schema
        from pyspark.sql.types import BinaryType, LongType, StringType, StructType

        from jobs.runtime import frames
        from jobs.runtime.landing_rows import RowReader

        resolved = frames.resolved(self.table, self.conf)
        wanted = StructType().add("day", "date").add("_file", StringType()).add("_row", LongType())
        wanted = wanted.add("_reason", StringType()).add("_column", StringType())
        wanted = wanted.add("_raw", BinaryType()).add("_vault", BinaryType())
        for field in frames.schema(resolved).fields:
            wanted = wanted.add(field)
        units = self._units()
        if not units:
            return self.spark.createDataFrame([], wanted)
        reader = RowReader(
            units=units,
            table=resolved,
            sources=sources(self.table, self.conf),
            schema=to_arrow_schema(wanted, timezone="UTC"),
            keys=keys,
            phone_region=self.conf.base.phone_region,
            time_zone=self.conf.base.time_zone,
            is_vaulted=self.table.name in VAULTS,
            folder=folder,
        )
        folder.mkdir(parents=True)
        size = sum(file.size for file in self.files)
        tasks = max(self.conf.base.spark.shuffle_partitions, size // TASK_BYTES, len(units) // TASK_FILES, 1)
        numbers = self.spark.range(0, len(units), 1, min(len(units), tasks))
        try:
            numbers.mapInArrow(reader, "rows bigint").write.format("noop").mode("overwrite").save()
        except PySparkException as error:
            found = re.search(r"DataRefused: (landing file [^\n]+)", str(error))
            if found is None:
                raise
            raise DataRefused(found.group(1)) from None
        return self.spark.read.schema(wanted).parquet(str(folder))

    def _units(self) -> tuple[Unit, ...]:
        """The files in order of their day; a large Parquet file as runs of row groups."""
        from jobs.runtime.landing_rows import Unit

        found = []
        for file in sorted(self.files, key=lambda one: (one.day, one.name)):
            pieces = max(1, min(len(file.groups), file.size // TASK_BYTES))
            step = -(-len(file.groups) // pieces) if file.groups else 1
            for start in range(0, max(len(file.groups), 1), step):
                found.append(Unit(file, tuple(range(start, min(start + step, len(file.groups))))))
        return tuple(found)


class Landing:
    """LANDING/<table>/day=YYYY-MM-DD/*.parquet (or .csv, .csv.gz)."""

    def __init__(self, root: Path, conf: Conf) -> None:
        self.root = root
        self.conf = conf

    def prints(self, table: str, day: date) -> dict[date, str]:
        """The landed days of a table up to `day`, each with a fingerprint of its files (names, sizes, change times).

        Raises DataRefused for a folder that is no day, or a path that leaves the landing folder.
        """
        found = {}
        for landed, files in self._days(table):
            if landed <= day:
                stats = [(file.name, file.stat()) for file in files]
                told = "|".join(f"{name}:{stat.st_size}:{stat.st_mtime_ns}" for name, stat in stats)
                found[landed] = hashlib.sha256(told.encode()).hexdigest()[:32]
        return found

    def open(self, spark: SparkSession, table: str, days: list[date]) -> Landed:
        """The files of these days of a table, each inspected; DataRefused names every file that is not as agreed."""
        files, problems = self._inspected(table, frozenset(days))
        if problems:
            more = [f"and {len(problems) - SHOWN_PROBLEMS} more files"] if len(problems) > SHOWN_PROBLEMS else []
            raise DataRefused("\n".join([*problems[:SHOWN_PROBLEMS], *more, f"no day of {table} was ingested"]))
        return Landed(spark, TABLES[table], tuple(files), tuple(days), self.conf)

    def problems(self, day: date) -> list[str]:
        """What is wrong with the landing files up to `day`, all tables, one sentence each (rows are not read)."""
        if not self.root.is_dir():
            return [f"landing folder {self.root} is missing; make it or give --landing DIR"]
        entries = sorted(e.name for e in self.root.iterdir() if not e.name.startswith((".", "_")) and e.is_dir())
        found = [
            f"landing folder {n}/ is no table of the landing contract; rename or remove it"
            for n in entries
            if n not in TABLES
        ]
        for name in TABLES:
            try:
                days = frozenset(self.prints(name, day))
            except DataRefused as error:
                found.append(str(error))
                continue
            found += self._inspected(name, days)[1]
        return found

    def _inspected(self, table: str, days: frozenset[date]) -> tuple[list[LandedFile], list[str]]:
        wanted = sources(TABLES[table], self.conf)
        files, problems = [], []
        for day, paths in self._days(table):
            for path in paths if day in days else []:
                try:
                    files.append(inspect(path, f"{table}/day={day}/{path.name}", day, wanted))
                except DataRefused as error:
                    problems.append(str(error))
        return files, problems

    def _days(self, table: str) -> Iterator[tuple[date, list[Path]]]:
        """The day folders of a table in order, each with its files by name, less those still being written."""
        home = self.root / table
        self._demand_inside(home, table)
        for folder in _visible(home) if home.is_dir() else []:
            shown = f"{table}/{folder.name}"
            try:
                if not folder.name.startswith("day="):
                    raise ValueError
                day = date.fromisoformat(folder.name.removeprefix("day="))
            except ValueError:
                raise DataRefused(f"landing path {shown} is no day folder; name it {table}/day=YYYY-MM-DD") from None
            self._demand_inside(folder, shown)
            files = _visible(folder)
            for file in files:
                self._demand_inside(file, f"{shown}/{file.name}")
                if not file.name.endswith(ENDINGS) or not file.is_file():
                    raise DataRefused(
                        f"landing path {shown}/{file.name} is none of {', '.join(ENDINGS)}; remove or convert it"
                    )
            yield day, files

    def _demand_inside(self, path: Path, shown: str) -> None:
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root)):
            raise DataRefused(
                f"landing path {shown} leaves the landing folder; copy the files in instead of linking to them"
            )


def _visible(folder: Path) -> list[Path]:
    """What lies in a folder, by name, without what is still being written."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "_")))
