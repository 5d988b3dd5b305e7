"""Ridge logistic regression whose score is a sum of one table or one bent line a feature, added column by column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import ndtri

from jobs.model.learners.features import Features, Floats, Levels, numbers
from jobs.model.learners.settings import LogisticSettings
from jobs.model.learners.strength import best_of, few_events
from jobs.model.learners.threads import one_thread

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

RANK_POINTS = 65
TAILS = (0.0005, 0.002, 0.005, 0.01)  # normal scores differ most where ranks differ least
NARROW = 400


@dataclass(frozen=True, eq=False)
class Bend:
    """One numeric feature: its rank in the training data, bent at inner quantiles, and a flag for null.

    `is_normal`: the rank's normal score instead of the rank, which is straight where the feature is a normal view of
    something that acts in proportion; ranks alone flatten its tails.
    """

    name: str
    values: Floats
    ranks: Floats
    knots: tuple[float, ...]
    is_normal: bool = False

    @classmethod
    def of(cls, name: str, column: Floats, knots: int, is_normal: bool = False) -> Bend:
        """The empirical ranks of the column at up to RANK_POINTS distinct quantiles (more in the tails if normal)."""
        known = np.sort(column[~np.isnan(column)])
        if known.size == 0:
            return cls(name, np.zeros(1), np.zeros(1), (), is_normal)
        points = np.linspace(0, 1, RANK_POINTS)
        if is_normal:
            points = np.sort(np.concatenate([points, TAILS, 1.0 - np.array(TAILS)]))
        values = np.unique(np.quantile(known, points, method="nearest"))
        low, high = np.searchsorted(known, values, "left"), np.searchsorted(known, values, "right")
        share, inner = (low + high) / (2 * known.size), np.linspace(0, 1, knots + 2)[1:-1]
        if is_normal:
            return cls(name, values, ndtri(share), tuple(float(k) for k in ndtri(inner)), True)
        return cls(name, values, share - 0.5, tuple(float(k) - 0.5 for k in inner))

    @property
    def width(self) -> int:
        """How many columns the feature becomes."""
        return 2 + len(self.knots)

    def columns(self, column: Floats) -> list[Floats]:
        """The feature's columns, about as wide as standardised ones; values outside the training range are clipped."""
        rank = np.interp(np.where(np.isnan(column), self.values[0], column), self.values, self.ranks)
        rank, wide = np.where(np.isnan(column), 0.0, rank), 1.0 if self.is_normal else 4.0
        bent = [np.maximum(rank - k, 0.0) * wide for k in self.knots]
        return [rank * wide, *bent, np.isnan(column).astype(np.float64)]


@dataclass(frozen=True, eq=False)
class LogisticModel:
    """The fitted terms; log-odds are the intercept plus the terms in their fixed order."""

    bends: tuple[Bend, ...]
    tables: tuple[tuple[str, Levels], ...]
    weights: Floats
    intercept: float

    def log_odds(self, frame: pd.DataFrame) -> Floats:
        """One score a row; the sum runs over features, never over rows, so it does not depend on the batch."""
        total = np.full(len(frame), self.intercept)
        at = 0
        for bend in self.bends:
            for column in bend.columns(numbers(frame[bend.name])):
                total += self.weights[at] * column
                at += 1
        for name, levels in self.tables:
            size = len(levels.names) + 1
            total += self.weights[at : at + size][levels.codes(frame[name])]
            at += size
        return total


def fit_logistic(
    frame: pd.DataFrame,
    features: Features,
    label: NDArray[np.int8],
    weight: Floats | None,
    settings: LogisticSettings,
) -> LogisticModel:
    """Fit on rows in the order given; both classes must be present (jobs.model.learners.fit sees to it)."""
    bends = tuple(Bend.of(n, numbers(frame[n]), settings.knots, settings.normal_scores) for n in features.numeric)
    tables = tuple((n, Levels.of(frame[n], settings.min_level)) for n in features.categorical)
    blocks = [sparse.csr_array(np.column_stack(b.columns(numbers(frame[b.name])))) for b in bends]
    rows = np.arange(len(frame))
    for name, levels in tables:
        shape = (len(frame), len(levels.names) + 1)
        blocks.append(sparse.csr_array((np.ones(len(frame)), (rows, levels.codes(frame[name]))), shape=shape))
    inputs = sparse.hstack(blocks, format="csr")
    # Newton's steps are few but need a matrix of inputs x inputs: right for some hundred, not for many levels.
    is_narrow = inputs.shape[1] <= NARROW
    held = inputs.toarray() if is_narrow else inputs
    w = np.ones(len(label)) if weight is None else weight
    c = settings.c
    with one_thread():
        if settings.stronger and few_events(label):
            c = best_of((c, *settings.stronger), _learned, held, label, w)
        learner = _learned(c, held, label, w)
    return LogisticModel(bends, tables, learner.coef_[0].astype(np.float64), float(learner.intercept_[0]))


def _learned(c: float, inputs: Any, label: NDArray[np.int8], weight: Floats) -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression

    solver = "newton-cholesky" if isinstance(inputs, np.ndarray) else "lbfgs"
    return LogisticRegression(C=c, max_iter=1000, tol=1e-6, solver=solver).fit(inputs, label, sample_weight=weight)
