"""Parts are whole, tie to what is split, and are nearest to what they stand for."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jobs.measure.attribution.paths import Paths
from jobs.measure.attribution.rules import RULES
from jobs.measure.attribution.shares import split


@given(
    st.lists(st.lists(st.sampled_from("abc"), max_size=7), min_size=1, max_size=9), st.integers(0, 10**12), st.data()
)
def test_parts_tie(touched: list[list[str]], top: int, data: st.DataObject) -> None:
    amounts = np.array([data.draw(st.integers(0, top)) for _ in touched])
    ages = [sorted((data.draw(st.integers(0, 10**6)) for _ in path), reverse=True) for path in touched]
    paths = Paths.of(touched, np.ones(len(touched)), ages=ages)
    for rule in RULES.values():
        weights = rule(paths)
        parts = split(amounts, weights, paths.owners, paths.starts)
        told = np.bincount(paths.owners, parts, minlength=len(touched)).astype(np.int64)
        assert (told == np.where(paths.lengths > 0, amounts, 0)).all()
        assert (np.abs(parts - amounts[paths.owners] * weights) <= 1 + 1e-15 * top).all()
        assert (parts >= 0).all()
