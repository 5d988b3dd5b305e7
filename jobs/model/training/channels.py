"""Log-linear models a channel: one shape learned from all channels together, then what is each channel's own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners import Features
from jobs.model.learners.features import Floats
from jobs.model.learners.logistic import LogisticModel
from jobs.model.learners.sums import SLACK, Sums, Weights, design
from jobs.model.learners.threads import side_by_side
from jobs.model.training.relevance import ENOUGH, ridges_apart

MIN_LEVEL = 100
PLENTY = 20_000  # invoices with something on them from which on a choice of ridge moves nothing: the second is taken
EXTRA_COMMON, EXTRA_OWN = 10.0, 100.0  # of inputs besides the features, which are few and stand for something each
NOTHING = 0.01  # a ridge of a smaller share is not fitted
LEVEL_WORTH = (
    2.0  # things expected that a level like the other channels' is worth: levels differ by a factor of two or three
)


@dataclass(frozen=True)
class Ridges:
    """What may hold weights to 0, each averaged by how much it tells of a held-out half.

    `common` for what all channels share, `own` for what is a channel's own against it. `scores` names inputs that other
    stages learned from far more rows; `common_score` and `own_score` hold their weights.
    """

    common: tuple[float, ...]
    own: tuple[float, ...]
    scores: tuple[str, ...] = ()
    common_score: float = 10.0
    own_score: float = 1000.0


# As spreads of a weight before data: 0.22 to 0.01 for what all channels share; 0.16 to 0.02 for a channel's own.
FEATURES_ALONE = Ridges((10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0), (20.0, 100.0, 500.0, 2000.0))


@dataclass(frozen=True, eq=False)
class Billed:
    """Units on invoices, as `Sums` takes them; `invoice` counts from 0, `extra` are inputs besides the features."""

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

    def sums(self, held: Floats, free: Floats, offset: Floats) -> Sums:
        """The same with inputs to be held by a ridge, and free ones."""
        return Sums(held, free, self.weight, self.invoice, self.total, offset, self.base)


@dataclass(frozen=True, eq=False)
class ChannelFit:
    """One channel's terms (the level is their intercept), the weights of the extra inputs, and its rows."""

    terms: LogisticModel
    extra: Floats
    rows: NDArray[np.bool_]


def fit_channels(
    billed: Billed,
    features: Features,
    alone: frozenset[str] = frozenset(),
    few: frozenset[str] = frozenset(),
    ridges: Ridges = FEATURES_ALONE,
) -> dict[str, ChannelFit]:
    """A fit a channel; channels that stand `alone` neither give to the common shape nor take from it.

    Those with `few` things seen take the common shape as it is, and the others' level moved by what was seen. Where
    there are several channels, and a choice of ridges, what holds a channel to the common shape is learned by input.
    """
    names = sorted(set(billed.channel))
    bare, inputs = design(billed.frame, features, MIN_LEVEL)
    held = np.hstack([inputs, billed.extra])
    is_score = _of_scores(bare, ridges.scores)
    width = billed.extra.shape[1]
    common = _vectors(ridges.common, is_score, ridges.common_score, EXTRA_COMMON, width)
    apart = _vectors(ridges.own, is_score, ridges.own_score, EXTRA_OWN, width)
    sharing = [name for name in names if name not in alone | few]
    shape, level = _common(billed, held, sharing, common)
    by_input: dict[str, Floats] = {}
    if len(ridges.own) > 1 and len(sharing) >= ENOUGH:
        parts = {name: (billed.where(billed.channel == name), held[billed.channel == name]) for name in sharing}
        by_input = ridges_apart(parts, shape)

    def fitted(name: str) -> ChannelFit:
        mask = billed.channel == name
        start = np.zeros(held.shape[1]) if name in alone else shape
        mine = billed.where(mask)
        if name in few:
            own, mine_level = np.zeros(held.shape[1]), _moved(mine, held[mask] @ start, level)
        else:
            ones = np.ones((len(mine.weight), 1))
            held_by = [by_input[name]] if name in by_input else common if name in alone else apart
            own, free = _fitted(mine, held[mask], ones, held[mask] @ start, held_by)
            mine_level = float(free[0])
        weights = start + own
        terms = replace(bare, weights=weights[: inputs.shape[1]], intercept=mine_level)
        return ChannelFit(terms, weights[inputs.shape[1] :], mask)

    return dict(zip(names, side_by_side(fitted, names), strict=True))


