"""Rates of cohorts developed by what each month on book adds to those not yet counted (a discrete-time hazard).

What is to come does not lean on the little that a young cohort has shown, as in a chain ladder, but on all cohorts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from jobs.measure.development.triangles import Floats, Triangle
from segments.intervals import LEVEL

PRIOR = 0.5  # Jeffreys


@dataclass(frozen=True)
class DevelopedRate:
    """(cohorts,): `rate` at the last age with 95 % bounds; `observed`: what was seen of it; `is_final`: all was."""

    rate: Floats
    lo: Floats
    hi: Floats
    observed: Floats
    is_final: np.ndarray


def developed_rate(triangle: Triangle, sizes: Floats, draws: int = 4000, seed: int = 0) -> DevelopedRate:
    """Shares of `sizes` (cohorts,) that are counted by the last age, of running counts seen so far.

    A cohort's own count stands; each month to come adds to those left the share it added in all cohorts that have
    reached it. The bounds hold what the cohort will come to: hazards are drawn from their posteriors, and what is to
    come by chance. A cohort of which nothing was seen rests on the others alone; a month nobody reached is not known.
    """
    newest, ages = triangle.newest, triangle.seen.shape[1]
    events, exposed = _exposures(triangle, sizes)
    rng = np.random.default_rng(seed)
    known = exposed > 0
    mean = events / np.where(known, exposed, np.nan)
    hazards = np.where(known, rng.beta(events + PRIOR, np.maximum(exposed - events, 0) + PRIOR, (draws, ages)), np.nan)
    counted = np.where(newest >= 0, np.nan_to_num(triangle.latest), 0.0)
    rate, low, high = (np.full(len(newest), np.nan) for _ in range(3))
    tail = (1 - LEVEL) / 2
    for i, age in enumerate(newest):
        if not sizes[i]:
            continue
        left = sizes[i] - counted[i]
        to_come = 1 - np.prod(1 - mean[age + 1 :])
        rate[i] = (counted[i] + left * to_come) / sizes[i]
        if age == ages - 1:
            low[i] = betaincinv(counted[i] + PRIOR, left + PRIOR, tail)
            high[i] = betaincinv(counted[i] + PRIOR, left + PRIOR, 1 - tail)
        elif np.isfinite(rate[i]):
            chances = 1 - np.prod(1 - hazards[:, age + 1 :], axis=1)
            totals = counted[i] + rng.binomial(round(left), chances)
            low[i], high[i] = np.percentile(totals, [100 * tail, 100 * (1 - tail)]) / sizes[i]
    observed = np.divide(counted, sizes, out=np.full(len(newest), np.nan), where=(sizes > 0) & (newest >= 0))
    return DevelopedRate(rate, low, high, observed, newest == ages - 1)


def _exposures(triangle: Triangle, sizes: Floats) -> tuple[Floats, Floats]:
    """(ages,) counts that each age added, and people who were still to be counted then."""
    running = triangle.seen
    before = np.column_stack([np.zeros(len(running)), running[:, :-1]])
    seen = ~np.isnan(running)
    added = np.where(seen, running - before, 0.0).sum(axis=0)
    return added, np.where(seen, sizes[:, None] - before, 0.0).sum(axis=0)
