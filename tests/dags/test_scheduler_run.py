"""Airflow itself, scheduler and all, runs the tasks, stops a backfill at a refused day, and leaves nothing behind."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from jobs.demo.airflow_api import AirflowApi
from jobs.demo.airflow_home import AirflowHome, airflow_running

ROOT = Path(__file__).resolve().parents[2]
# Plays the command by its exit code only: `people` of the second day is refused, all else succeeds.
COMMAND = """#!/bin/sh
echo "$2 $4" >> "$ASKED"
[ "$2 $4" != "people 2026-01-06" ] || exit 65
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scheduler")


@pytest.fixture(scope="module")
def api(folder: Path) -> Iterator[AirflowApi]:
    command = folder / "bin" / "huoke"
    command.parent.mkdir()
    command.write_text(COMMAND)
    command.chmod(0o755)
    place = AirflowHome(folder / "home", ROOT / "dags")
    path = f"{command.parent}{os.pathsep}{place.environment({})['PATH']}"
    with airflow_running(place, {"PATH": path, "ASKED": str(folder / "asked")}) as running:
        assert len(airflow_processes(folder)) >= 3
        yield running
    assert airflow_processes(folder) == []


def airflow_processes(folder: Path) -> list[int]:
    """Ids of the processes at work in this Airflow's folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd().startswith(str(folder)):
                found.append(process.pid)
    return found


def asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text().splitlines() if (folder / "asked").exists() else []


def in_manifest(cadence: str) -> set[str]:
    jobs = json.loads((ROOT / "dags" / "manifest.json").read_text())["jobs"]
    return {job["name"] for job in jobs if job["cadence"] == cadence}


def test_every_task_of_a_day_runs_once_with_that_day(api: AirflowApi, folder: Path) -> None:
    before = len(asked(folder))
    seen: list[tuple[str, str]] = []
    state = api.run("acquire_daily", {"day": "2026-01-05"}, lambda name, now, _: seen.append((name, now)))
    assert state == "success"
    lines = asked(folder)[before:]
    assert sorted(lines) == sorted(f"{name} 2026-01-05" for name in in_manifest("daily"))
    assert {name for name, now in seen if now == "success"} == set(
        api.tasks("acquire_daily", api.runs("acquire_daily")[-1]["dag_run_id"])
    )


def test_a_backfill_goes_day_by_day_and_stops_at_a_refused_day(api: AirflowApi, folder: Path) -> None:
    before = len(asked(folder))
    assert api.run("backfill", {"from_day": "2026-01-05", "to_day": "2026-01-07"}, lambda *_: None) == "success"
    second = api.runs("backfill")[-1]
    assert second["conf"] == {"from_day": "2026-01-06", "to_day": "2026-01-07"}
    assert api.watch("backfill", second["dag_run_id"], lambda *_: None) == "failed"
    lines = asked(folder)[before:]
    days = [line.split()[1] for line in lines]
    assert days == sorted(days)
    assert set(days) == {"2026-01-05", "2026-01-06"}
    assert lines.count("people 2026-01-06") == 1
    states = api.tasks("backfill", second["dag_run_id"])
    assert states["link.people"][0] == "failed"
    assert states["following_day"][0] == "upstream_failed"
    assert len(api.runs("backfill")) == 2
