"""A DAG from a set of jobs: one task a job, grouped by stage, with the edges the manifest implies."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import DAG, TaskGroup
from huoke_manifest import ManifestJob, edges
from huoke_tasks import make_task

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

START = pendulum.datetime(2020, 1, 1, tz="UTC")
# A run that nobody scheduled has no `ds`; its day is then the parameter, and an empty one is refused in words.
DAY = "{{ params.day or (ds if ds is defined and ds else '') }}"


def make_dag(dag_id: str, *, doc: str, params: dict[str, Any], schedule: str | None = None) -> DAG:
    """An empty DAG with what all share: one run at a time, no catch-up, and no schedule if HUOKE_SCHEDULE=manual."""
    if os.environ.get("HUOKE_SCHEDULE") == "manual":
        schedule = None
    return DAG(
        dag_id,
        description=doc.splitlines()[0],
        doc_md=doc,
        schedule=schedule,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        params=params,
        tags=["huoke"],
    )


def add_jobs(
    dag: DAG, jobs: dict[str, ManifestJob], *, day: str = DAY, last_day: str | None = None
) -> dict[str, BaseOperator]:
    """Put the jobs into the DAG and return their tasks by name, in the manifest's order."""
    tasks: dict[str, BaseOperator] = {}
    # Without `with dag`: Airflow would register the DAG when that block ends, and again under its final hash.
    groups = {stage: TaskGroup(stage, dag=dag) for stage in dict.fromkeys(job.stage for job in jobs.values())}
    for name, job in jobs.items():
        tasks[name] = make_task(job, day=day, last_day=last_day, dag=dag, task_group=groups[job.stage])
    for upstream, downstream in edges(jobs):
        tasks[upstream] >> tasks[downstream]
    return tasks
