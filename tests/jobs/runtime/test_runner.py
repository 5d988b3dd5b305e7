"""The plan of a run: every declared read is kept, whatever the order of days asked for."""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.contract import Job
from jobs.registry import jobs, upstream
from jobs.runtime import runner
from jobs.runtime.conf import Conf
from jobs.runtime.errors import DataRefused
from jobs.runtime.keys import Keys
from jobs.runtime.shell import Published, Shell

DAYS = [date(2026, 3, 1) + timedelta(days=n) for n in range(4)]


@settings(max_examples=25, deadline=None)
@given(st.permutations(DAYS))
def test_any_order_of_days_keeps_every_read(days: list[date]) -> None:
    nodes = runner.plan(days)
    place = {node: n for n, node in enumerate(nodes)}
    writer = {table.name: job for job in jobs().values() for table in job.writes}
    assert len(place) == len(nodes)
    for name, day in nodes:
        job = jobs()[name]
        if job.landing:
            continue
        for other in upstream(jobs(), name):
            at = max(days) if jobs()[other].landing else day
            assert (other, at) not in place or place[(other, at)] < place[(name, day)]
        for read in job.reads.values():
            past = writer[read.table.name]
            if read.mode != "day" and not past.landing and not past.sends:
                assert all(place[(past.name, d)] < place[(name, day)] for d in days if d < day and past.name != name)


def test_stateless_jobs_follow_the_order_asked_for() -> None:
    days = [DAYS[2], DAYS[0], DAYS[1]]
    nodes = runner.plan(days, ["people"])
    assert [day for _, day in nodes] == days


def test_a_range_leaves_sending_out_and_daily_leaves_training_out() -> None:
    assert not any(jobs()[name].sends for name, _ in runner.plan(DAYS))
    assert not any(jobs()[name].cadence == "weekly" for name, _ in runner.plan(DAYS, cadence="daily"))


def test_ingest_runs_once_for_the_last_day_and_first() -> None:
    nodes = runner.plan(DAYS)
    ingest = [node for node in nodes if jobs()[node[0]].landing]
    assert nodes[: len(ingest)] == ingest
    assert {day for _, day in ingest} == {DAYS[-1]}


class Recording(Shell):
    """A shell that only notes when each job begins and ends; `breaks` fails."""

    events: list[tuple[str, str, date]]
    breaks: str | None
    lock: Lock

    def beside(self) -> Recording:
        return self

    def run(self, job: Job, day: date, **_: Any) -> list[Published]:
        with self.lock:
            self.events.append(("begin", job.name, day))
        time.sleep(0.001 * (hash((job.name, day)) % 5))
        with self.lock:
            self.events.append(("end", job.name, day))
        if job.name == self.breaks:
            raise DataRefused(f"job {job.name} broke")
        return []

    run_landing = run


def recording(tmp_path: Path, conf: Conf, breaks: str | None = None) -> Recording:
    shell = Recording(tmp_path / "w", tmp_path / "l", conf, Keys(bytes(32)), None)
    shell.events, shell.breaks, shell.lock = [], breaks, Lock()
    return shell


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.permutations(DAYS[:3]), at_once=st.integers(1, 4))
def test_jobs_side_by_side_wait_for_what_they_read(tmp_path: Path, conf: Conf, days: list[date], at_once: int) -> None:
    shell, nodes = recording(tmp_path, conf), runner.plan(days)
    steps = list(runner.run(shell, nodes, at_once=at_once))
    assert sorted((step.job.name, step.day) for step in steps) == sorted(nodes)
    place = {event: n for n, event in enumerate(shell.events)}
    under_way = most = 0
    for kind, *_ in shell.events:
        under_way += 1 if kind == "begin" else -1
        most = max(most, under_way)
    assert most <= at_once
    for name, day in nodes:
        for other in upstream(jobs(), name):
            at = max(days) if jobs()[other].landing else day
            if ("end", other, at) in place:
                assert place["end", other, at] < place["begin", name, day]


def test_what_is_under_way_is_finished_and_nothing_begun_after_a_failure(tmp_path: Path, conf: Conf) -> None:
    shell = recording(tmp_path, conf, breaks="people")
    with pytest.raises(DataRefused, match="people broke"):
        list(runner.run(shell, runner.plan(DAYS[:1]), at_once=3))
    begun = {name for kind, name, _ in shell.events if kind == "begin"}
    assert begun == {name for kind, name, _ in shell.events if kind == "end"}
    assert "people" in begun
    assert not begun & {"linked_touches", "eligibility", "audiences"}
