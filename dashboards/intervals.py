"""95 % intervals for the figures a dashboard sums up itself."""

from __future__ import annotations

from math import sqrt

from scipy.stats import chi2

Z = 1.959963984540054


def wilson(successes: float, trials: float) -> tuple[float, float]:
    """Wilson interval of a share; trials must be above 0."""
    share, square = successes / trials, Z * Z
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = Z / (1 + square / trials) * sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    return max(0.0, middle - half), min(1.0, middle + half)


def poisson(count: float) -> tuple[float, float]:
    """Exact (Garwood) interval of the mean behind a count."""
    low = float(chi2.ppf(0.025, 2 * count)) / 2 if count > 0 else 0.0
    return low, float(chi2.ppf(0.975, 2 * count + 2)) / 2
