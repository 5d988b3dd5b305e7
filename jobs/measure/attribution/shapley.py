"""Shapley values of a model of who converts, given which channels a journey met."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.measure.attribution.paths import Floats, Ints, Paths
from jobs.runtime.errors import DataRefused

MOST_GROUPS = 12  # channels told apart; the rest are one group
PENALTY = 1.0  # on squared weights, against a log-likelihood of journeys


@dataclass(frozen=True)
class Game:
    """`groups` (channels,): the group of each channel; `shares` (sets, groups): a conversion split, set by set.

    A set is a number whose bits are the groups it holds.
    """

    groups: Ints
    shares: Floats


def shapley(paths: Paths) -> Floats:
    """Weights by touch: each path's conversions split by the Shapley values of its channels, at their first touches.

    v(S) is the chance to convert having met S, by a logistic model with penalised weights; a channel the model holds
    against a path gets none of it, and a path held against whole is split evenly. Beyond MOST_GROUPS channels the
    least met are one group, whose members share evenly.
    """
    at = paths.owners[paths.debuts]
    met = np.bincount(
        paths.codes[paths.debuts], (paths.conversions + paths.nulls)[at], minlength=len(paths.channels)
    ).astype(np.float64)
    groups = grouped(met)
    sets, of_set = np.unique(sets_of(paths, groups), return_inverse=True)
    won = np.bincount(of_set, paths.conversions).astype(np.float64)
    lost = np.bincount(of_set, paths.nulls).astype(np.float64)
    return shares_of(paths, game(groups, sets, won, lost))


def grouped(met: Floats) -> Ints:
    """The group of each channel, given how often each was met: its own, or the last one for the least met."""
    if len(met) <= MOST_GROUPS:
        return np.arange(len(met))
    rank = np.empty(len(met), dtype=np.int64)
    rank[np.lexsort((np.arange(len(met)), -met))] = np.arange(len(met))
    return np.minimum(rank, MOST_GROUPS - 1)


def sets_of(paths: Paths, groups: Ints) -> Ints:
    """The set of groups each path met."""
    bits = np.zeros(len(paths.lengths), dtype=np.int64)
    np.bitwise_or.at(bits, paths.owners[paths.debuts], np.left_shift(1, groups[paths.codes[paths.debuts]]))
    return bits


def game(groups: Ints, sets: Ints, won: Floats, lost: Floats) -> Game:
    """The game of journeys that met `sets`, of which so many were won and lost; DataRefused where all or none were."""
    size = int(groups.max(initial=0)) + 1
    return Game(groups, _values(_chances(sets, won, lost, size), size))


def shares_of(paths: Paths, game: Game) -> Floats:
    """Weights by touch of each path's conversions."""
    size = game.shares.shape[1]
    bits, at = sets_of(paths, game.groups), paths.debuts
    group, path = game.groups[paths.codes[at]], paths.owners[at]
    members = np.bincount(path * size + group, minlength=len(paths.lengths) * size)
    weights = np.zeros(len(paths.codes))
    weights[at] = game.shares[bits[path], group] / members[path * size + group]
    return weights


def _chances(sets: Ints, won: Floats, lost: Floats, size: int) -> Floats:
    """v of every subset of `size` groups, by a penalised logistic model of what became of the sets seen."""
    from sklearn.linear_model import LogisticRegression

    if not won.sum() or not lost.sum():
        raise DataRefused("Shapley values need journeys that converted and journeys that did not; total_null is empty")
    flags = np.right_shift(sets[:, None], np.arange(size)) & 1
    rows = np.concatenate([flags, flags])
    labels = np.repeat([1, 0], len(sets))
    model = LogisticRegression(C=1.0 / PENALTY, solver="newton-cholesky", tol=1e-10, max_iter=200)
    model.fit(rows, labels, sample_weight=np.concatenate([won, lost]))
    every = np.right_shift(np.arange(1 << size)[:, None], np.arange(size)) & 1
    return np.asarray(model.predict_proba(every)[:, 1])


def _values(chances: Floats, size: int) -> Floats:
    """(sets, groups): shares of a conversion, each row's sum 1 but the empty set's: Shapley values of v within it."""
    dividends = _transform(chances, size, -1.0)
    has = (np.right_shift(np.arange(1 << size)[:, None], np.arange(size)) & 1).astype(bool)
    held = np.maximum(has.sum(axis=1), 1)
    split = dividends / held
    found = np.column_stack([_transform(np.where(has[:, i], split, 0.0), size, 1.0) for i in range(size)])
    found = np.maximum(np.where(has, found, 0.0), 0.0)
    total = found.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, found / np.where(total > 0, total, 1.0), has / held[:, None]))


def _transform(table: Floats, size: int, sign: float) -> Floats:
    """Sums over subsets (sign 1) or their inverse (-1), in size x 2^size steps."""
    told = table.astype(np.float64)
    for bit in range(size):
        view = told.reshape(-1, 2, 1 << bit)
        view[:, 1] += sign * view[:, 0]
    return told
