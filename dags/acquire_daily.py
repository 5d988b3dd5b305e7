"""The DAG of every day: ingest, link, score, plan, measure, and at the end send."""

from airflow.sdk import Param
from huoke_chain import add_jobs, make_dag
from huoke_manifest import daily, read_manifest

dag = make_dag(
    "acquire_daily",
    doc="Every daily job of one day, from landed files to audiences and costs; sending comes last.",
    schedule="0 6 * * *",
    params={"day": Param(None, type=["null", "string"], format="date", description="The day to run; empty: its date")},
)
add_jobs(dag, daily(read_manifest()))
