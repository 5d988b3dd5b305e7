"""Where boosting cuts a number into bins: weighted quantiles from one sort, instead of one sort a quantile."""

from __future__ import annotations

import numpy as np

from jobs.model.learners.features import Floats

MOST = 255  # bins a tree's histogram holds, null apart


def cuts_of(column: Floats, weight: Floats) -> Floats:
    """At most MOST - 1 places to cut at: between all values where they are few, else at even weighted quantiles.

    Null is left out. As scikit-learn's own binning, which sorts the column anew for each quantile where rows weigh
    unlike.
    """
    known = ~np.isnan(column)
    values = np.unique(column[known])
    if len(values) <= MOST:
        return np.asarray(values[:-1] + (values[1:] - values[:-1]) * 0.5)
    order = np.argsort(column[known], kind="stable")
    ranked, weighed = column[known][order], np.cumsum(weight[known][order])
    quantiles = np.linspace(0.0, 1.0, MOST + 1)[1:-1] * weighed[-1]
    low, high = (np.minimum(np.searchsorted(weighed, quantiles, side), len(ranked) - 1) for side in ("left", "right"))
    return np.unique((ranked[low] + ranked[high]) / 2.0)


def coded(column: Floats, cuts: Floats) -> Floats:
    """The bin of each value, null as it is."""
    return np.where(np.isnan(column), np.nan, np.searchsorted(cuts, column, side="left").astype(np.float64))
