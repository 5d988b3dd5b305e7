"""How well cross-fitted probabilities order, fit and add up to what was seen, on the same resampled rows for all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jobs.backtest.folds import Folds
from jobs.model.learners.features import Floats
from jobs.model.learners.metrics import Ordered, metric, resampled, row_log_loss

METRICS = ("auc", "log_loss", "brier", "oe", "oe_top")
TOP = 0.1
SAID = (
    "auc, log_loss (nats a row) and brier are of held-out rows: auc within each fold, averaged over folds and repeats.",
    "oe is observed / expected over all rows, oe_top over each fold's riskiest tenth by the model's own score.",
    "Intervals resample rows, the same for every model, and hold the fits fixed: they are about the fitted models.",
)


def quality(
    label: Floats, fold: Folds, probabilities: Mapping[str, Floats], seed: int, replicates: int
) -> dict[str, dict[str, Floats]]:
    """Model -> metric -> array of 1 + replicates, element 0 the rows themselves; `fold` is repeats x rows, as they are.

    The bootstrap of rows is the interval of a k-fold estimate for a learner that is stable (Bayle et al. 2020).
    """
    sums = {name: _sums(label, fold, p) for name, p in probabilities.items()}
    ordered = {name: _by_fold(label, fold, p) for name, p in probabilities.items()}
    found: dict[str, dict[str, list[Floats]]] = {name: {m: [] for m in METRICS} for name in probabilities}
    for counts in resampled(np.random.default_rng(seed), label.size, replicates):
        for name, parts in ordered.items():
            areas = [metric("auc")(*order.totals(counts[:, rows])) for rows, order in parts]
            loss, brier, seen, expected, seen_top, expected_top = (counts @ sums[name]).T
            rows = counts.sum(axis=1)
            drawn = (np.mean(areas, axis=0), loss / rows, brier / rows, seen / expected, seen_top / expected_top)
            for key, values in zip(METRICS, drawn, strict=True):
                found[name][key].append(values)
    return {name: {key: np.concatenate(parts) for key, parts in per.items()} for name, per in found.items()}


def _by_fold(label: Floats, fold: Folds, probability: Floats) -> list[tuple[np.ndarray, Ordered]]:
    """For each repeat and fold its rows, and their labels ordered by score."""
    places = [(p, np.flatnonzero(f == k)) for f, p in zip(fold, probability, strict=True) for k in np.unique(f)]
    return [(rows, Ordered.by(label[rows], p[rows])) for p, rows in places]


def _sums(label: Floats, fold: Folds, probability: Floats) -> Floats:
    """Per row, averaged over repeats: log-loss, squared error, seen, expected, and the last two in the top tenth."""
    parts = []
    for f, p in zip(fold, probability, strict=True):
        is_top = np.zeros(label.size)
        for k in np.unique(f):
            rows = np.flatnonzero(f == k)
            is_top[rows[np.argsort(-p[rows], kind="stable")[: int(np.ceil(TOP * rows.size))]]] = 1.0
        parts.append([row_log_loss(label, p), np.square(label - p), label, p, label * is_top, p * is_top])
    return np.asarray(np.mean(parts, axis=0).T, dtype=np.float64)
