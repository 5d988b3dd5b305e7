"""A month's cost against the last one's by effects that add up; Simpson's channels at one mix of bands."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest

from jobs.measure.cost_comparisons import cost_comparisons
from jobs.tables.measure.costs import BOOK, CHANNEL_COSTS, COUNTS

EFFECTS = ["price", "mix", "conversion", "approval"]


def cell(period: str, channel: str, band: str, **figures: Any) -> dict[str, Any]:
    zero = {c.name: 0 for c in (*COUNTS, *BOOK)}
    return {**zero, "period": period, "channel": channel, "campaign": "c", "band": band, **figures}


@pytest.fixture
def told(rows: Any, make_shell: Any, conf: Any) -> Any:
    def run(*cells: dict[str, Any], day: date = date(2025, 6, 1)) -> Any:
        moves, standard = cost_comparisons(rows(CHANNEL_COSTS, cells), day=day, conf=conf, shell=make_shell())
        return moves.set_index("period"), standard.set_index(["period", "channel"])

    return run


def test_effects_add_up_and_a_dearer_click_is_price(told: Any) -> None:
    same = {"clicks": 100, "applications": 10, "funded": 5}
    moves, _ = told(
        cell("2025-01", "feed", "A", spend=100.0, **same),
        cell("2025-01", "(unattributed)", "(none)", funded=50),
        cell("2025-02", "feed", "A", spend=150.0, **same),
        cell("2025-04", "feed", "A", spend=75.0, clicks=100, applications=5, funded=5),
        cell("2025-04", "sms", "B", spend=75.0, clicks=300, applications=30, funded=3),
    )
    dearer = moves.loc["2025-02"]
    assert dearer[["before", "cost_before", "cost"]].tolist() == ["2025-01", 20, 30]
    assert dearer[EFFECTS].tolist() == pytest.approx([10, 0, 0, 0])
    mixed = moves.loc["2025-04"]
    assert mixed["before"] == "2025-02", "a month without spend is no month to compare with"
    assert mixed[EFFECTS].sum() == pytest.approx(mixed["cost"] - mixed["cost_before"])
    assert moves["maturity"].tolist() == ["final", "open"], "customers of April may be funded in June"


def test_a_channel_dear_as_bought_is_cheap_at_one_mix(told: Any) -> None:
    _, standard = told(
        cell("2025-01", "x", "prime", spend=100 * 300.0, funded=100),
        cell("2025-01", "x", "sub", spend=900 * 100.0, funded=900),
        cell("2025-01", "y", "prime", spend=900 * 270.0, funded=900),
        cell("2025-01", "y", "sub", spend=100 * 90.0, funded=100),
        cell("2025-01", "z", "sub", spend=5.0, funded=1),
    )
    assert standard.loc[("2025-01", "x"), ["cost", "standard_cost"]].tolist() == pytest.approx([120, 200], rel=1e-3)
    assert standard.loc[("2025-01", "y"), ["cost", "standard_cost"]].tolist() == pytest.approx([252, 180], rel=1e-3)
    assert standard.loc[("2025-01", "z"), "reason"] == "no customer in prime"


def test_random_months_add_up(told: Any) -> None:
    dice = random.Random(6)
    cells = [
        cell(
            f"2025-{month:02d}",
            channel,
            band,
            spend=round(dice.uniform(0, 900), 2),
            clicks=dice.randrange(1, 50),
            applications=dice.randrange(1, 9),
            funded=dice.randrange(1, 5),
        )
        for month in range(1, 7)
        for channel in ("feed", "sms", "search")
        for band in "AB"
        if dice.random() < 0.8
    ]
    moves, standard = told(*cells)
    for period, move in moves.iterrows():
        mine = [one for one in cells if one["period"] == period]
        cost = sum(one["spend"] for one in mine) / sum(one["funded"] for one in mine)
        assert move["cost"] == pytest.approx(cost, abs=1e-5)
        assert move[EFFECTS].sum() == pytest.approx(move["cost"] - move["cost_before"], abs=1e-5)
    assert standard["standard_cost"].notna().sum() > 5
    assert (standard["standard_cost"].isna() == standard["reason"].notna()).all()


def test_nothing_spent_nothing_compared(told: Any) -> None:
    moves, standard = told()
    assert moves.empty
    assert standard.empty
