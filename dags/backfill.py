"""The DAG that runs past days again, one run a day, in order; it holds no sending job at all."""

from airflow.sdk import Param
from huoke_chain import add_jobs, make_dag
from huoke_following import FollowingDay
from huoke_manifest import daily, read_manifest, unsent

FROM, TO = "{{ params.from_day }}", "{{ params.to_day }}"

dag = make_dag(
    "backfill",
    doc="""Run the daily jobs of from_day, then start the run of the following day, until to_day; never sends.

A failed day stops the row: repair it, clear its failed task, and the row goes on.""",
    params={
        "from_day": Param("1970-01-01", type="string", format="date", description="The first day to run"),
        "to_day": Param("1970-01-01", type="string", format="date", description="The last day to run"),
    },
)
tasks = add_jobs(dag, unsent(daily(read_manifest())), day=FROM, last_day=TO)
following = FollowingDay(task_id="following_day", day=FROM, last_day=TO, trigger_dag_id=dag.dag_id, dag=dag)
for task in tasks.values():
    if not task.downstream_task_ids:
        task >> following
