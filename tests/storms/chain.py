"""Running the real command on a small market: what the storms share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from jobs.market.conf import read_market_conf
from jobs.market.history import new_market
from jobs.runtime.store import Store

ROOT = Path(__file__).resolve().parents[2]
SECRET = "5e" * 32
LAST = date(2026, 5, 31)
OWN = {"HUOKE_SECRET": SECRET, "HUOKE_CONF": str(ROOT / "conf"), "HUOKE_LOG": "WARNING"}


def market(folder: Path, people: int = 2000, seed: int = 11) -> Path:
    """A small market's landing folder, made once."""
    landing = folder / "landing"
    if not landing.is_dir():
        conf = read_market_conf(ROOT / "conf" / "market.yaml", people=people, seed=seed, history_end=LAST, months=6)
        new_market(conf, landing, folder / "truth", lambda line: None)
    return landing


def command(*arguments: str) -> list[str]:
    """The command line of `huoke`."""
    return [str(Path(sys.executable).parent / "huoke"), *arguments]


def environment(**changes: str) -> dict[str, str]:
    """The environment of a run: one fixed secret, so that two warehouses can be compared."""
    return {**os.environ, **OWN, **changes}


def run(
    landing: Path, warehouse: Path, days: str, *jobs: str, spark: str = "local[2]", extra: Sequence[str] = ()
) -> str:
    """`huoke run` to its end; its output. A run that fails shows what it said."""
    line = command(*words(landing, warehouse, days, *jobs, spark=spark, extra=extra))
    done = subprocess.run(line, env=environment(), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def words(
    landing: Path, warehouse: Path, days: str, *jobs: str, spark: str = "local[2]", extra: Sequence[str] = ()
) -> list[str]:
    """The words after `huoke` of such a run."""
    places = ["--landing", str(landing), "--warehouse", str(warehouse), "--spark", spark]
    return ["run", *jobs, "--day", days, *places, *extra]


def versions(warehouse: Path) -> dict[str, str]:
    """The version in force of every table and day."""
    store = Store(warehouse)
    found = {}
    for table in store.tables():
        for day in store.days(table):
            pointer = store.pointer(table, day)
            assert pointer is not None
            found[f"{table}@{day}"] = pointer.version
    return found


def events(warehouse: Path) -> list[dict[str, Any]]:
    """The run log, oldest first."""
    path = warehouse / "runs" / "log.jsonl"
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]


def days_before(last: date, count: int) -> list[date]:
    """`count` days in a row that end on `last`."""
    return [last - timedelta(days=n) for n in reversed(range(count))]
