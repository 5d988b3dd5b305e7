"""How far a block's inputs and scores have moved: the population stability index, beside what chance alone gives."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jobs.model.learners import Features
from jobs.model.learners.features import Floats, Levels, numbers
from segments.stability import psi_of_counts

BINS = 10


def psi(before: Floats, now: Floats) -> float:
    """PSI of two numeric samples on deciles of the first, null a bin of its own; half a row is added to every bin."""
    known = before[~np.isnan(before)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if known.size else np.zeros(0)
    size = edges.size + 2

    def count(values: Floats) -> Floats:
        codes = np.where(np.isnan(values), size - 1, np.searchsorted(edges, values, side="left"))
        return np.bincount(codes, minlength=size).astype(np.float64)

    return psi_of_counts(count(before), count(now))


def psi_null(rows_before: int, rows_now: int) -> float:
    """The mean PSI of two samples of one population with ten bins: (bins - 1)(1/n + 1/m)."""
    return (BINS - 1) * (1 / max(rows_before, 1) + 1 / max(rows_now, 1))


def most_moved(before: pd.DataFrame, now: pd.DataFrame, features: Features) -> tuple[str, float]:
    """The input with the largest PSI, and that PSI; categories count their twenty most frequent levels and the rest."""
    found = {n: psi(numbers(before[n]), numbers(now[n])) for n in features.numeric}
    for name in features.categorical:
        levels = Levels(Levels.of(before[name], 1).names[:20])
        counts = [np.bincount(levels.codes(f[name]), minlength=len(levels.names) + 1) for f in (before, now)]
        found[name] = psi_of_counts(counts[0].astype(np.float64), counts[1].astype(np.float64))
    name = max(found, key=lambda n: (found[n], n))
    return name, found[name]
