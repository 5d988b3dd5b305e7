"""The real chain on a tiny market: the real DAGs through the real scheduler, every task on one Spark Connect server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.demo.airflow_api import AirflowApi
from jobs.demo.airflow_home import AirflowHome, airflow_running
from jobs.runtime.cluster import connect_server

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = "1500"


def huoke(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "jobs.submit", *arguments], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A market of its own and the configuration found in it."""
    base = tmp_path_factory.mktemp("full")
    landing, conf = str(base / "landing"), str(base / "conf")
    huoke("market", "new", "--people", PEOPLE, "--landing", landing, "--truth", str(base / "truth"))
    huoke("init", "--landing", landing, "--conf", conf)
    return base


@pytest.fixture(scope="module")
def api(folder: Path) -> Iterator[AirflowApi]:
    place = AirflowHome(folder / "airflow", ROOT / "dags")
    with connect_server(folder / "spark", memory="2g") as address:
        where = {
            "HUOKE_SPARK": address,
            "HUOKE_LANDING": str(folder / "landing"),
            "HUOKE_WAREHOUSE": str(folder / "warehouse"),
            "HUOKE_CONF": str(folder / "conf"),
        }
        with airflow_running(place, where) as running:
            yield running


@pytest.mark.storm
@pytest.mark.timeout(3000)
def test_the_dags_succeed_and_publish_what_the_manifest_says(api: AirflowApi, folder: Path) -> None:
    day = max(path.name for path in (folder / "landing" / "touches").iterdir()).removeprefix("day=")
    for dag_id in ("train_weekly", "acquire_daily"):
        states: list[str] = []
        outcome = api.run(dag_id, {"day": day}, lambda name, now, took: states.append(f"{name} {now} {took:.0f} s"))  # noqa: B023
        assert outcome == "success", states
    jobs = json.loads((ROOT / "dags" / "manifest.json").read_text())["jobs"]
    written = {table for job in jobs for table in job["writes"]}
    # A clean market has an empty quarantine, which is no table.
    kept = {table for table in written if not table.startswith("quarantine_")}
    assert kept == {path.name for path in (folder / "warehouse" / "tables").iterdir()}
