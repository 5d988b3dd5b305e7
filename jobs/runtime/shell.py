"""The shell round every job: pin, call, stage, check, publish, log. The only door to the store."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.contract import Job, Table
from jobs.runtime import frames, small_tables
from jobs.runtime.conf import Conf
from jobs.runtime.errors import DataRefused, Fault
from jobs.runtime.keys import Keys
from jobs.runtime.landing import Landing
from jobs.runtime.runlog import RunLog
from jobs.runtime.store import Pointer, Store

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession

log = logging.getLogger("huoke")
PUBLISHERS = 8


@dataclass(frozen=True)
class Published:
    """What became of one table's day in a run."""

    table: str
    day: date
    rows: int
    version: str
    is_new: bool


class Shell:
    """Runs jobs against one warehouse. `spark` is reached when a job first needs it."""

    def __init__(
        self, warehouse: Path, landing: Path, conf: Conf, keys: Keys, spark: SparkSession, stages: Path | None = None
    ) -> None:
        self.store = Store(warehouse, stages)
        self.log = RunLog(self.store.root)
        self.landing = Landing(landing, conf)
        self.conf, self.keys, self.spark = conf, keys, spark
        self.run_id = uuid.uuid4().hex[:12]
        self._cuts = 0
        self._job = ""

    def beside(self) -> Shell:
        """Another shell on the same warehouse and session, with staging of its own: for a job run beside others."""
        return Shell(self.store.root, self.landing.root, self.conf, self.keys, self.spark)

    # ---- what an iterative job may ask for

    def cut(self, frame: DataFrame) -> DataFrame:
        """The same rows, materialised, so that a long chain of steps is not computed again."""
        folder = self.folder()
        frame.write.parquet(str(folder))
        return self.spark.read.schema(frame.schema).parquet(str(folder))

    def folder(self) -> Path:
        """The name of a new folder for what a job writes for itself; gone when the job has ended."""
        self._cuts += 1
        return self.store.staging(self.run_id, f"_cut{self._cuts}")

    def small(self, frame: DataFrame, max_rows: int, sort_by: Sequence[str] = ()) -> pd.DataFrame:
        """A bounded result as a pandas frame, sorted by `sort_by`; Fault when it has more than `max_rows` rows."""
        rows = frame.limit(max_rows + 1).toPandas()
        if len(rows) > max_rows:
            raise self._too_many(max_rows)
        return rows.sort_values(list(sort_by), ignore_index=True) if sort_by else rows

    def sample(self, frame: DataFrame, max_rows: int, sort_by: Sequence[str]) -> pd.DataFrame:
        """As `small`, for many wide rows: a limit would pull them all through one task, counting a cut does not."""
        rows = self.cut(frame)
        if rows.count() > max_rows:
            raise self._too_many(max_rows)
        return rows.toPandas().sort_values(list(sort_by), ignore_index=True)

    def _too_many(self, max_rows: int) -> Fault:
        told = f"a result has over {max_rows} rows, too many to bring over; aggregate or sample it"
        return Fault(f"job {self._job}: {told}")

    def frame(self, rows: pd.DataFrame, table: Table) -> DataFrame:
        """A small pandas frame as a Spark frame with a table's columns and types."""
        resolved = frames.resolved(table, self.conf)
        arrow = small_tables.as_arrow(rows, resolved, self._job)
        wanted = frames.schema(resolved, with_day="day" in rows.columns)
        return self.spark.createDataFrame(arrow, schema=wanted)

    def read(self, table: Table, mode: str, day: date, days: int | None = None) -> DataFrame:
        """A published table as a job reading it that way on that day would see it."""
        from jobs.contract import Read

        return self._frame(Read(table, mode, days), frames.pins(self.store, Read(table, mode, days), day))  # type: ignore[arg-type]

    # ---- running a job

    def run(self, job: Job, day: date, *, force: bool = False, ledger: Any = None) -> list[Published]:
        """Run a job for a day; what is unchanged is neither computed (unless `force`) nor published again."""
        self._job = job.name
        started = time.monotonic()
        pinned = {name: frames.pins(self.store, read, day) for name, read in job.reads.items()}
        self._demand(job, pinned, day)
        inputs = {f"{p.table}@{p.day}": p.version for pointers in pinned.values() for p in pointers}
        cause = self._cause(job, day, inputs)
        current = [self.store.pointer(table.name, day) for table in job.writes]
        if not force and not job.sends and all(p is not None and p.cause == cause for p in current):
            self.log.write("unchanged", run=self.run_id, job=job.name, day=day)
            return [Published(p.table, day, p.rows, p.version, False) for p in current if p]
        self.log.write("started", run=self.run_id, job=job.name, day=day, inputs=len(inputs))
        try:
            results = self._call(job, pinned, day, ledger)
            staged = [self._stage(job, table, frame, [day]) for table, frame in zip(job.writes, results, strict=True)]
            published = [item for one in staged for item in self._publish(job, one, inputs, {day: cause})]
        except Exception as error:
            self.log.write("failed", run=self.run_id, job=job.name, day=day, error=type(error).__name__)
            raise
        finally:
            self.tidy()
        self.log.write("done", run=self.run_id, job=job.name, day=day, seconds=round(time.monotonic() - started, 2))
        return published

    def rehearse(self, job: Job, day: date) -> tuple[tuple[Any, ...], dict[str, str]]:
        """What a job would return for a day under this conf, and the inputs' versions; nothing is published or logged.

        Frames may stand on cuts, so read them before `tidy`. Only for jobs that neither send nor open the vault.
        """
        if job.sends or job.landing or "vault" in job.asks:
            raise Fault(f"job {job.name} sends, ingests or opens the vault; it cannot be rehearsed")
        self._job = job.name
        pinned = {name: frames.pins(self.store, read, day) for name, read in job.reads.items()}
        self._demand(job, pinned, day)
        inputs = {f"{p.table}@{p.day}": p.version for pointers in pinned.values() for p in pointers}
        return self._call(job, pinned, day, None), inputs

    def run_landing(self, job: Job, day: date, *, force: bool = False) -> list[Published]:
        """Run an ingest job over every landed day up to `day` whose files are not yet ingested, in one pass."""
        self._job = job.name
        if job.landing is None:
            raise Fault(f"job {job.name} reads no landing table; run it with `run`")
        prints = self.landing.prints(job.landing, day)
        causes = {d: self._cause(job, d, {"landing": print_}) for d, print_ in prints.items()}
        pending = [d for d, cause in causes.items() if force or not self._is_current(job, d, cause)]
        if not pending:
            self.log.write("unchanged", run=self.run_id, job=job.name, day=day)
            return []
        self.log.write("started", run=self.run_id, job=job.name, day=day, days=len(pending))
        try:
            landed = self.landing.open(self.spark, job.landing, pending)
            reads = {name: self._frame(r, frames.pins(self.store, r, pending[-1])) for name, r in job.reads.items()}
            results = _as_tuple(job(landed, **reads, day=day, **self._asked(job, None)))
            staged = [self._stage(job, t, f, pending) for t, f in zip(job.writes, results, strict=True)]
            self._demand_accounted(job, results[-1], staged)
            inputs = {d: {f"landing:{job.landing}@{d}": prints[d]} for d in pending}
            published = [item for one in staged for item in self._publish(job, one, inputs, causes)]
        except Exception as error:
            self.log.write("failed", run=self.run_id, job=job.name, day=day, error=type(error).__name__)
            raise
        finally:
            self.tidy()
        self.log.write("done", run=self.run_id, job=job.name, day=day)
        return published

    def tidy(self) -> None:
        """Delete this run's staging."""
        shutil.rmtree(self.store.stages / self.run_id, ignore_errors=True)
        self._cuts = 0

    # ---- steps

    def _is_current(self, job: Job, day: date, cause: str) -> bool:
        found = [(table, self.store.pointer(table.name, day)) for table in job.writes]
        if job.landing is not None:
            found = [(table, p) for table, p in found if p is not None or not table.in_vault]
        return all(p is not None and p.cause == cause for _, p in found)

    def _demand_accounted(self, job: Job, counts: Any, staged: list[_Staged]) -> None:
        """What is about to be published holds exactly the rows the last result, the counts, says it does."""
        told = counts.groupby("day")[["rows_out", "quarantined"]].sum()
        for day, figures in staged[0].figures.items():
            wanted = (int(told["rows_out"].get(day, 0)), int(told["quarantined"].get(day, 0)))
            found = (figures["rows"], staged[1].figures[day]["rows"])
            if wanted != found:
                raise Fault(
                    f"job {job.name}, day {day}: {wanted[0]} rows and {wanted[1]} refused are accounted for, but "
                    f"{found[0]} and {found[1]} were staged; nothing was published, report this"
                )

    def _demand(self, job: Job, pinned: dict[str, list[Pointer]], day: date) -> None:
        for name, read in job.reads.items():
            if read.mode == "day" and not read.table.is_landed and not pinned[name]:
                raise DataRefused(
                    f"job {job.name}, day {day}: table {read.table.name} has no such day; "
                    f"run `huoke run --day {day}` or the job that writes {read.table.name} first"
                )

    def _cause(self, job: Job, day: date, inputs: dict[str, str]) -> str:
        told = json.dumps([job.name, day.isoformat(), inputs, self.conf.print(), code_print()], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    def _frame(self, read: Any, pointers: list[Pointer]) -> DataFrame:
        table = frames.resolved(read.table, self.conf)
        frame = frames.read_pins(self.spark, self.store, table, pointers)
        return frames.in_force(frame, table.key) if read.mode == "in_force" and len(pointers) > 1 else frame

    def _asked(self, job: Job, ledger: Any) -> dict[str, Any]:
        offered = {"conf": self.conf, "shell": self, "vault": self.keys, "ledger": ledger}
        return {name: value for name, value in offered.items() if name in job.asks}

    def _call(self, job: Job, pinned: dict[str, list[Pointer]], day: date, ledger: Any) -> tuple[Any, ...]:
        inputs = {name: self._frame(read, pinned[name]) for name, read in job.reads.items()}
        today = {"day": day} if "day" in job.asks else {}
        return _as_tuple(job(**inputs, **today, **self._asked(job, ledger)))

    def _stage(self, job: Job, table: Table, frame: Any, days: list[date]) -> _Staged:
        resolved = frames.resolved(table, self.conf)
        many = job.landing is not None
        folder = self.store.staging(self.run_id, table.name)
        if many and frame is None:
            return _Staged(resolved, folder, dict.fromkeys(days, frames.NO_ROWS), many)
        figures = self._write(job, resolved, frame, folder, days)
        per_day = {d: figures.get(d.isoformat() if many else None, frames.NO_ROWS) for d in days}
        for d, found in per_day.items():
            if wrong := frames.complaints(found, resolved):
                self.log.write("refused", run=self.run_id, job=job.name, table=table.name, day=d, complaints=wrong)
                raise Fault(
                    f"job {job.name}, day {d}, table {table.name}: " + "; ".join(wrong) + "; nothing was published"
                )
        return _Staged(resolved, folder, per_day, many)

    def _write(self, job: Job, table: Table, frame: Any, folder: Path, days: list[date]) -> dict[str | None, Any]:
        """Write a resolved table's rows into a staging folder, look at what lies there: figures by day, or for None."""
        many = job.landing is not None
        is_small = not hasattr(frame, "sparkSession")
        if is_small and not table.rules:
            figures = small_tables.stage(frame, table, folder, days if many else None, job.name)
            self._log_staged(job, table, days)
            return figures
        # Rules are Spark's own SQL.
        spark_frame = self.frame(frame, table) if is_small else frame
        conformed = frames.conform(spark_frame, table, job=job.name, keep_day=many)
        writer = conformed.write.partitionBy("day") if many else conformed.write
        writer.parquet(str(folder))
        self._log_staged(job, table, days)
        back = self.spark.read.schema(frames.schema(table, with_day=many)).parquet(str(folder))
        return frames.profile(back, table, by_day=many)

    def _log_staged(self, job: Job, table: Table, days: list[date]) -> None:
        self.log.write("staged", run=self.run_id, job=job.name, table=table.name, days=[str(d) for d in days])

    def _publish(self, job: Job, staged: _Staged, inputs: dict[Any, Any], causes: dict[date, str]) -> list[Published]:
        def one(day: date) -> Published | None:
            figures = staged.figures[day]
            if staged.is_optional and not figures["rows"] and not self.store.pointer(staged.table.name, day):
                return None  # no refused row, no raw identifier: no partition says the same
            folder = staged.folder / f"day={day}" if staged.many else staged.folder
            folder.mkdir(parents=True, exist_ok=True)
            pointer = Pointer(
                table=staged.table.name,
                day=day.isoformat(),
                version=frames.version(figures, staged.table),
                rows=int(figures["rows"]),
                schema=",".join(f"{c.name}:{c.type}" for c in staged.table.columns),
                inputs=inputs[day] if staged.many else inputs,
                cause=causes[day],
                run=self.run_id,
            )
            is_new = self.store.publish(folder, pointer)
            event = "published" if is_new else "same"
            self.log.write(event, run=self.run_id, job=job.name, table=pointer.table, day=day, version=pointer.version)
            return Published(pointer.table, day, pointer.rows, pointer.version, is_new)

        # The days of a table are independent, and most of the time goes into waiting for the disk.
        with ThreadPoolExecutor(PUBLISHERS) as pool:
            return [published for published in pool.map(one, staged.figures) if published is not None]


@dataclass(frozen=True)
class _Staged:
    table: Table
    folder: Path
    figures: dict[date, dict[str, Any]]
    many: bool

    @property
    def is_optional(self) -> bool:
        """True when a day without rows needs no partition: the vault's side of a landed table."""
        return self.many and self.table.in_vault


def _as_tuple(results: Any) -> tuple[Any, ...]:
    return results if isinstance(results, tuple) else (results,)


@cache
def code_print() -> str:
    """A hash of the source of every package whose code can change a result."""
    root = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for file in sorted(f for package in ("jobs", "segments") for f in (root / package).rglob("*.py")):
        digest.update(file.relative_to(root).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
