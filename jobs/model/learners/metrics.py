"""How well a score orders and predicts a 0/1 label: AUC, log-loss, contacts saved, and bootstrap intervals of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jobs.model.learners.features import Floats

CHUNK_CELLS = 1_000_000  # cells of one (replicates x rows) block of the bootstrap: 8 MB


@dataclass(frozen=True)
class Interval:
    """An estimate and its two-sided 95 % percentile interval; NaN where the sample does not define it."""

    value: float
    lo: float
    hi: float


@dataclass(frozen=True, eq=False)
class Ordered:
    """Labels in descending order of a score, and where each run of equal scores starts; sorted once, used often."""

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    label: Floats

    @classmethod
    def by(cls, label: ArrayLike, score: ArrayLike) -> Ordered:
        """Sort once; ValueError when lengths differ or a score is not a number."""
        y, s = np.asarray(label, dtype=np.float64), np.asarray(score, dtype=np.float64)
        if y.shape != s.shape or y.ndim != 1 or np.isnan(s).any():
            raise ValueError(f"metrics: {y.shape} labels against {s.shape} scores, or a score is NaN")
        order = np.argsort(-s, kind="stable")
        ranked = s[order]
        starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]) if s.size else np.zeros(0, dtype=np.intp)
        return cls(order, starts, y[order])

    def totals(self, counts: Floats) -> tuple[Floats, Floats]:
        """Rows and positives of every run of equal scores, for each replicate (counts: replicates x rows)."""
        if self.order.size == 0:
            return counts, counts
        placed = counts[:, self.order]
        if self.starts.size == self.order.size:
            return placed, placed * self.label
        rows = np.add.reduceat(placed, self.starts, axis=1)
        return rows, np.add.reduceat(placed * self.label, self.starts, axis=1)


def auc(label: ArrayLike, score: ArrayLike) -> float:
    """The share of (positive, negative) pairs in the right order, ties half; NaN when one class is absent."""
    ordered = Ordered.by(label, score)
    return float(_auc(*ordered.totals(np.ones((1, ordered.order.size))))[0])


def log_loss(label: ArrayLike, probability: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Mean negative log-likelihood in nats; NaN without rows. Probabilities are held within 1e-15 of 0 and 1."""
    losses = row_log_loss(label, probability)
    weights = np.ones(losses.size) if weight is None else np.asarray(weight, dtype=np.float64)
    return float(np.average(losses, weights=weights)) if losses.size else float("nan")


def row_log_loss(label: ArrayLike, probability: ArrayLike) -> Floats:
    """The negative log-likelihood of each row."""
    y, p = np.asarray(label, dtype=np.float64), np.clip(np.asarray(probability, dtype=np.float64), 1e-15, 1 - 1e-15)
    return np.asarray(-(y * np.log(p) + (1 - y) * np.log1p(-p)), dtype=np.float64)


def cut_at(label: ArrayLike, score: ArrayLike, share: float) -> float:
    """The part of contacts saved: 1 - (share of people contacted to reach `share` of positives) / `share`.

    The best scores are contacted first; contacting at random saves about 0. Among equal scores people are taken in
    random order, and the expected number is counted. NaN without positives.
    """
    ordered = Ordered.by(label, score)
    return float(_cut_at(share, *ordered.totals(np.ones((1, ordered.order.size))))[0])


Metric = Callable[[Floats, Floats], Floats]


def metric(name: str) -> Metric:
    """The metric of that name on totals of runs: `auc`, or `cut_at_<percent>`; ValueError for another name."""
    if name == "auc":
        return _auc
    if name.startswith("cut_at_") and name[7:].isdigit() and 0 < int(name[7:]) <= 100:
        return partial(_cut_at, int(name[7:]) / 100)
    raise ValueError(f"metric {name!r} is unknown; use auc or cut_at_<percent>")


def bootstrap(
    label: ArrayLike, scores: Mapping[str, ArrayLike], names: Sequence[str], seed: int, replicates: int = 1000
) -> dict[str, dict[str, Floats]]:
    """Metrics of several scores on the same resampled rows, so that differences between scores are paired.

    Returns score -> metric -> array of 1 + replicates; element 0 is the sample itself.
    """
    y = np.asarray(label, dtype=np.float64)
    ordered = {key: Ordered.by(y, score) for key, score in scores.items()}
    rng = np.random.default_rng(seed)
    found: dict[str, dict[str, list[Floats]]] = {key: {name: [] for name in names} for key in scores}
    for counts in resampled(rng, y.size, replicates):
        for key, rows in ordered.items():
            totals = rows.totals(counts)
            for name in names:
                found[key][name].append(metric(name)(*totals))
    return {key: {name: np.concatenate(parts) for name, parts in per.items()} for key, per in found.items()}


def interval(draws: Floats) -> Interval:
    """The first draw with the 2.5 and 97.5 % quantiles of the others, undefined draws left out."""
    known = draws[1:][~np.isnan(draws[1:])]
    if np.isnan(draws[0]) or known.size == 0:
        return Interval(float(draws[0]), float("nan"), float("nan"))
    lo, hi = np.quantile(known, [0.025, 0.975])
    return Interval(float(draws[0]), float(lo), float(hi))


def resampled(rng: np.random.Generator, rows: int, replicates: int) -> Iterator[Floats]:
    """Row counts of the sample itself, then of the bootstrap replicates, a memory-bounded block at a time."""
    yield np.ones((1, rows))
    size = max(1, CHUNK_CELLS // max(rows, 1))
    for first in range(0, replicates, size):
        block = min(size, replicates - first)
        drawn = rng.integers(0, max(rows, 1), (block, rows)) + np.arange(block)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=block * rows).reshape(block, rows).astype(np.float64)


def _auc(rows: Floats, hits: Floats) -> Floats:
    misses = rows - hits
    above = np.cumsum(hits, axis=1) - hits
    right = ((above + hits / 2) * misses).sum(axis=1)
    pairs = hits.sum(axis=1) * misses.sum(axis=1)
    return np.asarray(np.divide(right, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0), dtype=np.float64)


def _cut_at(share: float, rows: Floats, hits: Floats) -> Floats:
    out = np.full(rows.shape[0], np.nan)
    reached, contacted = np.cumsum(hits, axis=1), np.cumsum(rows, axis=1)
    for i in np.flatnonzero(hits.sum(axis=1) > 0):
        wanted = np.ceil(share * reached[i, -1] - 1e-9)
        at = int(np.searchsorted(reached[i], wanted))
        before = contacted[i, at] - rows[i, at]
        # The k-th of p positives among n people in random order is expected at place k (n + 1) / (p + 1).
        place = (wanted - (reached[i, at] - hits[i, at])) * (rows[i, at] + 1) / (hits[i, at] + 1)
        out[i] = 1.0 - (before + place) / contacted[i, -1] / share
    return out
