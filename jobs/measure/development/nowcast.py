"""What counts of the last days will come to, once what is still on its way has arrived."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.measure.development.triangles import Floats, Triangle
from segments.intervals import Z

LEAST_SHARE = 0.5  # of what is to come must have arrived before a total is told


@dataclass(frozen=True)
class Nowcast:
    """(cohorts,): `arrived`: share of the total expected so far; `total` with 95 % bounds, NaN while few have."""

    arrived: Floats
    observed: Floats
    total: Floats
    lo: Floats
    hi: Floats


def lag_curve(triangle: Triangle) -> Floats:
    """(ages,): share of all arrivals that have come by each age, from counts that are cut off by today.

    The product of 1 - (arrivals at an age / arrivals by that age) over older ages, of the cohorts that have reached
    each: the Kaplan-Meier curve in reversed time, and the chain ladder's.
    """
    young, old = triangle.seen[:, :-1], triangle.seen[:, 1:]
    both = ~np.isnan(old)
    by_then = np.where(both, old, 0.0).sum(axis=0)
    before = np.where(both, young, 0.0).sum(axis=0)
    stayed = np.divide(before, by_then, out=np.ones(len(by_then)), where=by_then > 0)
    return np.concatenate([np.cumprod(stayed[::-1])[::-1], [1.0]])


def nowcast(triangle: Triangle) -> Nowcast:
    """Totals of each cohort: observed over the share that has arrived at its age.

    The variance of a total of N with a share F arrived is N (1 - F) / F of what is to come by chance, and that of the
    curve's own error, by Greenwood's formula in reversed time.
    """
    curve, newest = lag_curve(triangle), triangle.newest
    variance = _curve_variance(triangle, curve)
    arrived = np.where(newest >= 0, curve[np.maximum(newest, 0)], 0.0)
    observed = np.nan_to_num(triangle.latest)
    is_told = arrived >= LEAST_SHARE
    share = np.where(is_told, arrived, np.nan)
    total = observed / share
    relative = np.where(newest >= 0, variance[np.maximum(newest, 0)], 0.0)
    # An empty cohort is no certainty: its variance is that of one arrival.
    spread = np.sqrt(np.maximum(total, 1.0) * (1 - share) / share + total**2 * relative)
    return Nowcast(arrived, observed, total, np.maximum(observed, total - Z * spread), total + Z * spread)


def _curve_variance(triangle: Triangle, curve: Floats) -> Floats:
    """(ages,): squared relative error of the curve."""
    young, old = triangle.seen[:, :-1], triangle.seen[:, 1:]
    both = ~np.isnan(old)
    by_then = np.where(both, old, 0.0).sum(axis=0)
    before = np.where(both, young, 0.0).sum(axis=0)
    step = np.divide(by_then - before, by_then * before, out=np.zeros(len(before)), where=(before > 0) & (by_then > 0))
    return np.concatenate([np.cumsum(step[::-1])[::-1], [0.0]])
