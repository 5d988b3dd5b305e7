"""Log-linear models a channel: one shape learned from all channels together, then what is each channel's own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners import Features
from jobs.model.learners.features import Floats
from jobs.model.learners.logistic import LogisticModel
from jobs.model.learners.sums import SLACK, design, fit_sums

MIN_LEVEL = 100
# As spreads of a weight before data: 0.22 to 0.04 for what all channels share; 0.16 to 0.02 for what is a channel's own
# against it. Whichever tells a held-out half more.
COMMON_RIDGES, OWN_RIDGES = (10.0, 30.0, 100.0, 300.0), (20.0, 100.0, 500.0, 2000.0)
PLENTY = 20_000  # invoices with something on them from which on a choice of ridge moves nothing: the second is taken
EXTRA_COMMON, EXTRA_OWN = 10.0, 100.0  # of inputs besides the features, which are few and stand for something each
LEVEL_WORTH = (
    2.0  # things expected that a level like the other channels' is worth: levels differ by a factor of two or three
)


@dataclass(frozen=True, eq=False)
class Billed:
    """Units on invoices, as `fit_sums` takes them; `invoice` counts from 0, `extra` are inputs besides the features."""

    frame: pd.DataFrame
    channel: NDArray[np.object_]
    weight: Floats
    invoice: NDArray[np.int64]
    total: Floats
    base: Floats
    extra: Floats

    @classmethod
    def singly(cls, frame: pd.DataFrame, weight: Floats, units: Floats, count: Floats, base: Floats) -> Billed:
        """Rows that are invoices of their own: `count` things seen among `units`, `base` of them owed to others."""
        channel = frame["channel"].to_numpy(dtype=object)
        extra = np.zeros((len(frame), 0))
        return cls(frame, channel, weight * units, np.arange(len(frame)), weight * count, weight * base, extra)

    def where(self, mask: NDArray[np.bool_]) -> Billed:
        """The rows of whole invoices."""
        kept, place = np.unique(self.invoice[mask], return_inverse=True)
        rows = (self.frame[mask], self.channel[mask], self.weight[mask])
        return Billed(*rows, place, self.total[kept], self.base[kept], self.extra[mask])


@dataclass(frozen=True, eq=False)
class ChannelFit:
    """One channel's terms (the level is their intercept), the weights of the extra inputs, and its rows."""

    terms: LogisticModel
    extra: Floats
    rows: NDArray[np.bool_]


def fit_channels(
    billed: Billed, features: Features, alone: frozenset[str] = frozenset(), few: frozenset[str] = frozenset()
) -> dict[str, ChannelFit]:
    """A fit a channel; channels that stand `alone` neither give to the common shape nor take from it.

    Those with `few` things seen take the common shape as it is, and the others' level moved by what was seen.
    """
    names = sorted(set(billed.channel))
    bare, inputs = design(billed.frame, features, MIN_LEVEL)
    held = np.hstack([inputs, billed.extra])
    shape, level = _common(billed, held, [name for name in names if name not in alone | few])
    found = {}
    for name in names:
        mask = billed.channel == name
        start = np.zeros(held.shape[1]) if name in alone else shape
        mine = billed.where(mask)
        if name in few:
            own, mine_level = np.zeros(held.shape[1]), _moved(mine, held[mask] @ start, level)
        else:
            ones = np.ones((len(mine.weight), 1))
            told = (COMMON_RIDGES[:1], EXTRA_COMMON) if name in alone else (OWN_RIDGES, EXTRA_OWN)
            own, free = _fitted(mine, held[mask], ones, held[mask] @ start, *told)
            mine_level = float(free[0])
        weights = start + own
        terms = replace(bare, weights=weights[: inputs.shape[1]], intercept=mine_level)
        found[name] = ChannelFit(terms, weights[inputs.shape[1] :], mask)
    return found


def _moved(mine: Billed, offset: Floats, level: float) -> float:
    """The level of all channels moved by what was seen of one, against what that level expects."""
    expected = float((mine.weight * np.exp(np.clip(offset + level, -30.0, 30.0))).sum())
    seen = max(float((mine.total - mine.base).sum()), 0.0)
    return level + float(np.log((seen + LEVEL_WORTH) / (expected + LEVEL_WORTH)))


def _common(billed: Billed, held: Floats, names: list[str]) -> tuple[Floats, float]:
    """Weights all channels share, each channel's level left free, and the mean level."""
    if not names:
        return np.zeros(held.shape[1]), 0.0
    mask = np.isin(billed.channel, names)
    ours = billed.where(mask)
    levels = (ours.channel[:, None] == np.array(names, dtype=object)[None, :]).astype(np.float64)
    shape, free = _fitted(ours, held[mask], levels, np.zeros(len(ours.weight)), COMMON_RIDGES, EXTRA_COMMON)
    return shape, float(free.mean())


def _fitted(
    billed: Billed, held: Floats, free: Floats, offset: Floats, ridges: tuple[float, ...], extra: float
) -> tuple[Floats, Floats]:
    """The fit at the ridge that tells each half of the invoices most, learned from the other."""
    width = billed.extra.shape[1]
    each = [np.append(np.full(held.shape[1] - width, ridge), np.full(width, extra)) for ridge in ridges]
    is_plain = len(each) == 1 or int((billed.total > 0).sum()) >= PLENTY
    best = each[min(1, len(each) - 1)] if is_plain else _best_ridge(billed, held, free, offset, each)
    return fit_sums(held, free, billed.weight, billed.invoice, billed.total, offset, ridge=best, base=billed.base)


def _best_ridge(billed: Billed, held: Floats, free: Floats, offset: Floats, ridges: list[Floats]) -> Floats:
    odd = billed.invoice % 2 == 1
    if not odd.any() or odd.all():
        return ridges[-1]
    missed = np.zeros(len(ridges))
    for learned in (~odd, odd):
        learn, test = billed.where(learned), billed.where(~learned)
        for at, ridge in enumerate(ridges):
            told = (held[learned], free[learned], learn.weight, learn.invoice, learn.total, offset[learned])
            own, level = fit_sums(*told, ridge=ridge, base=learn.base)
            log_unit = offset[~learned] + held[~learned] @ own + free[~learned] @ level
            unit = test.weight * np.exp(np.clip(log_unit, -30.0, 30.0))
            mean = np.bincount(test.invoice, weights=unit, minlength=len(test.total)) + test.base + SLACK
            missed[at] += float((mean - test.total * np.log(mean)).sum())
    return ridges[int(np.argmin(missed))]
