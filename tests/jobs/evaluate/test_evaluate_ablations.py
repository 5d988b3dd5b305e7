"""A whole world ablated, from its landing files to costs by the truth."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jobs.evaluate.judge import Caps
from jobs.evaluate.world import Opened
from jobs.runtime.conf import Conf
from jobs.runtime.keys import load_keys
from jobs.runtime.shell import Shell

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
from ablation_world import world_of
from ablations import arm_rows
from arms import NOTHING
from partner_choice import CHOICE, world_rows


@pytest.fixture
def opened(spark: Any) -> Opened:
    @contextmanager
    def here(warehouse: Path, landing: Path, conf: Conf) -> Iterator[Shell]:
        yield Shell(warehouse, landing, conf, load_keys(warehouse), spark)

    return here


@pytest.mark.storm
@pytest.mark.timeout(1200)
def test_without_organic_demand_plans_promise_more_than_they_bring(opened: Opened, tmp_path: Path) -> None:
    said: list[str] = []
    world = world_of(tmp_path, "log_linear", 5, 3000, said.append, opened)
    played = (NOTHING, "without p_organic", "with history", "with LightFM")
    whole, alone, past, taste = (arm_rows(tmp_path, world, arm, [0.3], ["1.0"], said.append)[0] for arm in played)
    assert alone["promised_over_true"] > 1.01 * whole["promised_over_true"]
    assert whole["cost_per_good"] > 0
    assert len({one["cost_per_good"] for one in (whole, past, taste)}) == 3, "inputs added are used"
    said.clear()
    assert arm_rows(tmp_path, world, NOTHING, [0.3], ["1.0"], said.append) == [whole]
    assert not said, "an arm played before is read back"


@pytest.mark.storm
@pytest.mark.timeout(1200)
def test_with_partners_to_choose_from_customers_cost_less(opened: Opened, tmp_path: Path) -> None:
    said: list[str] = []
    asked = ("log_linear", 5, 10_000, [0.3], Caps(0.06), said.append, opened)
    chosen, drawn = world_rows(tmp_path, *asked)
    assert (chosen["arm"], drawn["arm"]) == (NOTHING, CHOICE)
    assert chosen["cost_per_good"] < 0.9 * drawn["cost_per_good"]
    said.clear()
    assert world_rows(tmp_path, *asked) == [chosen, drawn]
    assert not said, "a world played before is read back"
