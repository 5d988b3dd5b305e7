"""The plan of a run: every declared read is kept, whatever the order of days asked for."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.registry import jobs, upstream
from jobs.runtime import runner

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
