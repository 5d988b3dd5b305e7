"""The referee's own arithmetic: taking orders, verdicts at a volume, the mixing of plans, the table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.evaluate.cutoff import cut_off
from jobs.evaluate.judge import Caps, Stakes, Verdict, judge, judge_at
from jobs.evaluate.product import Forecast
from jobs.evaluate.report import table
from jobs.evaluate.rows import rows_of
from jobs.evaluate.volumes import Plan, at_volume
from jobs.market.ladder import cheapest_first_cost
from jobs.market.taking import TakingOrder, cheapest_first, fill_channels, random_channels
from segments.impact import Impact


def stakes(seed: int, people: int = 300, channels: int = 3, elasticity: float = 0.0) -> Stakes:
    draw = np.random.default_rng(seed)
    funded = draw.lognormal(-6, 1, (people, channels))
    return Stakes(
        cost=funded * draw.lognormal(5, 0.8, (people, channels)),
        funded=funded,
        approved=funded * 2,
        late=draw.uniform(0, 0.1, people),
        fraud=(draw.uniform(size=people) < 0.02) * 0.85,
        capacity=np.full(channels, people // 5),
        impact=Impact((elasticity,) * channels, (people / 10,) * channels),
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_cheapest_come_first_one_a_person_within_capacity(seed: int) -> None:
    known = stakes(seed)
    ratio = known.cost / known.good
    ratio[np.random.default_rng(seed).uniform(size=ratio.shape) < 0.2] = np.inf
    order = cheapest_first(ratio, known.capacity)
    assert len(np.unique(order.person)) == len(order)
    assert (np.bincount(order.channel, minlength=3) <= known.capacity).all()
    assert np.isfinite(ratio[order.person, order.channel]).all()
    # nobody left could still be put on a channel with room
    room = known.capacity - np.bincount(order.channel, minlength=3)
    left = np.setdiff1d(np.arange(300), order.person)
    assert not (np.isfinite(ratio[left]) & (room > 0)).any()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0.05, 0.6))
def test_a_verdict_at_a_volume_is_the_oracles_cost_of_the_market(seed: int, share: float) -> None:
    known = stakes(seed, elasticity=0.2)
    order = cheapest_first(known.cost / known.good, known.capacity)
    goal = share * float(known.good[order.person, order.channel].sum())
    verdict = judge_at(known, order, goal)
    assert verdict is not None
    assert verdict.good == pytest.approx(goal)
    expected = cheapest_first_cost(known.cost, known.good, known.capacity, goal, known.impact)
    assert verdict.cost_per_good == pytest.approx(expected, rel=0.02)
    assert verdict.late_rate < 0.1
    assert verdict.cost_per_approval == pytest.approx(verdict.spend / verdict.funded / 2)


def test_a_full_channel_sends_a_person_to_the_next_one() -> None:
    ratio = np.array([[1.0, 9.0], [2.0, 3.0], [4.0, np.inf]])
    order = cheapest_first(ratio, np.array([1, 5]))
    assert list(zip(order.person, order.channel, strict=True)) == [(0, 0), (1, 1)]


def test_a_volume_out_of_reach_has_no_verdict_and_an_empty_list_wins_nothing() -> None:
    known = stakes(1)
    everyone = fill_channels(np.arange(300), np.arange(3), known.capacity)
    assert len(everyone) == known.capacity.sum()
    assert judge_at(known, everyone, 10 * judge(known, everyone).good) is None
    nobody = judge(known, TakingOrder(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)))
    assert nobody.good == 0.0
    assert np.isnan(nobody.cost_per_good)


def test_random_channels_come_in_proportion_to_capacity() -> None:
    luck = np.random.default_rng(0).uniform(size=30_000)
    order = random_channels(np.arange(30_000), luck, np.array([1000, 3000, 0]))
    assert np.allclose(np.bincount(order.channel, minlength=3) / 30_000, [0.25, 0.75, 0.0], atol=0.01)


@settings(max_examples=30, deadline=None)
@given(bias=st.floats(0.3, 1.5), goal=st.floats(5.0, 200.0), power=st.floats(1.0, 1.6))
def test_a_true_volume_is_met_whatever_the_product_promises(bias: float, goal: float, power: float) -> None:
    asked: list[float] = []

    def ask(floor: float) -> Plan:
        asked.append(floor)
        good = bias * floor
        spend = 100.0 * good**power
        verdict = Verdict(10 * good, spend, good, 1.1 * good, 2 * good, 0.05 * good, 0.0)
        return Plan(floor, verdict, Forecast(spend, floor, 0.05, 0.0, 0.0, 0.0, {}))

    found = at_volume(goal, ask, [])
    assert found is not None
    assert found.good == pytest.approx(goal)
    assert found.spend == pytest.approx(100.0 * goal**power, rel=0.02)
    assert len(asked) <= 6


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), cap=st.floats(0.02, 0.06))
def test_a_policy_is_cut_off_where_the_caps_are_kept_and_no_sooner(seed: int, cap: float) -> None:
    known = stakes(seed, people=3000)
    order = fill_channels(np.arange(3000), np.arange(3), known.capacity)
    goal = 0.3 * judge(known, order).good
    caps = Caps(late=cap)
    found = cut_off(known, order, known.late, goal, caps)
    assert found is not None
    assert found.good == pytest.approx(goal)
    assert caps.keeps(found)
    assert found.late_rate > 0.9 * cap or found == judge_at(known, order, goal)
    assert cut_off(known, order, known.late, goal, Caps(late=0.0001)) is None
    assert cut_off(known, order, -known.late, goal, Caps(late=0.02)) is None


def test_rows_say_what_was_captured_and_which_cap_broke() -> None:
    def verdict(cost: float, late: float) -> Verdict:
        return Verdict(100, cost * 10, 10, 12, 20, late * 12, 0.1)

    found = {(0.1, 0): verdict(500, 0.05), (0.1, 1): verdict(400, 0.05), (0.1, 6): verdict(250, 0.03),
             (0.1, 8): verdict(200, 0.04), (0.1, 5): None}  # fmt: skip
    cut = {(0.1, 0): verdict(550, 0.039)}
    rows = rows_of(found, cut, {"family": "f", "seed": 3}, Caps(late=0.04), {0.1: 2.5}, {})
    assert [row["rung"] for row in rows] == [0, 0, 1, 5, 6, 8]
    assert (rows[1]["policy"], rows[1]["cost_per_good"], rows[1]["keeps_caps"]) == ("random, cut off", 550.0, True)
    product = rows[4]
    assert product["saving_captured"] == pytest.approx(0.75)
    assert product["keeps_caps"] is True
    assert rows[0]["keeps_caps"] is False
    assert rows[3]["cost_per_good"] is None
    columns, lines = table([*rows, *[{**row, "seed": 4} for row in rows]])
    assert [line[columns.index("worlds")] for line in lines] == ["2"] * 6
    assert lines[4][columns.index("against random")] == "0.500 [0.500, 0.500]"
    assert lines[4][columns.index("against best channel")] == "0.625 [0.625, 0.625]"
    assert lines[4][columns.index("captured")] == "0.750 [0.750, 0.750]"
    assert lines[3][columns.index("cost per good")] == "out of reach"
