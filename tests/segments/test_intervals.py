"""Intervals against printed vectors, and their order and coverage as properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segments.intervals import clustered, cost_per, difference, incremental_cost, poisson, wilson


def test_vectors() -> None:
    assert wilson(1, 10) == pytest.approx((0.0178762, 0.4041500), abs=1e-6)
    assert wilson(0, 0) == (None, None)
    assert poisson(10) == pytest.approx((4.7953887, 18.3903560), abs=1e-6)
    assert poisson(0) == pytest.approx((0, 3.6888795), abs=1e-6)
    assert cost_per(1000, 0)[::2] == (None, None)
    assert cost_per(1000, 0)[1] == pytest.approx(1000 / 3.6888795)


def test_incremental_cost_is_333_227_631_and_unidentified_when_the_lift_touches_0() -> None:
    treated, control = 1080 / 90_000, 80 / 10_000
    gap, low, high = difference(treated, treated * (1 - treated) / 90_000, control, control * (1 - control) / 10_000)
    found = incremental_cost(120_000, 90_000, gap, low, high)
    assert [round(x) for x in found if x] == [333, 227, 631]
    assert incremental_cost(100, 10, 0.1, -0.01, 0.21) == (None, pytest.approx(100 / 2.1), None)
    assert incremental_cost(100, 10, -0.2, -0.3, -0.1) == (None, None, None)


@given(st.integers(0, 400), st.integers(1, 400))
def test_intervals_hold_their_estimate(count: int, more: int) -> None:
    low, high = wilson(count, count + more)
    assert low is not None
    assert high is not None
    assert 0 <= low <= count / (count + more) <= high <= 1
    cost, least, most = cost_per(50.0, count)
    assert least is not None
    assert cost is None or (most is not None and least < cost < most)


def test_clustered_variance_sees_that_people_repeat() -> None:
    """Of 600 worlds with people who always or never apply, the 95 % interval holds the truth in about 95 %."""
    dice, held = np.random.default_rng(5), {"clustered": 0, "naive": 0}
    for _ in range(600):
        n = dice.integers(1, 12, 400)
        y = n * (dice.random(400) < 0.2)
        sums = {"n": n.sum(), "y": y.sum(), "nn": (n * n).sum(), "ny": (n * y).sum(), "yy": (y * y).sum()}
        rate, variance = clustered({name: int(value) for name, value in sums.items()})
        held["clustered"] += abs(rate - 0.2) <= 1.96 * variance**0.5
        held["naive"] += abs(rate - 0.2) <= 1.96 * (rate * (1 - rate) / n.sum()) ** 0.5
    assert 0.92 <= held["clustered"] / 600 <= 0.975
    assert held["naive"] / 600 < 0.7
