"""Factors of channels: planted ones come back with many rows, chance is held back with few, and luck does not jump."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.model.training.lift import LIFT_WORTH, Worth, _age, _ahead, factors

CHANNELS = ["a", "b"]


def rows(
    seed: int, count: int, share: float, factor: dict[str, float], by_chance: float = 1.0, a_month: float = 1.0
) -> pd.DataFrame:
    """People of twelve months, with an expectation of 0.05 each.

    Truth is the channel's factor, times `by_chance` on random rows, times `a_month` for every month since the middle.
    """
    dice = np.random.default_rng(seed)
    channel = dice.choice(CHANNELS, count)
    role = np.where(dice.random(count) < share, "exploration", "policy")
    month = dice.integers(0, 12, count)
    mean = (
        0.05
        * a_month ** (month - 5.5)
        * np.array([factor[name] for name in channel])
        * np.where(role == "exploration", by_chance, 1.0)
    )
    day = pd.Timestamp("2026-01-15") + pd.to_timedelta(30 * month, unit="D")
    return pd.DataFrame(
        {"channel": channel, "role": role, "weight": 1.0, "seen": dice.poisson(mean), "assigned_day": day.date}
    )


def found(frame: pd.DataFrame, worth: Worth = LIFT_WORTH) -> dict[str, float]:
    told = factors(frame, CHANNELS, lambda r, _: (r["seen"].to_numpy(dtype=float), np.full(len(r), 0.05)), worth)
    return {"*": told[0][0], **{name: figures[0] for name, figures in told[1].items()}}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_planted_factors_come_back_and_rows_chosen_by_chance_decide(seed: int) -> None:
    truth = {"a": 1.4, "b": 0.8}
    got = found(rows(seed, 400_000, 0.3, truth, by_chance=0.75))
    for name, factor in truth.items():
        assert abs(got[name] / (0.75 * factor) - 1.0) < 0.12


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 400))
def test_a_few_lucky_rows_move_little(seed: int, explorers: int) -> None:
    frame = rows(seed, 40_000, 0.0, {"a": 1.0, "b": 1.0})
    lucky = frame.assign(role=np.where(np.arange(len(frame)) < explorers, "exploration", "policy"))
    before, after = found(frame), found(lucky)
    for name in before:
        assert abs(after[name] / before[name] - 1.0) < 0.35
        assert 0.8 < before[name] < 1.25


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 1.0]))
def test_rows_a_policy_chose_are_taken_to_say_a_little_too_much_until_chance_tells(seed: int, share: float) -> None:
    frame = rows(seed, 40_000, share, {"a": 1.0, "b": 1.0})
    hidden, none = (found(frame, replace(LIFT_WORTH, hidden=hidden)) for hidden in (0.05, 0.0))
    assert all(abs(hidden[name] / none[name] - (0.95 if share == 0.0 else 1.0)) < 1e-9 for name in none)


def test_no_rows_leave_everything_as_expected() -> None:
    told = factors(rows(1, 0, 0.0, {"a": 1.0, "b": 1.0}), CHANNELS, lambda r, _: (np.zeros(0), np.zeros(0)), LIFT_WORTH)
    assert told == ((1.0, 0, 0.0), {})


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.95, 0.97, 1.03]))
def test_what_wears_out_is_told_as_it_will_be_when_the_list_is_sent(seed: int, a_month: float) -> None:
    got = found(rows(seed, 300_000, 0.0, {"a": 1.0, "b": 1.0}, a_month=a_month))
    then = a_month**6.5  # the month after the newest
    assert abs(got["a"] / then - 1.0) < 0.09  # five standard errors, and what holds it to 1
    assert abs(then - 1.0) > 0.15


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_few_rows_show_no_trend(seed: int) -> None:
    steep, flat = (rows(seed, 3_000, 0.0, {"a": 1.0, "b": 1.0}, a_month=a_month) for a_month in (0.8, 1.0))
    moved = [abs(np.log(_ahead([(told(frame), _age(frame))], LIFT_WORTH) / _now(frame))) for frame in (steep, flat)]
    assert max(moved) < 0.15


def told(frame: pd.DataFrame) -> np.ndarray:
    return np.stack([frame["seen"].to_numpy(dtype=float), np.full(len(frame), 0.05)])


def _now(frame: pd.DataFrame) -> float:
    return _ahead([(told(frame), _age(frame))], replace(LIFT_WORTH, trend=0.0))
