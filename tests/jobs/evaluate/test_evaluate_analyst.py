"""The analyst's script plans on the same landing files, and the referee can judge its list."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from jobs.market.conf import read_market_conf
from jobs.market.history import new_market
from jobs.market.referee import referee

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tests" / "bench"))
import analyst  # noqa: E402


def test_the_analysts_list_keeps_capacities_and_can_be_judged(tmp_path: Path) -> None:
    landing, truth = tmp_path / "landing", tmp_path / "truth"
    conf = read_market_conf(ROOT / "conf" / "market.yaml", people=4000, months=6, seed=3)
    new_market(conf, landing, truth, lambda line: None)
    capacity = json.loads((truth / "channels.json").read_text(encoding="utf-8"))
    chosen = analyst.plan(landing, capacity, 2.0)
    assert chosen["prospect_id"].is_unique
    assert (chosen["channel"].value_counts() <= 1.0 * chosen["channel"].value_counts().index.map(capacity)).all()
    assert chosen["expected_good"].sum() >= 2.0
    assert chosen["expected_good"].iloc[:-1].sum() < 2.0
    ratio = chosen["expected_cost"] / chosen["expected_good"]
    assert ratio.is_monotonic_increasing
    judged = referee(truth, chosen)
    assert judged["overall"]["spend"] > 0
    assert judged["over_capacity"] == {}
