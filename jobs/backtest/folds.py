"""Folds by chance, for sources without time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Folds = NDArray[np.int64]


def folds(stratum: ArrayLike, count: int, seed: int) -> Folds:
    """A fold a row, 0..count - 1; within every stratum the folds differ by at most one row."""
    strata = np.asarray(stratum)
    order = np.random.default_rng(seed).permutation(strata.size)
    found = np.zeros(strata.size, dtype=np.int64)
    dealt = 0
    for value in np.unique(strata):
        mine = order[strata[order] == value]
        # Each stratum goes on where the one before stopped, so that the remainders do not all fall to the first fold.
        found[mine] = (dealt + np.arange(mine.size)) % count
        dealt += mine.size
    return found
