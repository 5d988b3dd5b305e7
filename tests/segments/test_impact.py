"""Prices that rise with use: the factor at the usual load, and the slope of what a channel costs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segments.impact import Impact


@settings(max_examples=50, deadline=None)
@given(elasticity=st.floats(0.0, 1.0), load=st.floats(0.1, 5.0), mean=st.floats(0.1, 50.0))
def test_the_marginal_is_the_slope_of_what_a_channel_costs(elasticity: float, load: float, mean: float) -> None:
    impact, usual = Impact((elasticity,), (1000.0,)), 1000.0
    listed = load * usual

    def total(people: float) -> float:
        return float(people * mean * impact.factor([people])[0])

    step = listed * 1e-5
    slope = (total(listed + step) - total(listed - step)) / (2 * step)
    assert slope == pytest.approx(mean * impact.marginal([listed])[0], rel=1e-4)


def test_costs_are_told_at_the_usual_load_and_an_unused_channel_does_not_move() -> None:
    impact = Impact((0.5, 0.5, 0.0), (100.0, 0.0, 50.0))
    assert impact.factor([100, 999, 7]).tolist() == [1.0, 1.0, 1.0]
    assert impact.factor([400, 0, 0])[0] == pytest.approx(2.0)
    assert not impact.is_flat
    assert Impact((0.0,), (10.0,)).is_flat
    channel = np.array([0] * 25 + [2])
    assert impact.spend(np.ones(26), channel) == pytest.approx(25 * 0.5 + 1.0)
