"""The store: versioned Parquet partitions behind one small pointer file a table and day.

    WAREHOUSE/tables/<table>/day=YYYY-MM-DD/v=<version>/*.parquet      what was published, never changed
    WAREHOUSE/tables/<table>/day=YYYY-MM-DD/pointer.json               which version is in force
    WAREHOUSE/staging/<run>/...                                        not yet published, swept when its run is over

A version is the content hash of its rows, so equal content is one version. Readers resolve versions through a
pointer and see the old version or the new one, never half.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from jobs.runtime.errors import DataRefused, UsageError

POINTER = "pointer.json"


@dataclass(frozen=True)
class Pointer:
    """Which version of a table's day is in force, what it was made from, and what was in force before."""

    table: str
    day: str
    version: str
    rows: int
    schema: str
    inputs: dict[str, str]
    cause: str
    run: str
    earlier: tuple[str, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """The pointer as sorted JSON."""
        return json.dumps(asdict(self), sort_keys=True, indent=1)

    @classmethod
    def parse(cls, text: str) -> Pointer:
        """The pointer that `text` holds."""
        content = json.loads(text)
        return cls(**{**content, "earlier": tuple(content["earlier"])})


class Store:
    """Read, stage, publish, roll back and sweep the published tables under one folder; `stages`: where runs write."""

    def __init__(self, root: Path, stages: Path | None = None) -> None:
        self.root = root.resolve()
        self.stages = self.root / "staging" if stages is None else stages.resolve()

    def folder(self, table: str, day: date) -> Path:
        """Where a table's day lives."""
        return self.root / "tables" / table / f"day={day.isoformat()}"

    def tables(self) -> list[str]:
        """Names of the tables that have a folder, sorted."""
        home = self.root / "tables"
        return sorted(p.name for p in home.iterdir() if p.is_dir()) if home.is_dir() else []

    def days(self, table: str) -> list[date]:
        """The published days of a table, in order."""
        home = self.root / "tables" / table
        if not home.is_dir():
            return []
        found = (p for p in home.iterdir() if p.name.startswith("day=") and (p / POINTER).is_file())
        return sorted(date.fromisoformat(p.name[4:]) for p in found)

    def pointer(self, table: str, day: date) -> Pointer | None:
        """The pointer of a table's day, or None when nothing is published."""
        try:
            return Pointer.parse((self.folder(table, day) / POINTER).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def path(self, pointer: Pointer) -> Path:
        """The folder of Parquet files a pointer names."""
        return self.folder(pointer.table, date.fromisoformat(pointer.day)) / f"v={pointer.version}"

    def staging(self, run: str, table: str) -> Path:
        """A new folder's name for a run to write into; nothing reads from there."""
        path = self.stages / run / table
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def publish(self, staged: Path, pointer: Pointer) -> bool:
        """Put a staged folder in force; False when that content is in force already.

        The files are synced and moved beside earlier versions first; the pointer is replaced last, in one step.
        """
        day = date.fromisoformat(pointer.day)
        home = self.folder(pointer.table, day)
        home.mkdir(parents=True, exist_ok=True)
        current = self.pointer(pointer.table, day)
        if current and current.version == pointer.version and self.path(current).is_dir():
            shutil.rmtree(staged, ignore_errors=True)
            if current.cause == pointer.cause and current.inputs == pointer.inputs:
                return False
            self._point(home, Pointer(**{**asdict(pointer), "earlier": current.earlier, "run": current.run}))
            return False
        target = home / f"v={pointer.version}"
        if target.exists():
            shutil.rmtree(staged, ignore_errors=True)
        else:
            sync_tree(staged)
            os.replace(staged, target)
        earlier = ((current.version, *current.earlier) if current else ())[:20]
        earlier = tuple(v for v in dict.fromkeys(earlier) if v != pointer.version)
        self._point(home, Pointer(**{**asdict(pointer), "earlier": earlier}))
        return True

    def rollback(self, table: str, version: str) -> Pointer:
        """Put an earlier version of a table back in force; DataRefused when that version is not kept."""
        matches = [
            (day, folder.name[2:])
            for day in self.days(table)
            for folder in sorted(self.folder(table, day).glob(f"v={version}*"))
        ]
        if len(matches) != 1:
            raise UsageError(
                f"table {table}: {len(matches)} kept versions start with {version!r}; "
                f"`huoke status {table}` lists them, name exactly one"
            )
        day, found = matches[0]
        current = self.pointer(table, day)
        if current is None:
            raise DataRefused(f"table {table}, day {day}: nothing is in force; run the job again instead")
        rows = self._rows(table, day, found)
        others = tuple(v for v in (current.version, *current.earlier) if v != found)
        changed = {"version": found, "rows": rows, "cause": "rollback", "earlier": others}
        pointer = Pointer(**{**asdict(current), **changed})
        self._point(self.folder(table, day), pointer)
        return pointer

    def sweep(self, keep_versions: int = 1, live_runs: frozenset[str] = frozenset()) -> list[str]:
        """Delete staging of runs that are over and versions beyond the `keep_versions` before the one in force."""
        removed: list[str] = []
        for run in sorted(self.stages.iterdir()) if self.stages.is_dir() else []:
            if run.name not in live_runs:
                shutil.rmtree(run, ignore_errors=True)
                removed.append(f"staging/{run.name}")
        for table in self.tables():
            for home in sorted((self.root / "tables" / table).glob("day=*")):
                removed += self._sweep_day(table, home, keep_versions)
        return removed

    def _sweep_day(self, table: str, home: Path, keep_versions: int) -> list[str]:
        pointer = self.pointer(table, date.fromisoformat(home.name[4:]))
        keep = {pointer.version, *pointer.earlier[:keep_versions]} if pointer else set()
        removed = []
        for folder in sorted(home.glob("v=*")):
            if folder.name[2:] not in keep:
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(f"{table}/{home.name}/{folder.name}")
        return removed

    def _rows(self, table: str, day: date, version: str) -> int:
        import pyarrow.parquet as pq

        files = sorted((self.folder(table, day) / f"v={version}").glob("*.parquet"))
        return sum(pq.read_metadata(file).num_rows for file in files)

    def _point(self, home: Path, pointer: Pointer) -> None:
        write_whole(home / POINTER, pointer.text())


def write_whole(path: Path, text: str) -> None:
    """Replace a small file in one step: written beside, synced, renamed over."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(beside, path)
    _sync_folder(path.parent)


def sync_tree(folder: Path) -> None:
    """Force every file of a folder, and the folder, to disk."""
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
