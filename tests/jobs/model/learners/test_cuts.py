"""Bins of boosting: even in weight, all values apart where they are few, null left as it is."""

from __future__ import annotations

import numpy as np

from jobs.model.learners.cuts import MOST, coded, cuts_of


def test_bins_hold_the_same_weight_and_null_stays_null() -> None:
    dice = np.random.default_rng(1)
    column, weight = dice.normal(size=20_000), dice.integers(1, 5, 20_000).astype(np.float64)
    column[::10] = np.nan
    cuts = cuts_of(column, weight)
    codes = coded(column, cuts)
    known = ~np.isnan(column)
    assert (np.isnan(codes) == ~known).all()
    held = np.bincount(codes[known].astype(np.int64), weight[known], MOST)
    assert len(cuts) == MOST - 1
    assert np.abs(held - weight[known].sum() / MOST).max() <= 2 * weight.max()


def test_few_values_are_all_told_apart() -> None:
    column = np.repeat(np.arange(40.0), 3)
    codes = coded(column, cuts_of(column, np.ones(120)))
    assert (codes == column).all()
