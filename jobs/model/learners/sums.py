"""A log-linear model of what each unit brings or costs, learned from sums over units: invoices, not price tags."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners import pickled
from jobs.model.learners.features import Features, Floats, Levels, numbers
from jobs.model.learners.logistic import Bend, LogisticModel
from jobs.model.learners.threads import one_thread
from jobs.runtime.errors import DataRefused

KNOTS = 1  # prices bend little, and an invoice says less than a label
MOST = 3.0  # log of the largest factor over the usual one
SLACK = 1e-9
STEPS, HALVINGS, LONGEST = 40, 25, 2.0
ENOUGH, TINY = 1e-11, 1e-10  # relative gain at which scoring ends; what keeps an input without rows solvable


@dataclass(frozen=True, eq=False)
class FactorModel:
    """What a row's unit brings or costs: exp of a sum of terms, within e^-MOST .. e^MOST of that of the intercept."""

    terms: LogisticModel

    def factor(self, frame: pd.DataFrame) -> Floats:
        """One factor a row; a row's factor does not depend on the others."""
        level = self.terms.intercept
        return np.exp(level + np.clip(self.terms.log_odds(frame) - level, -MOST, MOST))

    @property
    def level(self) -> float | None:
        """The factor of every row, when it is the same for all."""
        return None if self.terms.weights.size else float(np.exp(self.terms.intercept))

    def to_bytes(self) -> bytes:
        """The model as bytes, the same for the same inputs."""
        return pickled.dump(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> FactorModel:
        """The model back; DataRefused when the bytes are damaged or not such a model's."""
        model = pickled.load(data)
        if not isinstance(model, cls):
            raise DataRefused("model bytes: they hold something other than a model of factors; train again")
        return model


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of the inputs `held` by a ridge and of the `free` ones; `variance` left to each of the held."""

    held: Floats
    free: Floats
    variance: Floats


def design(frame: pd.DataFrame, features: Features, min_level: int) -> tuple[LogisticModel, Floats]:
    """The terms with weights of 0, and the inputs they make of the frame (units x weights)."""
    bends = tuple(Bend.of(n, numbers(frame[n]), KNOTS, is_normal=True) for n in features.numeric)
    tables = tuple((n, Levels.of(frame[n], min_level)) for n in features.categorical)
    columns: list[Floats] = [c for bend in bends for c in bend.columns(numbers(frame[bend.name]))]
    for name, levels in tables:
        codes = levels.codes(frame[name])
        columns += [(codes == at).astype(np.float64) for at in range(len(levels.names) + 1)]
    inputs = np.column_stack(columns) if columns else np.zeros((len(frame), 0))
    return LogisticModel(bends, tables, np.zeros(inputs.shape[1]), 0.0), inputs


def fit_sums(
    inputs: Floats,
    free: Floats,
    weight: Floats,
    invoice: NDArray[np.int64],
    total: Floats,
    offset: Floats,
    ridge: float | Floats = 1.0,
    base: Floats | None = None,
) -> Weights:
    """Weights of `inputs`, held to 0 by the ridge, and of `free` ones: log unit = offset + inputs a + free b.

    Units (rows) stand for `weight` of them each and are on an `invoice` (0..), which adds up to its `total`, of which
    `base` is known to be owed to something else. Poisson quasi-likelihood by Fisher scoring; the ridge (one for
    all inputs, or one each) is in units of the scatter of totals about a first fit without inputs.
    """
    order = np.argsort(invoice, kind="stable")
    both, width = np.hstack([inputs, free])[order], inputs.shape[1]
    rows = _Rows(
        both, weight[order], invoice[order], total, offset[order], np.zeros(len(total)) if base is None else base
    )
    with one_thread():
        only_free = np.arange(both.shape[1]) >= width
        nothing = np.zeros(both.shape[1])
        start = _scored(rows, nothing, nothing, only_free)
        mean = rows.means(start)[1]
        scatter = float((np.square(total - mean) / mean).mean())
        held_by = nothing.copy()
        held_by[:width] = np.asarray(ridge) * scatter
        found = _scored(rows, start, held_by, np.ones(both.shape[1], dtype=np.bool_))
        left = np.diag(np.linalg.inv(rows.bends(found, held_by, slice(None))[1])) * scatter
    return Weights(found[:width], found[width:], left[:width])


@dataclass(frozen=True, eq=False)
class _Rows:
    both: Floats
    weight: Floats
    invoice: NDArray[np.int64]
    total: Floats
    offset: Floats
    base: Floats

    def means(self, beta: Floats) -> tuple[Floats, Floats]:
        """Each unit's and each invoice's expected total."""
        unit: Floats = self.weight * np.exp(np.clip(self.offset + self.both @ beta, -30.0, 30.0))
        mean: Floats = np.bincount(self.invoice, weights=unit, minlength=len(self.total)).astype(np.float64)
        return unit, mean + self.base + SLACK

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """Where each invoice that has units begins."""
        return np.flatnonzero(np.diff(self.invoice, prepend=-1))

    def bends(self, beta: Floats, held_by: Floats, moves: NDArray[np.bool_] | slice) -> tuple[Floats, Floats]:
        """Slope of the loss in the weights that move, and how sharply it bends, weights x weights."""
        unit, mean = self.means(beta)
        pulls: Floats = self.both[:, moves] * unit[:, None]
        if len(self.first) < len(self.invoice):
            pulls = np.add.reduceat(pulls, self.first, axis=0)
        present, held = self.invoice[self.first], 2.0 * held_by[moves]
        mean, total = mean[present], self.total[present]
        slope = pulls.T @ (1.0 - total / mean) + held * beta[moves]
        curve = (pulls / mean[:, None]).T @ pulls + np.diag(held + TINY * max(float(mean.sum()), 1.0))
        return slope, curve

    def loss(self, beta: Floats, held_by: Floats) -> float:
        """What is made small: quasi-likelihood and ridge."""
        mean = self.means(beta)[1]
        return float((mean - self.total * np.log(mean)).sum() + (held_by * np.square(beta)).sum())


def _scored(rows: _Rows, beta: Floats, held_by: Floats, moves: NDArray[np.bool_]) -> Floats:
    """Fisher scoring with halved steps; only what `moves` is fitted."""
    at = rows.loss(beta, held_by)
    for _ in range(STEPS):
        slope, curve = rows.bends(beta, held_by, moves)
        step = np.zeros(len(beta))
        step[moves] = -np.linalg.solve(curve, slope)
        step /= max(1.0, float(np.abs(step).max()) / LONGEST)
        for _ in range(HALVINGS):
            value = rows.loss(beta + step, held_by)
            if value <= at:
                break
            step /= 2.0
        else:
            break
        beta, gained, at = beta + step, at - value, value
        if gained <= ENOUGH * max(abs(at), 1.0):
            break
    return beta
