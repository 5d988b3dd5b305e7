"""Airflow's public REST API, as much of it as starting a DAG run and watching it takes."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from jobs.runtime.errors import Fault, TryAgain

POLL_SECONDS = 0.5
CALL_SECONDS = 30.0
DONE = {"success", "failed"}


class AirflowApi:
    """A running Airflow; `running` are its processes, whose death ends every wait."""

    def __init__(self, url: str, running: Sequence[subprocess.Popen[bytes]]) -> None:
        self.url = url
        self.running = running
        self._token = ""

    def log_in(self, user: str, password: str) -> None:
        """Fetch the token the other calls carry."""
        self._token = self._call("/auth/token", {"username": user, "password": password})["access_token"]

    def wait_for(self, dag_ids: Sequence[str], seconds: float = 120.0) -> None:
        """Return when Airflow knows these DAGs; TryAgain (75) after a while, Fault (70) when a file does not import."""
        deadline = time.monotonic() + seconds
        while missing := set(dag_ids) - {dag["dag_id"] for dag in self._call("/api/v2/dags")["dags"]}:
            if errors := self._call("/api/v2/importErrors")["import_errors"]:
                raise Fault(f"{errors[0]['filename']} does not import: {errors[0]['stack_trace'][-300:]}")
            self._check_alive()
            if time.monotonic() > deadline:
                raise TryAgain(f"Airflow does not know {sorted(missing)} after {seconds:.0f} s; see dag-processor.log")
            time.sleep(POLL_SECONDS)

    def trigger(self, dag_id: str, conf: Mapping[str, str]) -> str:
        """Ask for a run with these parameters and return its id."""
        return str(
            self._call(f"/api/v2/dags/{dag_id}/dagRuns", {"conf": dict(conf), "logical_date": None})["dag_run_id"]
        )

    def watch(self, dag_id: str, run_id: str, tell: Callable[[str, str, float], None], seconds: float = 3600.0) -> str:
        """Wait for a run, telling each task's state as it changes with its seconds so far; the run's final state.

        TryAgain (75) when the run takes longer than `seconds` or Airflow itself dies.
        """
        seen: dict[str, str] = {}
        deadline = time.monotonic() + seconds
        while True:
            state = str(self._call(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])
            for name, (now, took) in self.tasks(dag_id, run_id).items():
                if seen.get(name) != now:
                    seen[name] = now
                    tell(name, now, took)
            if state in DONE:
                return state
            self._check_alive()
            if time.monotonic() > deadline:
                raise TryAgain(f"run {run_id} of {dag_id} is {state} after {seconds:.0f} s; see the scheduler's log")
            time.sleep(POLL_SECONDS)

    def run(self, dag_id: str, conf: Mapping[str, str], tell: Callable[[str, str, float], None]) -> str:
        """Trigger a run and watch it to its end; its final state, `success` or `failed`."""
        self.wait_for([dag_id])
        return self.watch(dag_id, self.trigger(dag_id, conf), tell)

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Every run of a DAG, oldest first."""
        return list(self._call(f"/api/v2/dags/{dag_id}/dagRuns?order_by=id&limit=100")["dag_runs"])

    def tasks(self, dag_id: str, run_id: str) -> dict[str, tuple[str, float]]:
        """State and seconds of every task of a run; a task that nobody has looked at yet has the state `waiting`."""
        answer = self._call(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=200")
        return {task["task_id"]: (str(task["state"] or "waiting"), _seconds(task)) for task in answer["task_instances"]}

    def _check_alive(self) -> None:
        if ended := [process.args for process in self.running if process.poll() is not None]:
            raise TryAgain(f"a part of Airflow has ended ({ended[0]!r}); its log lies in AIRFLOW_HOME")

    def _call(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        request = urllib.request.Request(self.url + path, headers={"Content-Type": "application/json"})
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        if body is not None:
            request.data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Fault(f"Airflow refuses {path}: {error.code} {error.read().decode()[:300]}") from error
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise TryAgain(f"Airflow does not answer {path}: {error}; see api-server.log in AIRFLOW_HOME") from error


def _seconds(task: Mapping[str, Any]) -> float:
    if task.get("duration") is not None:
        return float(task["duration"])
    if not task.get("start_date"):
        return 0.0
    return (datetime.now(UTC) - datetime.fromisoformat(task["start_date"])).total_seconds()
