"""Bands keep their order, their least size and their people, whatever the scores."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from segments.bands import EVENTS_TO_JUDGE, SMALLEST_SHARE, Band, cut, merge_unordered

scores = st.lists(st.integers(-50, 50).map(lambda v: v / 7), min_size=1, max_size=300)


@settings(max_examples=200, deadline=None)
@given(scores, st.integers(2, 26))
def test_everybody_is_in_one_band_of_fair_size(values: list[float], count: int) -> None:
    score = np.array(values)
    bands = cut(score, count)
    lowers = [band.lower for band in bands]
    place = (score[:, None] < np.array(lowers)[None, :]).sum(axis=1)
    assert lowers == sorted(set(lowers), reverse=True)
    assert place.max() < len(bands) <= count
    assert np.bincount(place, minlength=len(bands)).tolist() == [band.rows for band in bands]
    assert len(bands) == 1 or min(band.rows for band in bands) >= SMALLEST_SHARE * score.size


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(300, 2000)), min_size=1, max_size=12))
def test_merged_bands_respond_in_order_where_it_can_be_judged(found: list[tuple[int, int]]) -> None:
    bands = [Band(-float(at), 10, assigned, events) for at, (events, assigned) in enumerate(found)]
    merged = merge_unordered(bands)
    assert sum(b.responses for b in merged) == sum(b.responses for b in bands)
    assert sum(b.assigned for b in merged) == sum(b.assigned for b in bands)
    assert merged[-1].lower == bands[-1].lower
    for better, worse in pairwise(merged):
        judged = min(better.responses, worse.responses) >= EVENTS_TO_JUDGE
        assert not judged or better.rate >= worse.rate


def test_bands_in_the_wrong_order_are_joined_and_thin_ones_are_left() -> None:
    wrong = [Band(2.0, 10, 1000, 60), Band(1.0, 10, 1000, 90), Band(0.0, 10, 1000, 10)]
    assert [band.lower for band in merge_unordered(wrong)] == [1.0, 0.0]
    thin = [Band(2.0, 10, 1000, 4), Band(1.0, 10, 1000, 9)]
    assert merge_unordered(thin) == thin
