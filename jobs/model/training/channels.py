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
# As spreads of a weight before data: 0.22; and 0.16 to 0.03 for what is a channel's own against what all channels say,
# whichever tells a held-out half more.
COMMON_RIDGE, OWN_RIDGES = 10.0, (20.0, 100.0, 500.0)


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


def fit_channels(billed: Billed, features: Features, alone: frozenset[str] = frozenset()) -> dict[str, ChannelFit]:
    """A fit a channel; channels that stand `alone` neither give to the common shape nor take from it."""
    names = sorted(set(billed.channel))
    bare, inputs = design(billed.frame, features, MIN_LEVEL)
    held = np.hstack([inputs, billed.extra])
    shape = _common(billed, held, [name for name in names if name not in alone])
    found = {}
    for name in names:
        mask = billed.channel == name
        start = np.zeros(held.shape[1]) if name in alone else shape
        mine = billed.where(mask)
        ones, offset = np.ones((len(mine.weight), 1)), held[mask] @ start
        told = (held[mask], ones, mine.weight, mine.invoice, mine.total, offset)
        ridge = COMMON_RIDGE if name in alone else _best_ridge(mine, held[mask], offset)
        own, level = fit_sums(*told, ridge=ridge, base=mine.base)
        weights = start + own
        terms = replace(bare, weights=weights[: inputs.shape[1]], intercept=float(level[0]))
        found[name] = ChannelFit(terms, weights[inputs.shape[1] :], mask)
    return found


def _best_ridge(mine: Billed, held: Floats, offset: Floats) -> float:
    """The ridge that tells every second invoice most, fitted on the others."""
    odd = mine.invoice % 2 == 1
    if not odd.any() or odd.all():
        return OWN_RIDGES[-1]
    learn, test = mine.where(~odd), mine.where(odd)
    ones = np.ones((int((~odd).sum()), 1))
    missed = []
    for ridge in OWN_RIDGES:
        told = (held[~odd], ones, learn.weight, learn.invoice, learn.total, offset[~odd])
        own, level = fit_sums(*told, ridge=ridge, base=learn.base)
        unit = test.weight * np.exp(np.clip(offset[odd] + held[odd] @ own + level[0], -30.0, 30.0))
        mean = np.bincount(test.invoice, weights=unit, minlength=len(test.total)) + test.base + SLACK
        missed.append(float((mean - test.total * np.log(mean)).sum()))
    return OWN_RIDGES[int(np.argmin(missed))]


def _common(billed: Billed, held: Floats, names: list[str]) -> Floats:
    """Weights all channels share, each channel's level left free."""
    if not names:
        return np.zeros(held.shape[1])
    mask = np.isin(billed.channel, names)
    ours = billed.where(mask)
    levels = (ours.channel[:, None] == np.array(names, dtype=object)[None, :]).astype(np.float64)
    offset = np.zeros(len(ours.weight))
    told = (held[mask], levels, ours.weight, ours.invoice, ours.total, offset)
    return fit_sums(*told, ridge=COMMON_RIDGE, base=ours.base)[0]
