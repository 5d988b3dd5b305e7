"""How far chance moves credits: what folds of people, drawn by a hash, say apart from each other.

The variance of a sum is that of its folds' parts: what a Poisson bootstrap over people tends to, without replicates.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import t

from jobs.measure.attribution.paths import Floats
from segments.intervals import LEVEL

FOLDS = 64


def standard_errors(parts: Floats) -> Floats:
    """(n,) of sums whose parts by fold are `parts` (n, folds)."""
    folds = parts.shape[1]
    return np.asarray(np.sqrt(((parts - parts.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) * folds / (folds - 1)))


def bounds(values: Floats, errors: Floats, most: float = np.inf) -> tuple[Floats, Floats]:
    """95 % ends, Student's t by the folds, cut off at 0 and `most`."""
    reach = float(t.ppf((1 + LEVEL) / 2, FOLDS - 1)) * errors
    return np.clip(values - reach, 0.0, most), np.clip(values + reach, 0.0, most)


def chain_errors(effects: Floats, base: float, moved: Floats, won: Floats) -> tuple[Floats, Floats]:
    """Standard errors of a chain's credits and of its removal effects.

    `effects` (channels,); `moved` (1 + channels, folds): how much each fold moves the conversion of the chain and of it
    without each channel; `won` (folds,): the conversions that are shared in proportion to the effects.
    """
    left = base * (1.0 - effects)
    of_effects = -moved[1:] / base + left[:, None] * moved[0] / base**2
    whole = effects.sum()
    if not whole:
        return np.zeros(len(effects)), standard_errors(of_effects)
    share = effects / whole
    of_credits = share[:, None] * won + won.sum() * (of_effects - share[:, None] * of_effects.sum(axis=0)) / whole
    return standard_errors(of_credits), standard_errors(of_effects)
