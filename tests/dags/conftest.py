"""The DAG files as Airflow loads them, in a home of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"


@pytest.fixture(scope="session")
def airflow_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables for a child that imports Airflow: its own home, our DAG files, no examples."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "HUOKE"))}
    return inherited | {
        "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{DAGS}",
    }


@pytest.fixture(scope="session")
def in_airflow(airflow_env: dict[str, str]) -> Callable[..., str]:
    """Run a piece of Python where the DAG files' own modules import, and return what it prints.

    In a child, so that Airflow's import hooks, settings and logging never reach the other tests.
    """

    def run(code: str, **extra: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code], env=airflow_env | extra, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run
