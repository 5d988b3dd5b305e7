"""The DAG of every week: what the training jobs need of the day, and the training jobs."""

from airflow.sdk import Param
from huoke_chain import add_jobs, make_dag
from huoke_manifest import read_manifest, training

dag = make_dag(
    "train_weekly",
    doc="Train every model on what is known on one day; never sends.",
    schedule="0 2 * * 1",
    params={"day": Param(None, type=["null", "string"], format="date", description="The day to run; empty: its date")},
)
add_jobs(dag, training(read_manifest()))
