"""A world refereed from landing files to verdicts, the product's real chain among the rungs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jobs.evaluate.world import family_world, market_print, referee
from jobs.runtime.conf import Conf
from jobs.runtime.keys import load_keys
from jobs.runtime.shell import Shell

CONF = Path(__file__).parents[3] / "conf"


@pytest.mark.storm
@pytest.mark.timeout(1200)
def test_a_world_is_judged_by_its_truth_and_once_only(spark: Any, tmp_path: Path) -> None:
    @contextmanager
    def opened(warehouse: Path, landing: Path, conf: Conf) -> Iterator[Shell]:
        yield Shell(warehouse, landing, conf, load_keys(warehouse), spark)

    said: list[str] = []
    landing, truth = family_world(CONF, tmp_path, "log_linear", 5, 1500, said.append)
    label = {"family": "log_linear", "seed": 5}
    rungs = (0, 1, 2, 3, 4, 5, 6, 7, 8)
    rows = referee(landing, truth, tmp_path, (0.3,), rungs, label, said.append, opened, partners=False)
    whole = [row for row in rows if not row["is_cut_off"]]
    assert [row["rung"] for row in whole] == list(rungs)
    cost = {row["rung"]: row["cost_per_good"] for row in whole}
    good = {row["rung"]: row["good"] for row in whole if row["good"] is not None}
    assert max(good.values()) == pytest.approx(min(good.values()))
    assert cost[7] < min(cost[0], cost[1])
    assert all(cost[7] <= 1.02 * value for value in cost.values() if value is not None)
    kept = json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))
    assert kept["rows"] == rows
    assert kept["plans"]
    assert all(plan["forecast"]["max_violation"] <= 1e-9 for plan in kept["plans"])
    said.clear()
    assert referee(landing, truth, tmp_path, (0.3,), rungs, label, said.append, opened, partners=False) == rows
    assert said == ["refereed before: nothing done"]


def test_another_market_of_the_same_name_is_not_taken_for_refereed(tmp_path: Path) -> None:
    def written(where: str, truth: str, landed: str) -> str:
        for name, file, text in (("truth", "people.csv", truth), ("landing", "loans/day=2026-01-01/a.csv", landed)):
            path = tmp_path / where / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return market_print(tmp_path / where / "landing", tmp_path / where / "truth")

    first = written("a", "1,2", "x")
    assert written("b", "1,2", "x") == first, "where it lies says nothing"
    assert written("a", "1,3", "x") != first
    assert written("a", "1,2", "xy") != first
