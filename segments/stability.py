"""How far people have moved between groups: the population stability index, beside what chance alone gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2


def psi_of_counts(before: ArrayLike, now: ArrayLike) -> float:
    """PSI of two histograms over the same bins; half a row is added to every bin."""
    b, n = np.asarray(before, dtype=np.float64) + 0.5, np.asarray(now, dtype=np.float64) + 0.5
    p, q = b / b.sum(), n / n.sum()
    return float(((q - p) * np.log(q / p)).sum())


def psi_noise(rows_before: int, rows_now: int, bins: int) -> float:
    """What 95 % of PSIs of two independent samples of one population stay under: chi-squared by 1/n + 1/m."""
    return float(chi2.ppf(0.95, bins - 1)) * (1 / max(rows_before, 1) + 1 / max(rows_now, 1))
