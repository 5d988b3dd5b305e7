"""A re-run changes nothing, and a backfill in any order gives what it gives in order."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import chain

LINKED = ("people", "linked_touches", "matured_outcomes", "assignment_outcomes")


def shuffled_equals_ordered(folder: Path, count: int, jobs: tuple[str, ...]) -> None:
    landing = chain.market(folder)
    days = chain.days_before(chain.LAST, count)
    order = [day.isoformat() for day in days]
    ingest = [] if not jobs else [f"ingest_{path.name}" for path in sorted(landing.iterdir()) if path.is_dir()]
    chain.run(landing, folder / "ordered", ",".join(order), *ingest, *jobs)
    random.Random(3).shuffle(order)
    assert order != sorted(order)
    chain.run(landing, folder / "shuffled", ",".join(order), *ingest, *jobs)
    ordered, shuffled = chain.versions(folder / "ordered"), chain.versions(folder / "shuffled")
    assert len(ordered) > count * max(len(jobs), 1)
    assert ordered == shuffled


def rerun_publishes_nothing(folder: Path) -> None:
    landing = chain.market(folder)
    warehouse = folder / "ordered"
    day = chain.LAST.isoformat()
    chain.run(landing, warehouse, day, extra=["--no-send"])
    before, told = chain.versions(warehouse), len(chain.events(warehouse))
    chain.run(landing, warehouse, day, extra=["--no-send"])
    chain.run(landing, warehouse, day, extra=["--no-send", "--force"])
    after = [event["event"] for event in chain.events(warehouse)[told:]]
    assert chain.versions(warehouse) == before
    assert "published" not in after
    assert after.count("unchanged") >= len({event["job"] for event in chain.events(warehouse) if "job" in event})
    assert after.count("same") == len(before) - sum(
        1 for key in before if not key.endswith(day) and not _is_landed(key)
    )


def _is_landed(key: str) -> bool:
    from jobs.registry import tables

    return tables()[key.split("@")[0]].is_landed


def test_two_shuffled_days_and_a_rerun(tmp_path: Path) -> None:
    shuffled_equals_ordered(tmp_path, 2, LINKED)
    rerun_publishes_nothing(tmp_path)


@pytest.mark.storm
@pytest.mark.timeout(3000)
def test_fourteen_shuffled_days(storm_folder: Path) -> None:
    shuffled_equals_ordered(storm_folder / "backfill", 14, ())
    rerun_publishes_nothing(storm_folder / "backfill")
