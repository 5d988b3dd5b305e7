"""A task runs the command with its day, and each exit code leads to the retry it deserves."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

InAirflow = Callable[..., str]

# Only the exit code is played: the command itself has tests of its own.
COMMAND = """#!/bin/sh
echo "$*" >> "$0.asked"
case "$2" in
  refused) exit 65 ;;
  busy) exit 75 ;;
  slow) exec sleep 300 ;;
esac
"""
# One child for all cases: importing Airflow takes longer than everything else here.
CASES = """
import json, signal, time
from airflow.sdk.exceptions import AirflowFailException
from huoke_failures import ByKindOfFailure, JobFailed
from huoke_tasks import WorkerTask

def execute(job, day="2026-01-05", last_day=None):
    task = WorkerTask(task_id=job, job=job, day=day, last_day=last_day)
    try:
        task.execute({})
        return ["done"]
    except JobFailed as error:
        return ["failed", error.code]
    except AirflowFailException as error:
        return ["never again", str(error)]
    except TimeoutError:
        return ["timeout", task._process.poll()]

def ring(*_):
    raise TimeoutError

def decide(error):
    return [ByKindOfFailure().evaluate(error, number, 5).action.value for number in (1, 2)]

signal.signal(signal.SIGALRM, ring)
answer = {
    "people": execute("people"),
    "refused": execute("refused"),
    "busy": execute("busy"),
    "no day": execute("people", ""),
    "no date": execute("people", "05.01.2026"),
    "wrong order": execute("people", "2026-01-06", "2026-01-05"),
    "policy": {code: decide(JobFailed("people", "2026-01-05", code)) for code in (64, 65, 77, 75, 70, 137, -9)},
    "policy on timeout": decide(TimeoutError()),
}
signal.alarm(1)
answer["slow"] = execute("slow")
print(json.dumps(answer))
"""


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bin") / "huoke"
    path.write_text(COMMAND)
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def became(in_airflow: InAirflow, airflow_env: dict[str, str], command: Path) -> dict[str, Any]:
    """What became of each case."""
    out = in_airflow(CASES, PATH=f"{command.parent}{os.pathsep}{airflow_env['PATH']}")
    return json.loads(out.splitlines()[-1])


def test_the_command_is_asked_for_the_job_and_its_day(became: dict[str, Any], command: Path) -> None:
    assert became["people"] == ["done"]
    asked = Path(f"{command}.asked").read_text().splitlines()
    assert asked == [f"run {job} --day 2026-01-05" for job in ("people", "refused", "busy", "slow")]


def test_the_exit_code_of_the_command_is_the_failure(became: dict[str, Any]) -> None:
    assert became["refused"] == ["failed", 65]
    assert became["busy"] == ["failed", 75]


def test_a_failure_is_retried_by_its_kind(became: dict[str, Any]) -> None:
    never, once, patiently = ["fail", "fail"], ["retry", "fail"], ["default", "default"]
    assert became["policy"] == {
        **{"64": never, "65": never, "77": never},
        "75": patiently,
        **{"70": once, "137": once, "-9": once},
    }
    assert became["policy on timeout"] == once


@pytest.mark.parametrize(
    ("case", "words"), [("no day", "pass the run's days"), ("no date", "pass the run's days"), ("wrong order", "after")]
)
def test_a_wrong_day_is_refused_for_good(became: dict[str, Any], case: str, words: str) -> None:
    assert became[case][0] == "never again"
    assert words in became[case][1]


def test_a_timeout_ends_the_process(became: dict[str, Any]) -> None:
    assert became["slow"] == ["timeout", -15]


def test_this_python_finds_its_own_command(in_airflow: InAirflow) -> None:
    found = in_airflow("import huoke_tasks; print(huoke_tasks.huoke_command())", PATH="/nowhere").strip()
    assert found == str(Path(sys.executable).parent / "huoke")
