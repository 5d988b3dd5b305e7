"""Shapley values of a model of who converts, given which channels a journey met."""

from __future__ import annotations

import numpy as np

from jobs.measure.attribution.paths import Floats, Ints, Paths
from jobs.runtime.errors import DataRefused

MOST_GROUPS = 12  # channels told apart; the rest are one group
PENALTY = 1.0  # on squared weights, against a log-likelihood of journeys


def shapley(paths: Paths) -> Floats:
    """Weights by touch: each path's conversions split by the Shapley values of its channels, at their first touches.

    v(S) is the chance to convert having met S, by a logistic model with penalised weights; a channel the model holds
    against a path gets none of it, and a path held against whole is split evenly. Beyond MOST_GROUPS channels the
    least met are one group, whose members share evenly.
    """
    groups = _groups(paths)
    size = int(groups.max(initial=0)) + 1
    bits = np.zeros(len(paths.lengths), dtype=np.int64)
    np.bitwise_or.at(bits, paths.owners, np.left_shift(1, groups[paths.codes]))
    sets, of_set = np.unique(bits, return_inverse=True)
    won = np.bincount(of_set, paths.conversions).astype(np.float64)
    lost = np.bincount(of_set, paths.nulls).astype(np.float64)
    values = _values(_chances(sets, won, lost, size), sets, size)
    at = paths.debuts
    group, path = groups[paths.codes[at]], paths.owners[at]
    members = np.bincount(path * size + group, minlength=len(paths.lengths) * size)
    weights = np.zeros(len(paths.codes))
    weights[at] = values[of_set[path], group] / members[path * size + group]
    return weights


def _groups(paths: Paths) -> Ints:
    """The group of each channel: its own, or the last one for the least met."""
    met = np.bincount(
        paths.codes[paths.debuts],
        (paths.conversions + paths.nulls)[paths.owners[paths.debuts]],
        minlength=len(paths.channels),
    )
    if len(paths.channels) <= MOST_GROUPS:
        return np.arange(len(paths.channels))
    rank = np.empty(len(met), dtype=np.int64)
    rank[np.lexsort((np.arange(len(met)), -met))] = np.arange(len(met))
    return np.minimum(rank, MOST_GROUPS - 1)


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


def _values(chances: Floats, sets: Ints, size: int) -> Floats:
    """(sets, groups): shares of a conversion, each row's sum 1: Shapley values of v on the subsets of each set."""
    dividends = _transform(chances, size, -1.0)
    has = (np.right_shift(np.arange(1 << size)[:, None], np.arange(size)) & 1).astype(bool)
    split = dividends / np.maximum(has.sum(axis=1), 1)
    found = np.column_stack([_transform(np.where(has[:, i], split, 0.0), size, 1.0) for i in range(size)])[sets]
    found = np.maximum(np.where(has[sets], found, 0.0), 0.0)
    total = found.sum(axis=1, keepdims=True)
    even = has[sets] / np.maximum(has[sets].sum(axis=1, keepdims=True), 1)
    return np.asarray(np.where(total > 0, found / np.where(total > 0, total, 1.0), even))


def _transform(table: Floats, size: int, sign: float) -> Floats:
    """Sums over subsets (sign 1) or their inverse (-1), in size x 2^size steps."""
    told = table.astype(np.float64)
    for bit in range(size):
        view = told.reshape(-1, 2, 1 << bit)
        view[:, 1] += sign * view[:, 0]
    return told
