"""Sequences hold at every look, planned sizes tell what they promise, broken assignment is seen."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from jobs.cli import app
from jobs.measure.experiments.balance import balance
from jobs.measure.experiments.calibration import calibration
from jobs.measure.experiments.power import Design, people_needed, smallest_lift
from jobs.measure.experiments.sequences import difference_at_any_time, half_width, tuning
from jobs.runtime.errors import UsageError
from segments.intervals import difference, incremental_cost


def test_the_sequences_vectors() -> None:
    assert tuning(5000) == pytest.approx(0.03984, abs=5e-6)
    assert half_width(5000, 1.0, 5000) == pytest.approx(0.042924, abs=5e-7)
    assert half_width(500, 1.0, 5000) == pytest.approx(0.172403, abs=5e-7)
    assert half_width(20_000, 1.0, 5000) == pytest.approx(0.022112, abs=5e-7)
    assert half_width(5000, 1.0, 5000) / (1.959964 / math.sqrt(5000)) == pytest.approx(1.549, abs=5e-4)
    assert half_width(0, 1.0, 5000) == math.inf


def test_the_worked_incremental_cost() -> None:
    rates = 1080 / 90_000, 80 / 10_000
    variances = [rate * (1 - rate) / people for rate, people in zip(rates, (90_000, 10_000), strict=True)]
    cost, low, high = incremental_cost(120_000, 90_000, *difference(rates[0], variances[0], rates[1], variances[1]))
    assert (round(cost or 0), round(low or 0), round(high or 0)) == (333, 227, 631)


def test_daily_looks_raise_false_alarms_in_under_five_of_a_hundred() -> None:
    rng, worlds, days, rate = np.random.default_rng(11), 2000, 60, 0.02
    people = np.array([900, 100])
    hits = np.cumsum([rng.binomial(people, rate, (worlds, 2)) for _ in range(days)], axis=0)
    alarms, naive = np.zeros(worlds, dtype=bool), np.zeros(worlds, dtype=bool)
    for day in range(days):
        seen = people * (day + 1)
        rates = hits[day] / seen
        variances = np.maximum(rates * (1 - rates), rate * (1 - rate) / 10) / seen
        for world in range(worlds):
            told = difference_at_any_time(tuple(rates[world]), tuple(variances[world]), tuple(seen), 30_000)
            alarms[world] |= told[1] > 0 or told[2] < 0
            fixed = difference(rates[world, 0], variances[world, 0], rates[world, 1], variances[world, 1])
            naive[world] |= fixed[1] > 0 or fixed[2] < 0
    assert alarms.mean() < 0.05
    assert naive.mean() > 0.1, "looking daily at an interval for one look is what this is for"


@pytest.mark.parametrize("is_sequential", [False, True])
def test_a_planned_size_tells_its_lift_as_often_as_promised(is_sequential: bool) -> None:
    design, lift = Design(0.02, 0.2, is_sequential=is_sequential), 0.008
    people, rng = people_needed(design, lift), np.random.default_rng(3)
    sizes = people - round(0.2 * people), round(0.2 * people)
    rates = np.column_stack([rng.binomial(n, p, 4000) / n for n, p in zip(sizes, (0.028, 0.02), strict=True)])
    spread = rates * (1 - rates) / np.array(sizes)
    if is_sequential:
        told = [
            difference_at_any_time(tuple(r), tuple(v), sizes, people)[1] > 0 for r, v in zip(rates, spread, strict=True)
        ]
    else:
        told = [difference(r[0], v[0], r[1], v[1])[1] > 0 for r, v in zip(rates, spread, strict=True)]
    assert np.mean(told) == pytest.approx(0.8, abs=0.03)


@given(
    rate=st.floats(0.001, 0.5),
    holdout=st.floats(0.02, 0.5),
    share=st.floats(0.05, 0.9),
    is_sequential=st.booleans(),
)
def test_the_least_lift_of_the_people_needed_is_the_lift(
    rate: float, holdout: float, share: float, is_sequential: bool
) -> None:
    design = Design(rate, holdout, is_sequential=is_sequential)
    people = people_needed(design, rate * share)
    assert people_needed(design, rate * share) >= people_needed(Design(rate, holdout), rate * share)
    if people > 1000:
        assert smallest_lift(design, people) == pytest.approx(rate * share, rel=5e-3)


def test_arms_of_other_sizes_than_drawn_are_a_mismatch() -> None:
    assert not balance([90_050, 9_950], [0.9, 0.1]).is_mismatch
    assert balance([90_500, 9_500], [0.9, 0.1]).is_mismatch
    assert balance([50, 50], [1, 1]).p == pytest.approx(1.0)
    assert balance([60, 40], [1, 1]).statistic == pytest.approx(4.0)
    assert balance([0, 0], [1, 1]).p == 1.0
    with pytest.raises(UsageError, match="share above 0"):
        balance([5], [1])


def test_attribution_is_held_against_what_was_added() -> None:
    told = calibration((360.0, 190.0, 530.0), 1080)
    assert told.factor == pytest.approx(1 / 3)
    assert told.lo is not None
    assert told.hi is not None
    assert told.lo < 190 / 1080 < 530 / 1080 < told.hi
    assert calibration((3.0, -1.0, 7.0), 0).factor is None
    below = calibration((-5.0, -9.0, -1.0), 100)
    assert below.lo is not None
    assert below.hi is not None
    assert below.lo < below.hi < 0


def test_the_command_plans_people_or_lift() -> None:
    def said(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["experiment", "plan", *arguments])
        assert done.exit_code == code, done.output
        return done.stdout

    told = json.loads(said("--rate", "0.008", "--lift", "0.5", "--spend", "1.33", "--daily", "5000", "--json"))
    assert told["people"] == people_needed(Design(0.008, 0.1), 0.004)
    assert told["treated"] + told["held_out"] == told["people"]
    assert told["incremental_cost"] == pytest.approx(332.5)
    assert told["days"] == math.ceil(told["people"] / 5000)
    assert "at every look" in said("--rate", "0.008", "--people", "90000", "--sequential")
    with pytest.raises(UsageError, match="either --lift"):
        CliRunner().invoke(app, ["experiment", "plan", "--rate", "0.1"], catch_exceptions=False)
    with pytest.raises(UsageError, match="rate is 2"):
        CliRunner().invoke(app, ["experiment", "plan", "--rate", "2", "--lift", "1"], catch_exceptions=False)
