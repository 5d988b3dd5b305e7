"""Partial pooling: groups that are alike are told as alike, planted differences come back, few rows say little."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from jobs.model.learners.pooled import FREE, Cells, fitted, pooled, shrunk

GROUPS = 25


def book(seed: int, each: int, level_sd: float, slope_sd: float) -> tuple[np.ndarray, ...]:
    dice = np.random.default_rng(seed)
    group = np.repeat(np.arange(GROUPS), each)
    offset = dice.normal(-1.3, 0.7, len(group))
    level, slope = level_sd * dice.normal(size=GROUPS), slope_sd * dice.normal(size=GROUPS)
    label = dice.random(len(group)) < expit(offset + level[group] + slope[group] * (offset + 1.3))
    return group, offset, label.astype(np.float64), level, slope


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10**6))
def test_planted_levels_and_slopes_come_back(seed: int) -> None:
    group, offset, label, level, slope = book(seed, 1500, 0.7, 0.3)
    cells = Cells.of(group, offset, label, GROUPS)
    found = pooled(cells, np.column_stack([np.ones(len(cells.rows)), cells.offset + 1.3]))
    assert np.corrcoef(found.value[:, 0], level)[0, 1] > 0.97
    assert np.sqrt(np.mean((found.value[:, 0] - level) ** 2)) < 0.11
    assert np.sqrt(np.mean((found.value[:, 1] - slope) ** 2)) < 0.16
    assert 0.4 <= found.spread[0] <= 1.0
    assert 0.15 <= found.spread[1] <= 0.55


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.integers(40, 1000))
def test_groups_that_are_alike_are_told_as_nearly_alike(seed: int, each: int) -> None:
    group, offset, label, _, _ = book(seed, each, 0.0, 0.0)
    cells = Cells.of(group, offset, label, GROUPS)
    free = fitted(cells, np.ones((len(cells.rows), 1)), (FREE,)).value
    assert np.abs(shrunk(cells)).max() < 0.75 * np.abs(free).max()
    assert np.abs(shrunk(cells)).std() < 0.5 * free.std()


def test_a_group_of_few_rows_says_little_and_one_without_rows_nothing() -> None:
    group, offset, label, level, _ = book(3, 800, 0.7, 0.0)
    few = np.flatnonzero((group > 1) | ((group == 1) & (np.arange(len(group)) < 805)))  # none of 0, five of 1
    found = shrunk(Cells.of(group[few], offset[few], np.where(group[few] == 1, 1.0, label[few]), GROUPS))
    assert found[0] == 0.0
    assert 0.0 < found[1] < 2.0
    assert np.corrcoef(found[2:], level[2:])[0, 1] > 0.95


def test_the_free_fit_finds_the_rate_itself() -> None:
    group, offset = np.zeros(1000, dtype=np.int64), np.full(1000, -1.0)
    label = (np.arange(1000) < 700).astype(np.float64)
    found = fitted(Cells.of(group, offset, label, 1), np.ones((1, 1)), (FREE,)).value[0, 0]
    assert abs(expit(found - 1.0) - 0.7) < 1e-3


def test_no_rows_are_no_effects() -> None:
    empty = np.zeros(0)
    assert shrunk(Cells.of(empty.astype(np.int64), empty, empty, 3)).tolist() == [0.0, 0.0, 0.0]
