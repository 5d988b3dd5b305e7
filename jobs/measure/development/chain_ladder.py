"""Chain-ladder development with Mack's standard errors (ASTIN Bulletin 23, 1993)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.measure.development.triangles import Floats, Triangle
from segments.intervals import Z


@dataclass(frozen=True)
class Developed:
    """`ultimate` (cohorts,): what each comes to at the last age, and its standard error; NaN where nobody knows."""

    ultimate: Floats
    error: Floats

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """95 % bounds on the log scale, which keeps them above 0 and lets the upper one be further away."""
        spread = np.sqrt(
            np.log1p(np.divide(self.error, self.ultimate, out=np.zeros_like(self.error), where=self.ultimate > 0) ** 2)
        )
        return self.ultimate * np.exp(-Z * spread - spread**2 / 2), self.ultimate * np.exp(Z * spread - spread**2 / 2)


@dataclass(frozen=True)
class Factors:
    """`growth[k]`: what age k + 1 has over age k; `spread[k]`: Mack's sigma squared; `base[k]`: sums they rest on."""

    growth: Floats
    spread: Floats
    base: Floats


def factors(triangle: Triangle) -> Factors:
    """Age-to-age factors of all cohorts, weighted by what they had at the younger age; 1 where no cohort tells."""
    young, old = triangle.seen[:, :-1], triangle.seen[:, 1:]
    both = ~np.isnan(old)
    start, end = np.where(both, young, 0.0), np.where(both, old, 0.0)
    base = start.sum(axis=0)
    growth = np.divide(end.sum(axis=0), base, out=np.ones(len(base)), where=base > 0)
    single = np.divide(end, start, out=np.zeros_like(end), where=start > 0)
    squares = np.where(start > 0, start * (single - growth) ** 2, 0.0).sum(axis=0)
    freedom = (both & (start > 0)).sum(axis=0) - 1
    spread = np.divide(squares, freedom, out=np.full(len(base), np.nan), where=freedom > 0)
    return Factors(growth, _filled(spread), base)


def developed(triangle: Triangle) -> Developed:
    """Each cohort at the last age; a cohort with nothing seen, or nothing to multiply, is NaN."""
    told, newest = factors(triangle), triangle.newest
    ages = triangle.seen.shape[1]
    ultimate, error = np.full(len(newest), np.nan), np.full(len(newest), np.nan)
    for i, age in enumerate(newest):
        if age < 0 or not triangle.latest[i]:
            continue
        so_far, parts = triangle.latest[i], 0.0
        for k in range(age, ages - 1):
            parts += (
                told.spread[k] / told.growth[k] ** 2 * (1 / so_far + (1 / told.base[k] if told.base[k] else np.inf))
            )
            so_far *= told.growth[k]
        ultimate[i], error[i] = so_far, so_far * np.sqrt(parts)
    return Developed(ultimate, error)


def _filled(spread: Floats) -> Floats:
    """Mack's rule for ages that one cohort alone has reached: as the two before fell."""
    out = spread.copy()
    for k in np.flatnonzero(np.isnan(out)):
        before = out[max(0, k - 2) : k]
        if len(before) < 2 or not (before > 0).all():  # nothing to go by
            out[k] = before.min() if len(before) else 0.0
        else:
            out[k] = min(before[1] ** 2 / before[0], before[0], before[1])
    return out
