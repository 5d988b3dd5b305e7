"""Confidence sequences: intervals of a mean that hold at every look at once, however often one looks.

The asymptotic normal-mixture sequence of Waudby-Smith et al. (2021, eq. 9), tuned to be tightest at a chosen size.
"""

from __future__ import annotations

import math

ALPHA = 0.05


def tuning(at: int, alpha: float = ALPHA) -> float:
    """rho of the mixture that makes the sequence tightest after `at` observations."""
    told = -2 * math.log(alpha)
    return math.sqrt((told + math.log(told + 1)) / at)


def half_width(seen: int, variance: float, at: int, alpha: float = ALPHA) -> float:
    """Half the width after `seen` observations of that variance (of one observation); infinite before the first."""
    if seen <= 0:
        return math.inf
    mixed = seen * tuning(at, alpha) ** 2
    return math.sqrt(variance * 2 * (mixed + 1) / (seen * mixed) * math.log(math.sqrt(mixed + 1) / alpha))


def difference_at_any_time(
    rates: tuple[float, float], variances: tuple[float, float], people: tuple[int, int], at: int, alpha: float = ALPHA
) -> tuple[float, float, float]:
    """(difference, lo, hi) of two arms' rates, valid at every look; `variances` are of the arms' means.

    All people of both arms count as observations, each as uncertain as makes the difference as uncertain as it is.
    """
    seen = sum(people)
    half = half_width(seen, sum(variances) * seen, at, alpha) if min(people) > 0 else math.inf
    gap = rates[0] - rates[1]
    return gap, gap - half, gap + half
