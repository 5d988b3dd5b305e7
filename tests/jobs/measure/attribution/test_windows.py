"""Windows are exact at both ends, end at the conversion before, and cut what bots would fill."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jobs.measure.attribution.windows import flattened, windows

EVENTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), max_size=25)


def found(
    touches: list[tuple[int, int]], won: list[tuple[int, int]], width: int, is_cut: bool = True
) -> list[list[int]]:
    touched, ended = (np.array(sorted(rows), dtype=np.int64).reshape(-1, 2) for rows in (touches, won))
    starts, ends = windows(touched[:, 0], touched[:, 1], ended[:, 0], ended[:, 1], width, is_cut=is_cut)
    places, bounds, _ = flattened(starts, ends)
    return [places[bounds[i] : bounds[i + 1]].tolist() for i in range(len(won))]


@given(touches=EVENTS, won=EVENTS, width=st.integers(1, 20), is_cut=st.booleans())
def test_windows_are_those_of_a_loop(
    touches: list[tuple[int, int]], won: list[tuple[int, int]], width: int, is_cut: bool
) -> None:
    told = found(touches, won, width, is_cut)
    touched, taken = sorted(touches), set[int]()
    for (person, at), places in zip(sorted(won), told, strict=True):
        inside = [i for i, (who, when) in enumerate(touched) if who == person and at - width < when <= at]
        assert places == [i for i in inside if i not in taken]
        # Whatever came by this conversion is past for the person's next one, in its window or not.
        taken |= set() if not is_cut else {i for i, (who, when) in enumerate(touched) if who == person and when <= at}


def test_both_ends() -> None:
    assert found([(1, 0), (1, 1), (1, 10), (1, 11)], [(1, 10)], 10) == [[1, 2]]
    assert found([(1, 5)], [(2, 6), (1, 4)], 10) == [[], []]


def test_long_paths_keep_the_first_and_the_last() -> None:
    places, bounds, cut = flattened(np.array([2, 10]), np.array([9, 12]), most=3)
    assert places.tolist() == [2, 7, 8, 10, 11]
    assert bounds.tolist() == [0, 3, 5]
    assert cut == 1
