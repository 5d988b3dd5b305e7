"""Raw files of a source written into the landing folder: each file whole or not at all, the same bytes every time."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.runtime.errors import DataRefused, Fault
from jobs.sources.conf import SourceConf
from jobs.sources.parse import Parsed, parse
from jobs.sources.tables import landing_tables


@dataclass(frozen=True)
class LandReport:
    """What became of every raw row, what was written, and what must be said wherever it is shown.

    rows_in = rows_out + sum of `refused_rows` + duplicates. `written` counts landing rows by table; `files_written`
    and `files_unchanged` count files. The refused rows lie in `quarantine` (null when there are none).
    """

    source: str
    rows_in: int
    rows_out: int
    duplicates: int
    refused_rows: dict[str, int]
    refused_columns: dict[str, str]
    dropped_columns: tuple[str, ...]
    first_day: date | None
    last_day: date | None
    written: dict[str, int]
    files_written: int
    files_unchanged: int
    quarantine: str | None
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        days = {"first_day": _iso(self.first_day), "last_day": _iso(self.last_day)}
        return asdict(self) | days | {"dropped_columns": list(self.dropped_columns), "notes": list(self.notes)}

    def render(self) -> str:
        """The report as lines of text."""
        refused = sum(self.refused_rows.values())
        lines = [
            f"{self.source}: {self.rows_in:,} rows in = {self.rows_out:,} out + {refused:,} quarantined "
            f"+ {self.duplicates:,} duplicates; {self.first_day} to {self.last_day}",
            f"files: {self.files_written} written, {self.files_unchanged} unchanged",
            *(f"  {table}: {rows:,} rows" for table, rows in self.written.items()),
            *(f"quarantined, {reason}: {rows:,}" for reason, rows in self.refused_rows.items()),
            *([f"quarantined rows lie in {self.quarantine}"] if self.quarantine else []),
            *(f"refused column {name} ({why})" for name, why in self.refused_columns.items()),
            *(f"column {name} is not declared and was dropped" for name in self.dropped_columns),
            *(f"note: {note}" for note in self.notes),
        ]
        return "\n".join(lines)


def land(conf: SourceConf, files: Sequence[Path], landing_dir: Path) -> LandReport:
    """Write the source's landing tables under `landing_dir`, one Parquet file a table and day, and report on every row.

    A file appears whole or not at all, and a run that was cut short is completed by running it again; landing the same
    files again writes nothing. A day that this source landed before with other content is refused before anything is
    written (DataRefused), as landed days are never edited. Refused rows and the report go to `_sources/<source>/`.
    """
    parsed = parse(conf, files)
    _demand_conserved(conf, parsed)
    staged: list[tuple[Path, bytes]] = []
    written: dict[str, int] = {}
    edited: list[str] = []
    unchanged = 0
    for table, day, content in landing_tables(conf, parsed):
        path = landing_dir / table / f"day={day.isoformat()}" / f"{conf.name}.parquet"
        data = _parquet(content)
        written[table] = written.get(table, 0) + content.num_rows
        if not path.exists():
            staged.append((path, data))
        elif path.read_bytes() == data:
            unchanged += 1
        else:
            edited.append(f"{table} day={day.isoformat()}")
    if edited:
        raise DataRefused(
            f"{conf.name}: {len(edited)} landed files hold other content, first {edited[0]}; landed days are never "
            "edited: land into a new folder, with all files of the source at once"
        )
    home = landing_dir / "_sources" / conf.name
    quarantine = home / "quarantine.csv"
    if len(parsed.refused):
        staged.append((quarantine, parsed.refused.to_csv(index=False).encode()))
    for path, data in staged:
        _write(path, data)
    report = LandReport(
        source=conf.name,
        rows_in=parsed.rows_in,
        rows_out=len(parsed.rows),
        duplicates=parsed.duplicates,
        refused_rows=parsed.reasons,
        refused_columns={name: f"{r.why}: {r.because}" for name, r in conf.refused.items()},
        dropped_columns=parsed.dropped_columns,
        first_day=parsed.rows["day"].iloc[0] if len(parsed.rows) else None,
        last_day=parsed.rows["day"].iloc[-1] if len(parsed.rows) else None,
        written=written,
        files_written=len(staged) - int(len(parsed.refused) > 0),
        files_unchanged=unchanged,
        quarantine=str(quarantine) if len(parsed.refused) else None,
        notes=conf.all_notes,
    )
    _write(home / "report.json", json.dumps(report.as_dict(), indent=1, ensure_ascii=False).encode())
    return report


def _demand_conserved(conf: SourceConf, parsed: Parsed) -> None:
    accounted = len(parsed.rows) + len(parsed.refused) + parsed.duplicates
    if parsed.rows_in != accounted:
        raise Fault(f"{conf.name}: {parsed.rows_in} rows in, {accounted} accounted for; report this with the file")


def _parquet(content: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(content, sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.writing")  # a leading dot is not landed
    staging.write_bytes(data)
    os.replace(staging, path)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
