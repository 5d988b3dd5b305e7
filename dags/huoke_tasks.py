"""One job as one task: run in the worker by the command `huoke`, or handed to spark-submit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException
from huoke_failures import ByKindOfFailure, JobFailed
from huoke_manifest import ManifestJob

if TYPE_CHECKING:
    from airflow.sdk import Context

RETRIES = 5
END_SECONDS = 20.0


def make_task(job: ManifestJob, *, day: str, last_day: str | None = None, **place: Any) -> BaseOperator:
    """The task of a job; `day` and the last one allowed are templates; HUOKE_TASK_MODE is worker (default) or submit.

    `place` is where it stands: its `dag` and `task_group`.
    """
    settings: dict[str, Any] = {
        "task_id": job.name,
        "owner": job.owner,
        "doc": job.doc,
        "execution_timeout": timedelta(minutes=job.timeout_minutes),
        "retries": RETRIES,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=15),
        "retry_policy": ByKindOfFailure(),
        **place,
    }
    mode = os.environ.get("HUOKE_TASK_MODE", "worker")
    if mode == "worker":
        return WorkerTask(job=job.name, day=day, last_day=last_day, **settings)
    if mode == "submit":
        from huoke_submit import SubmitTask

        return SubmitTask(job=job.name, day=day, last_day=last_day, **settings)
    raise ValueError(f"HUOKE_TASK_MODE is {mode!r}; set it to worker or submit")


class WorkerTask(BaseOperator):
    """Runs `huoke run JOB --day D` in the worker; HUOKE_SPARK, HUOKE_LANDING, HUOKE_WAREHOUSE, HUOKE_CONF say where."""

    template_fields: Sequence[str] = ("day", "last_day")
    ui_color = "#dbe9f6"

    def __init__(self, *, job: str, day: str, last_day: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job
        self.day = day
        self.last_day = last_day
        self._process: subprocess.Popen[str] | None = None

    def execute(self, context: Context) -> None:
        """Run the job, its output into the task's log; JobFailed carries an exit code that is not 0."""
        day = checked_day(self.day, self.last_day)
        self._process = subprocess.Popen(
            [huoke_command(), "run", self.job, "--day", day],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        try:
            for line in self._process.stdout or ():
                self.log.info("%s", line.rstrip())
            code = self._process.wait()
        finally:
            self.on_kill()
        if code != 0:
            raise JobFailed(self.job, day, code)

    def on_kill(self) -> None:
        """End the job's process, which publishes nothing it has not finished."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        process.kill()
        process.wait()


def checked_day(day: str, last_day: str | None) -> str:
    """The day of the run as YYYY-MM-DD; AirflowFailException (never retried) says what to pass instead."""
    try:
        asked = date.fromisoformat(day)
        last = date.fromisoformat(last_day) if last_day else asked
    except ValueError as error:
        raise AirflowFailException(f"{error}: pass the run's days as YYYY-MM-DD in its parameters") from error
    if asked > last:
        raise AirflowFailException(f"from_day {asked} is after to_day {last}: pass them in order")
    return asked.isoformat()


def huoke_command() -> str:
    """The command on PATH, or the one beside this Python."""
    return shutil.which("huoke") or str(Path(sys.executable).parent / "huoke")
