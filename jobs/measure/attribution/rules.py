"""Rules that split a conversion among the touches before it."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from jobs.measure.attribution.paths import Floats, Ints, Paths
from jobs.runtime.errors import DataRefused

HALF_LIFE_DAYS = 7.0  # of time decay
ENDS = 0.4  # of a conversion to the first and to the last touch, by position
DIRECT = frozenset({"direct", "(direct)", "Direct", "none", "(none)"})  # nobody was paid for these
SECONDS_A_DAY = 86_400.0

Rule = Callable[[Paths], Floats]


def first(paths: Paths) -> Floats:
    """All to the first touch."""
    return _at(paths, paths.firsts)


def last(paths: Paths) -> Floats:
    """All to the last touch."""
    return _at(paths, paths.lasts)


def last_non_direct(paths: Paths, direct: Collection[str] = DIRECT) -> Floats:
    """All to the last touch of a channel that is not direct; to the last touch where every one is."""
    is_direct = np.array([name in direct for name in paths.channels], dtype=bool)[paths.codes]
    places = np.where(is_direct, -1, np.arange(len(paths.codes)))
    latest = np.full(len(paths.lengths), -1, dtype=np.int64)
    np.maximum.at(latest, paths.owners, places)
    latest = latest[paths.lengths > 0]
    return _at(paths, np.where(latest < 0, paths.lasts, latest))


def linear(paths: Paths) -> Floats:
    """The same to each touch."""
    return 1.0 / paths.lengths[paths.owners]


def linear_unique(paths: Paths) -> Floats:
    """The same to each channel met, at its first touch: the Shapley value of "conversions of paths within a set"."""
    weights = np.zeros(len(paths.codes))
    weights[paths.debuts] = 1.0 / paths.distinct[paths.owners[paths.debuts]]
    return weights


def time_decay(paths: Paths, half_life_days: float = HALF_LIFE_DAYS) -> Floats:
    """Half as much for every half-life between touch and conversion; DataRefused where paths have no times."""
    if paths.ages is None:
        raise DataRefused(
            "these paths tell no times, which time decay needs; choose another model, or attribute touches by the job"
        )
    # By each path's youngest touch, so that paths of any age divide by at least 1.
    youngest = np.full(len(paths.lengths), np.inf)
    np.minimum.at(youngest, paths.owners, paths.ages)
    weights = np.exp2(-(paths.ages - youngest[paths.owners]) / (half_life_days * SECONDS_A_DAY))
    return np.asarray(weights / _sums(paths, weights)[paths.owners])


def position(paths: Paths, ends: float = ENDS) -> Floats:
    """`ends` to the first and to the last touch, the rest to those between; halves where there are two."""
    lengths = paths.lengths[paths.owners]
    weights = np.where(lengths > 2, (1.0 - 2 * ends) / np.maximum(lengths - 2, 1), 0.0)
    end = np.where(paths.lengths > 2, ends, 0.5)[paths.lengths > 0]
    weights[paths.firsts] = weights[paths.lasts] = end
    weights[paths.firsts[paths.lengths[paths.lengths > 0] == 1]] = 1.0
    return np.asarray(weights)


def _at(paths: Paths, places: Ints) -> Floats:
    weights = np.zeros(len(paths.codes))
    weights[places] = 1.0
    return weights


def _sums(paths: Paths, weights: Floats) -> Floats:
    return np.bincount(paths.owners, weights, minlength=len(paths.lengths)).astype(np.float64)


RULES: dict[str, Rule] = {
    "first": first,
    "last": last,
    "last_non_direct": last_non_direct,
    "linear": linear,
    "linear_unique": linear_unique,
    "time_decay": time_decay,
    "position": position,
}
