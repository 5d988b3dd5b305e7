"""Whole amounts split among the touches of each path so that the parts tie: largest remainder."""

from __future__ import annotations

import numpy as np

from jobs.measure.attribution.paths import Floats, Ints

NANO = 1_000_000_000  # credits are whole billionths of a conversion, so that sums are exact in any order


def split(amounts: Ints, weights: Floats, owners: Ints, starts: Ints) -> Ints:
    """Parts (a touch) of each path's whole amount, in proportion to weights that add up to 1 a path.

    Units left after rounding down go to the largest remainders, ties to the first touch.
    """
    exact = amounts[owners] * weights
    parts = np.floor(exact).astype(np.int64)
    left = amounts - np.add.reduceat(np.append(parts, 0), starts[:-1]) * (np.diff(starts) > 0)
    order = np.lexsort((np.arange(len(parts)), parts - exact, owners))
    rank = np.empty(len(parts), dtype=np.int64)
    rank[order] = np.arange(len(parts)) - starts[owners[order]]
    rank_from_end = np.diff(starts)[owners] - 1 - rank
    # Weights add up to 1 but for rounding, so that now and then a unit too many was given.
    return np.asarray(parts + (rank < left[owners]) - (rank_from_end < -left[owners]))
