"""A re-run changes nothing, and a backfill in any order gives what it gives in order."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import chain

FEW = ("ingest_fx_rates", "ingest_spend", "spend_ledger")
Run = Callable[..., str]


def shuffled_equals_ordered(folder: Path, count: int, jobs: tuple[str, ...], run: Run) -> None:
    landing = chain.market(folder)
    chance = random.Random(3)
    order = [day.isoformat() for day in chain.days_before(chain.LAST, count)]
    run(landing, folder / "ordered", ",".join(order), *jobs)
    while order == sorted(order):
        chance.shuffle(order)
    run(landing, folder / "shuffled", ",".join(order), *jobs)
    ordered, shuffled = chain.versions(folder / "ordered"), chain.versions(folder / "shuffled")
    assert len(ordered) > count
    assert ordered == shuffled


def rerun_publishes_nothing(folder: Path, jobs: tuple[str, ...], run: Run) -> None:
    landing = chain.market(folder)
    warehouse = folder / "ordered"
    day = chain.LAST.isoformat()
    before, told = chain.versions(warehouse), len(chain.events(warehouse))
    run(landing, warehouse, day, *jobs, extra=["--no-send"])
    unchanged = [event["event"] for event in chain.events(warehouse)[told:]]
    assert set(unchanged) == {"unchanged"}
    told += len(unchanged)
    run(landing, warehouse, day, *jobs, extra=["--no-send", "--force"])
    forced = [event["event"] for event in chain.events(warehouse)[told:]]
    assert chain.versions(warehouse) == before
    assert "published" not in forced
    assert forced.count("same") == sum(1 for key in before if key.endswith(day) or _is_landed(key))


def _is_landed(key: str) -> bool:
    from jobs.registry import tables

    return tables()[key.split("@")[0]].is_landed


def test_two_days_in_the_wrong_order_and_a_rerun(tmp_path: Path, run_here: Run) -> None:
    shuffled_equals_ordered(tmp_path, 2, FEW, run_here)
    rerun_publishes_nothing(tmp_path, FEW, run_here)


@pytest.mark.storm
@pytest.mark.timeout(3000)
def test_fourteen_shuffled_days(storm_folder: Path) -> None:
    shuffled_equals_ordered(storm_folder / "backfill", 14, (), chain.run)
    rerun_publishes_nothing(storm_folder / "backfill", (), chain.run)
