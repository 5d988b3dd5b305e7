"""The DAGs hold what the manifest implies: tasks, groups, edges, owners, timeouts, retries; and they load fast."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "dags"))

from huoke_manifest import ManifestJob, daily, edges, read_manifest, training, unsent

from jobs.runtime import errors

InAirflow = Callable[..., str]

REPORT = """
import json, os, sys
from airflow.dag_processing.dagbag import BundleDagBag
folder = os.environ["AIRFLOW__CORE__DAGS_FOLDER"]
bag = BundleDagBag(folder, bundle_path=folder, bundle_name="dags-folder")
dags = {}
for dag in bag.dags.values():
    dags[dag.dag_id] = {
        "max_active_runs": dag.max_active_runs,
        "schedule": dag.schedule,
        "params": sorted(dag.params),
        "order": [t.task_id for t in dag.tasks],
        "tasks": {t.task_id: {
            "kind": type(t).__name__, "owner": t.owner, "retries": t.retries, "doc": t.doc,
            "minutes": t.execution_timeout.total_seconds() / 60 if t.execution_timeout else None,
            "policy": type(t.retry_policy).__name__, "upstream": sorted(t.upstream_task_ids),
        } for t in dag.tasks},
    }
print(json.dumps({
    "errors": bag.import_errors,
    "seconds": {s.file: s.duration.total_seconds() for s in bag.dagbag_stats},
    "dags": dags,
    "heavy": sorted({m.split(".")[0] for m in sys.modules} & {"pyspark", "sklearn", "jobs", "pandas"}),
}))
"""


@pytest.fixture(scope="module")
def loaded(in_airflow: InAirflow) -> dict[str, Any]:
    return json.loads(in_airflow(REPORT).splitlines()[-1])


def test_every_file_loads_fast_and_without_spark(loaded: dict[str, Any]) -> None:
    assert loaded["errors"] == {}
    assert set(loaded["dags"]) == {"acquire_daily", "train_weekly", "backfill"}
    assert len(loaded["seconds"]) >= 3
    assert max(loaded["seconds"].values()) < 1.0
    assert loaded["heavy"] == []


@pytest.mark.parametrize(
    ("dag_id", "wanted"),
    [("acquire_daily", daily), ("train_weekly", training), ("backfill", lambda jobs: unsent(daily(jobs)))],
)
def test_a_dag_is_what_the_manifest_implies(loaded: dict[str, Any], dag_id: str, wanted: Callable[..., Any]) -> None:
    jobs = wanted(read_manifest())
    dag = loaded["dags"][dag_id]
    tasks = {name: task for name, task in dag["tasks"].items() if name != "following_day"}
    ids = {name: f"{job.stage}.{name}" for name, job in jobs.items()}
    assert dag["max_active_runs"] == 1
    assert [name for name in dag["order"] if name != "following_day"] == list(ids.values())
    expected: dict[str, set[str]] = {task: set() for task in ids.values()}
    for upstream, downstream in edges(jobs):
        expected[ids[downstream]].add(ids[upstream])
    assert {name: set(task["upstream"]) for name, task in tasks.items()} == expected
    for name, job in jobs.items():
        task = tasks[ids[name]]
        assert (task["owner"], task["minutes"], task["doc"]) == (job.owner, job.timeout_minutes, job.doc)
        assert (task["kind"], task["policy"]) == ("WorkerTask", "ByKindOfFailure")
        assert task["retries"] > 1


def test_only_the_daily_dag_sends_and_it_sends_last(loaded: dict[str, Any]) -> None:
    jobs = read_manifest()
    sending = {f"{job.stage}.{name}" for name, job in jobs.items() if job.kind == "send"}
    quiet = {f"{job.stage}.{name}" for name, job in unsent(daily(jobs)).items()}
    dag = loaded["dags"]["acquire_daily"]["tasks"]
    assert sending
    assert sending <= set(dag)
    assert not sending & (set(loaded["dags"]["train_weekly"]["tasks"]) | set(loaded["dags"]["backfill"]["tasks"]))
    for sender in sending:
        before, waiting = set(), [sender]
        while waiting:
            for task in dag[waiting.pop()]["upstream"]:
                if task not in before:
                    before.add(task)
                    waiting.append(task)
        assert quiet <= before


def planted(name: str, *after: str, kind: str = "pure", cadence: str = "daily") -> tuple[str, ManifestJob]:
    return name, ManifestJob(name, "activate", cadence, kind, "growth", f"{name}.", 30, after)


def test_sending_waits_for_all_but_what_waits_for_sending() -> None:
    jobs = dict(
        [
            planted("people"),
            planted("model", "people", cadence="weekly"),
            planted("plan", "people", "model"),
            planted("costs", "people"),
            planted("deliveries", "plan", kind="send"),
            planted("receipts", "deliveries"),
            planted("match_rates", "receipts"),
        ]
    )
    assert list(unsent(jobs)) == ["people", "model", "plan", "costs"]
    assert list(training(jobs)) == ["people", "model"]
    assert edges(daily(jobs)) == [
        ("costs", "deliveries"),
        ("deliveries", "receipts"),
        ("people", "costs"),
        ("people", "plan"),
        ("plan", "deliveries"),
        ("receipts", "match_rates"),
    ]


def test_a_manifest_of_another_version_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "manifest.json"
    other.write_text('{"version": 2, "jobs": []}')
    with pytest.raises(ValueError, match="huoke manifest"):
        read_manifest(other)


def test_a_backfilled_day_starts_the_following_one_last(loaded: dict[str, Any]) -> None:
    tasks = loaded["dags"]["backfill"]["tasks"]
    needed = {upstream for name, task in tasks.items() for upstream in task["upstream"] if name != "following_day"}
    assert set(tasks["following_day"]["upstream"]) == set(tasks) - needed - {"following_day"}
    assert loaded["dags"]["backfill"]["params"] == ["from_day", "to_day"]
    assert loaded["dags"]["acquire_daily"]["params"] == ["day"]


def test_submit_mode_and_manual_schedule_come_from_the_environment(in_airflow: InAirflow) -> None:
    answer = in_airflow(REPORT, HUOKE_TASK_MODE="submit", HUOKE_SCHEDULE="manual")
    loaded = json.loads(answer.splitlines()[-1])
    assert loaded["errors"] == {}
    kinds = {task["kind"] for task in loaded["dags"]["train_weekly"]["tasks"].values()}
    assert kinds == {"SubmitTask"}
    assert {dag["schedule"] for dag in loaded["dags"].values()} == {None}


def test_an_unknown_mode_is_refused(in_airflow: InAirflow) -> None:
    loaded = json.loads(in_airflow(REPORT, HUOKE_TASK_MODE="telepathy").splitlines()[-1])
    assert len(loaded["errors"]) == 3
    assert all("set it to worker or submit" in text for text in loaded["errors"].values())


def test_exit_codes_are_those_of_the_command(in_airflow: InAirflow) -> None:
    code = "import huoke_failures as f; print(f.USAGE, f.DATA_REFUSED, f.FAULT, f.TRY_AGAIN, f.POLICY_REFUSED)"
    kinds = (errors.UsageError, errors.DataRefused, errors.Fault, errors.TryAgain, errors.PolicyRefused)
    assert in_airflow(code).split() == [str(kind.exit_code) for kind in kinds]
