"""Over 200 worlds whose truth is known, the interval of what an outcome more cost holds it as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from segments.intervals import Z, clustered, difference, incremental_cost

WORLDS, PEOPLE, HOLDOUT, SPEND = 200, 60_000, 0.1, 90_000.0


def moments(outcomes: np.ndarray, waves: np.ndarray) -> dict[str, int]:
    """The sums of `clustered` over people: waves a person was assigned in, outcomes among them."""
    told = {"n": waves, "y": outcomes, "nn": waves**2, "ny": waves * outcomes, "yy": outcomes**2}
    return {name: int(column.sum()) for name, column in told.items()}


@pytest.mark.parametrize("outcome", ["applied", "good"])
def test_intervals_hold_the_true_cost_and_are_no_wider_than_they_must_be(outcome: str) -> None:
    base, lift = {"applied": (0.03, 0.02), "good": (0.004, 0.006)}[outcome]
    held, ratios = 0, []
    for world in range(WORLDS):
        rng = np.random.default_rng([17, world])
        waves = rng.integers(1, 5, PEOPLE)
        # People differ, so that one's assignments are alike: a plain binomial would tell too narrow an interval.
        taste = rng.gamma(2.0, 0.5, PEOPLE)
        is_held = rng.random(PEOPLE) < HOLDOUT
        chance = np.minimum(taste * (base + lift * ~is_held), 1.0)
        hits = rng.binomial(waves, chance)
        arms = [clustered(moments(hits[rows], waves[rows])) for rows in (~is_held, is_held)]
        assigned = int(waves[~is_held].sum())
        gap = difference(arms[0][0], arms[0][1], arms[1][0], arms[1][1])
        _, low, high = incremental_cost(SPEND, assigned, *gap)
        truth = SPEND / (assigned * lift)
        assert low is not None
        held += low <= truth and (high is None or truth <= high)
        # The ideal knows the variance: of means of people's outcomes a wave, with chances that differ.
        ideal = 0.0
        for rows, rate in ((~is_held, base + lift), (is_held, base)):
            mean = taste * rate
            spread = waves[rows] * mean[rows] * (1 - mean[rows]) + (waves[rows] * (mean[rows] - rate)) ** 2
            ideal += spread.sum() / waves[rows].sum() ** 2
        ratios.append((gap[2] - gap[1]) / (2 * Z * np.sqrt(ideal)))
    assert 181 <= held <= 197
    assert 1 / 1.3 < np.mean(ratios) < 1.3
