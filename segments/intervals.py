"""95 % intervals of rates, of cost per counted outcome, and of the cost of a difference (plain numbers)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtri

Floats = NDArray[np.float64]
LEVEL = 0.95
Z = float(ndtri(0.5 + LEVEL / 2))


def wilson(successes: int, trials: int) -> tuple[float | None, float | None]:
    """Wilson score interval of successes / trials; (None, None) without trials."""
    if trials <= 0:
        return None, None
    rate, z2 = successes / trials, Z * Z
    middle = (rate + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z * math.sqrt(rate * (1 - rate) / trials + z2 / (4 * trials * trials)) / (1 + z2 / trials)
    return max(0.0, middle - half), min(1.0, middle + half)


def poisson(count: float) -> tuple[float, float]:
    """Exact (Garwood) interval of a Poisson mean from one count."""
    tail = (1 - LEVEL) / 2
    low = float(gammaincinv(count, tail)) if count > 0 else 0.0
    return low, float(gammaincinv(count + 1, 1 - tail))


def wilson_bounds(successes: Floats, trials: Floats) -> tuple[Floats, Floats]:
    """As `wilson`, of many at once; NaN without trials."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, z2 = successes / trials, Z * Z
        middle = (rate + z2 / (2 * trials)) / (1 + z2 / trials)
        half = Z * np.sqrt(rate * (1 - rate) / trials + z2 / (4 * trials * trials)) / (1 + z2 / trials)
    return np.maximum(0.0, middle - half), np.minimum(1.0, middle + half)


def poisson_bounds(counts: Floats) -> tuple[Floats, Floats]:
    """As `poisson`, of many at once."""
    tail = (1 - LEVEL) / 2
    held = np.nan_to_num(counts)
    low = np.where(held > 0, gammaincinv(np.maximum(held, 1e-9), tail), 0.0)
    return low, np.asarray(gammaincinv(held + 1, 1 - tail))


def cost_per(spend: float, count: int) -> tuple[float | None, float | None, float | None]:
    """(cost, lo, hi) of a known spend per Poisson-counted outcome; hi and cost are None when none was seen."""
    low, high = poisson(count)
    return (spend / count if count else None), spend / high, (spend / low if low else None)


def clustered(moments: Mapping[str, int]) -> tuple[float, float]:
    """(rate, variance) of outcomes an assignment when people have several: the ratio estimator's, by person.

    `moments`: sums over people of n (assignments), y (outcomes), nn, ny, yy (their products). No outcome at all is
    not certainty: the variance is then that of one.
    """
    rate = moments["y"] / moments["n"]
    spread = moments["yy"] - 2 * rate * moments["ny"] + rate * rate * moments["nn"]
    return rate, max(0.0, spread if moments["y"] else 1.0) / moments["n"] ** 2


def difference(rate: float, variance: float, other_rate: float, other_variance: float) -> tuple[float, float, float]:
    """(difference, lo, hi) of two independent rates with the variances of their means."""
    gap, half = rate - other_rate, Z * math.sqrt(variance + other_variance)
    return gap, gap - half, gap + half


def incremental_cost(
    spend: float, people: int, gap: float, lo: float, hi: float
) -> tuple[float | None, float | None, float | None]:
    """(cost, lo, hi) of an incremental outcome: spend over people x the difference, whose interval it inverts.

    With the spend known, Fieller's interval is the reciprocal of the difference's. Where that touches 0 the cost is
    not identified: cost and hi are None, and lo (None when even hi is not above 0) says "at least so much".
    """
    least = spend / (people * hi) if hi > 0 else None
    if lo <= 0:
        return None, least, None
    return spend / (people * gap), least, spend / (people * lo)