def _moved(mine: Billed, offset: Floats, level: float) -> float:
    """The level of all channels moved by what was seen of one, against what that level expects."""
    expected = float((mine.weight * np.exp(np.clip(offset + level, -30.0, 30.0))).sum())
    seen = max(float((mine.total - mine.base).sum()), 0.0)
    return level + float(np.log((seen + LEVEL_WORTH) / (expected + LEVEL_WORTH)))


def _of_scores(terms: LogisticModel, scores: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which inputs of the terms are made of the scores; scores are numbers."""
    numbers = [bend.name in scores for bend in terms.bends for _ in range(bend.width)]
    return np.array(numbers + [False] * (len(terms.weights) - len(numbers)), dtype=np.bool_)


def _vectors(
    ridges: tuple[float, ...], is_score: NDArray[np.bool_], score: float, extra: float, width: int
) -> list[Floats]:
    """Each ridge as one number an input."""
    return [np.append(np.where(is_score, score, ridge), np.full(width, extra)) for ridge in ridges]


def _common(billed: Billed, held: Floats, names: list[str], ridges: list[Floats]) -> tuple[Floats, float]:
    """Weights all channels share, each channel's level left free, and the mean level."""
    if not names:
        return np.zeros(held.shape[1]), 0.0
    mask = np.isin(billed.channel, names)
    ours = billed.where(mask)
    levels = (ours.channel[:, None] == np.array(names, dtype=object)[None, :]).astype(np.float64)
    shape, free = _fitted(ours, held[mask], levels, np.zeros(len(ours.weight)), ridges)
    return shape, float(free.mean())


def _fitted(billed: Billed, held: Floats, free: Floats, offset: Floats, ridges: list[Floats]) -> tuple[Floats, Floats]:
    """The mean of the fits at every ridge, each weighted by what it tells of either half, learned from the other."""
    if int((billed.total > 0).sum()) >= PLENTY:
        ridges = ridges[:2][-1:]
    share = _shares(billed, held, free, offset, ridges)
    weights, levels = np.zeros(held.shape[1]), np.zeros(free.shape[1])
    told = [(part, ridge) for part, ridge in zip(share, ridges, strict=True) if part]
    fits = _at_ridges(billed.sums(held, free, offset), [ridge for _, ridge in told])
    for (part, _), found in zip(told, fits, strict=True):
        weights, levels = weights + part * found.held, levels + part * found.free
    return weights, levels


def _at_ridges(sums: Sums, ridges: list[Floats]) -> list[Weights]:
    """A fit at each ridge, from the tightest on: the looser one starts where the tighter ended."""
    found: list[Weights] = []
    for ridge in reversed(ridges):
        found.append(sums.fit(ridge, near=found[-1] if found else None))
    return found[::-1]


def _shares(billed: Billed, held: Floats, free: Floats, offset: Floats, ridges: list[Floats]) -> Floats:
    """How likely each ridge makes what was held out, as shares; sums scatter more than counts, and tell less for it."""
    odd = billed.invoice % 2 == 1
    if len(ridges) == 1 or not odd.any() or odd.all():
        last: Floats = np.eye(len(ridges))[-1]
        return last

    def judged(learned: NDArray[np.bool_]) -> Floats:
        """What each ridge misses of the rest, and how far it scatters."""
        learn, test = billed.where(learned), billed.where(~learned)
        sums = learn.sums(held[learned], free[learned], offset[learned])
        held_out, free_out, begin = held[~learned], free[~learned], offset[~learned]
        told = np.zeros((2, len(ridges)))
        for at, found in enumerate(_at_ridges(sums, ridges)):
            log_unit = begin + held_out @ found.held + free_out @ found.free
            unit = test.weight * np.exp(np.clip(log_unit, -30.0, 30.0))
            mean = np.bincount(test.invoice, weights=unit, minlength=len(test.total)) + test.base + SLACK
            told[0, at] = (mean - test.total * np.log(mean)).sum()
            told[1, at] = (np.square(test.total - mean) / mean).mean() / 2.0
        return told

    missed, scatter = sum(side_by_side(judged, (~odd, odd)), np.zeros((2, len(ridges))))
    best = int(np.argmin(missed))
    likely = np.exp(-(missed - missed[best]) / max(float(scatter[best]), SLACK))
    kept = np.where(likely < NOTHING * likely.sum(), 0.0, likely)
    share: Floats = kept / kept.sum()
    return share
