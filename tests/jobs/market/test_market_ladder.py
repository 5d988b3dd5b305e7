"""The yardsticks against exact answers on small instances."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from jobs.market.ladder import (
    best_channel_cost,
    cheapest_first_cost,
    random_cost,
    random_rank,
    reachable_volume,
)
from segments.impact import Impact

FLAT = Impact((0.0,) * 4, (1.0,) * 4)


def instance(seed: int, people: int, channels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    good = draw.lognormal(-6, 1, (people, channels))
    cost = good * draw.lognormal(5, 0.8, (people, channels))
    capacity = draw.integers(1, people // 2, channels)
    return cost, good, capacity


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), people=st.integers(60, 200), channels=st.integers(1, 5))
def test_reachable_volume_bounds_the_exact_assignment_closely(seed: int, people: int, channels: int) -> None:
    _, good, capacity = instance(seed, people, channels)
    seats = np.repeat(np.arange(channels), capacity)
    row, column = linear_sum_assignment(good[:, seats], maximize=True)
    exact = good[row, seats[column]].sum()
    bound = reachable_volume(good, capacity)
    assert bound >= exact - 1e-12
    # the coordinate-wise prices may stop short of the best ones by a seat or two, which is more of a small instance
    assert bound <= exact * (1 + 1.5 / people)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_oracle_is_never_dearer_than_the_blind(seed: int) -> None:
    cost, good, _ = instance(seed, 400, 4)
    capacity = np.full(4, 100)
    rank = random_rank(400)
    goal = 0.2 * reachable_volume(good, capacity)
    oracle = cheapest_first_cost(cost, good, capacity, goal, FLAT)
    blind = random_cost(cost, good, capacity, goal, rank, FLAT)
    best = best_channel_cost(cost, good, capacity, goal, rank, FLAT)
    assert oracle < min(blind, best)
    scaled = cheapest_first_cost(3 * cost, good, capacity, goal, FLAT)
    assert np.isclose(scaled, 3 * oracle)


def test_prices_that_rise_with_use_are_paid_on_every_row_of_a_channel() -> None:
    impact = Impact((0.5, 0.0), (2.0, 1.0))
    cost, channel = np.array([1.0, 2.0, 3.0, 4.0, 1.0, 1.0, 1.0, 1.0, 1.0]), np.array([0] * 8 + [1])
    assert np.isclose(impact.spend(cost, channel), 14.0 * 2.0 + 1.0)
    assert np.isclose(impact.spend(cost[:2], channel[:2]), 3.0)
