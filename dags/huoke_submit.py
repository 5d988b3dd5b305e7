"""A job as an application of spark-submit, for clusters that only take applications."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk.exceptions import AirflowException
from huoke_failures import JobFailed
from huoke_tasks import checked_day

if TYPE_CHECKING:
    from airflow.sdk import Context

CONNECTION = "huoke_spark"
CONNECTION_VARIABLE = f"AIRFLOW_CONN_{CONNECTION.upper()}"


class SubmitTask(SparkSubmitOperator):
    """Submits `jobs/submit.py run JOB --day D` in client mode to the master HUOKE_SPARK (or connection `huoke_spark`).

    Nothing secret is in the arguments or the Spark configuration: the application reads its settings where it runs.
    """

    template_fields: Sequence[str] = (*SparkSubmitOperator.template_fields, "day", "last_day")

    def __init__(self, *, job: str, day: str, last_day: str | None = None, **kwargs: Any) -> None:
        super().__init__(application=application(), conn_id=CONNECTION, name=f"huoke {job}", **kwargs)
        self.job = job
        self.day = day
        self.last_day = last_day

    def execute(self, context: Context) -> None:
        """Submit the job and wait; JobFailed carries the application's exit code."""
        day = checked_day(self.day, self.last_day)
        self.application_args = ["run", self.job, "--day", day]
        if master := os.environ.get("HUOKE_SPARK"):
            os.environ.setdefault(CONNECTION_VARIABLE, json.dumps(connection(master)))
        try:
            super().execute(context)
        except AirflowException as error:
            # The hook says the exit code of spark-submit, which in client mode is the application's, in words only.
            if found := re.search(r"Error code is: (\d+)", str(error)):
                raise JobFailed(self.job, day, int(found.group(1))) from error
            raise


def application() -> str:
    """Where the installed entry for spark-submit lies, found without importing the jobs."""
    spec = importlib.util.find_spec("jobs")
    if spec is None or spec.origin is None:
        raise ValueError("huoke is not installed beside this Airflow; install it or set HUOKE_TASK_MODE=worker")
    return str(Path(spec.origin).parent / "submit.py")


def connection(master: str) -> dict[str, Any]:
    """An Airflow connection for a master address: local[2], yarn, spark://host:port, k8s://https://host:port."""
    host, _, port = master.rpartition(":")
    if host and port.isdigit():
        return {"conn_type": "spark", "host": host, "port": int(port)}
    return {"conn_type": "spark", "host": master}
