"""Which creatives are clicked more than their people explain, each held back by how much creatives really differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jobs.model.learners.features import Floats


def popularity(clicks: Floats, expected: Floats, creative: NDArray[np.int64], count: int) -> Floats:
    """Log of each creative's factor on clicks; 0 for one never shown, and for all where chance explains the spread.

    Empirical Bayes with a gamma prior of mean 1: its variance is what the spread of clicks / expected, weighted by
    the expected, has beyond that of Poisson counts.
    """
    seen, meant = np.bincount(creative, clicks, count), np.bincount(creative, expected, count)
    shown = meant > 0
    beyond = (np.square(seen[shown] - meant[shown]) / meant[shown] - 1.0).sum()
    variance = float(beyond / meant.sum()) if shown.any() else 0.0
    if variance <= 0.0:
        return np.zeros(count)
    worth = 1.0 / variance  # expected clicks that the prior counts for
    return np.asarray(np.log((seen + worth) / (meant + worth)))
