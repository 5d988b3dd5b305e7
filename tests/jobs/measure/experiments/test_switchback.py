"""Every region is served half the time; a planted effect comes back under levels and trends, its interval holds it."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from jobs.measure.experiments.switchback import effect, schedule
from jobs.runtime.settings import SwitchbackConf

START = date(2026, 1, 5)


@given(regions=st.integers(1, 9), pairs=st.integers(1, 6), salt=st.text(max_size=4))
def test_every_region_is_served_once_in_every_pair_and_half_of_them_at_a_time(
    regions: int, pairs: int, salt: str
) -> None:
    conf = SwitchbackConf(first_day=START, days=7, periods=2 * pairs, washout_days=2, salt=salt)
    names = [f"r{i}" for i in range(regions)]
    turns = schedule("feed", names, conf)
    assert turns == schedule("feed", names[::-1], conf), "the order in which regions are named changes nothing"
    assert len(turns) == regions * 2 * pairs
    assert Counter((turn.region, turn.period // 2) for turn in turns if turn.is_on) == {
        (name, pair): 1 for name in names for pair in range(pairs)
    }
    at_once = Counter(turn.period for turn in turns if turn.is_on)
    assert all(abs(at_once[period] - regions / 2) <= 0.5 for period in range(2 * pairs))
    assert {turn.first_day for turn in turns} == {START + timedelta(days=7 * i) for i in range(2 * pairs)}
    assert all(turn.counted_from - turn.first_day == timedelta(days=2) for turn in turns)


def world(seed: int, gain: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes of twelve regions over eight periods that differ among themselves by more than what is planted."""
    rng = np.random.default_rng(seed)
    names = [f"r{i:02d}" for i in range(12)]
    people = rng.integers(2_000, 9_000, 12).astype(float)
    served = np.zeros((12, 8))
    for turn in schedule("feed", names, SwitchbackConf(first_day=START, periods=8, salt=str(seed))):
        served[names.index(turn.region), turn.period] = turn.is_on
    base = 0.02 * rng.lognormal(0, 0.5, 12)[:, None] + 0.01 * np.linspace(0, 1, 8)
    return rng.poisson(people[:, None] * (base + gain * served)).astype(float), people, served


def test_intervals_hold_a_planted_effect_as_often_as_they_say() -> None:
    gain, worlds = 0.004, 200
    found = [effect(*world(seed, gain)) for seed in range(worlds)]
    held = sum(low <= gain <= high for _, low, high in found)  # type: ignore[misc]
    least, most = binom.ppf([0.005, 0.995], worlds, 0.95)
    assert least <= held <= most
    assert np.mean([one[0] for one in found]) == pytest.approx(gain, rel=0.03)  # type: ignore[index]


def test_levels_and_trends_alone_are_no_effect_and_few_regions_tell_nothing() -> None:
    people = np.array([1000.0, 2000.0, 1500.0, 500.0])
    served = np.array([[1, 0, 0, 1], [0, 1, 1, 0], [1, 0, 1, 0], [0, 1, 0, 1]], dtype=float)
    levels = people[:, None] * (np.array([0.1, 0.3, 0.2, 0.5])[:, None] + np.array([0.0, 0.1, 0.2, 0.05]))
    assert effect(levels, people, served)[0] == pytest.approx(0.0, abs=1e-12)  # type: ignore[index]
    assert effect(levels[:3], people[:3], served[:3]) is None
    assert effect(levels, people, np.ones((4, 4))) is None
