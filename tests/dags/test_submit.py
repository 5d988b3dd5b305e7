"""A job handed to spark-submit: its own exit code comes back, and the command line holds nothing secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from jobs.runtime.cluster import spark_home

InAirflow = Callable[..., str]

CODE = """
import json
from huoke_failures import JobFailed
from huoke_submit import SubmitTask, application, connection
task = SubmitTask(task_id="people", job="people", day="2026-01-05")
try:
    task.execute({})
    became = 0
except JobFailed as error:
    became = error.code
print(json.dumps({
    "became": became,
    "command": task._hook._build_spark_submit_command(task.application),
    "application": application(),
    "connections": [connection(m) for m in ("local[2]", "yarn", "spark://127.0.0.1:7077", "k8s://https://k8s:6443")],
}))
"""


def test_the_applications_exit_code_is_the_failure(in_airflow: InAirflow, tmp_path: Path) -> None:
    # No landing folder there: `huoke run` leaves with 64 before it starts a session.
    out = in_airflow(
        CODE,
        HUOKE_TASK_MODE="submit",
        HUOKE_SPARK="local[1]",
        HUOKE_LANDING=str(tmp_path / "nowhere"),
        SPARK_HOME=str(spark_home()),
    )
    answer = json.loads(out.splitlines()[-1])
    assert answer["became"] == 64
    assert answer["command"] == [
        *("spark-submit", "--master", "local[1]", "--name", "huoke people"),
        *(answer["application"], "run", "people", "--day", "2026-01-05"),
    ]
    assert Path(answer["application"]).is_file()
    assert [(c["host"], c.get("port")) for c in answer["connections"]] == [
        ("local[2]", None),
        ("yarn", None),
        ("spark://127.0.0.1", 7077),
        ("k8s://https://k8s", 6443),
    ]
