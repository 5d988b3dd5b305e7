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


class Sums:
    """Units on invoices, to be fitted at any ridge: log unit = offset + inputs a + free b, `a` held to 0 by the ridge.

    Units (rows) stand for `weight` of them each and are on an `invoice` (0..), which adds up to its `total`, of which
    `base` is known to be owed to something else. Poisson quasi-likelihood by Fisher scoring.
    """

    def __init__(
        self,
        inputs: Floats,
        free: Floats,
        weight: Floats,
        invoice: NDArray[np.int64],
        total: Floats,
        offset: Floats,
        base: Floats | None = None,
    ) -> None:
        self._width = inputs.shape[1]
        self._rows = _Rows.of(
            np.hstack([inputs, free]), weight, invoice, total, offset, np.zeros(len(total)) if base is None else base
        )

    def fit(self, ridge: float | Floats = 1.0, near: Weights | None = None) -> Weights:
        """Weights at a ridge (one for all inputs, or one each), in units of the scatter of totals without inputs.

        Scoring starts from `near`, the fit at a ridge like it, where there is one.
        """
        with one_thread():
            start, scatter = self._without_inputs
            held_by = np.zeros(len(start))
            held_by[: self._width] = np.asarray(ridge) * scatter
            begin = start if near is None else np.concatenate([near.held, near.free])
            found = _scored(self._rows, begin, held_by, slice(None))
            curve = self._rows.bends(found, self._rows.means(found), held_by, slice(None))[1]
            left = np.diag(np.linalg.inv(curve)) * scatter
        return Weights(found[: self._width], found[self._width :], left[: self._width])

    @cached_property
    def _without_inputs(self) -> tuple[Floats, float]:
        """The weights when the free ones alone move, and how far totals scatter about what they expect then."""
        nothing = np.zeros(self._rows.both.shape[1])
        start = _scored(self._rows, nothing, nothing, slice(self._width, None))
        mean, total = self._rows.means(start)[1], self._rows.total
        return start, float((np.square(total - mean) / mean).mean())


@dataclass(frozen=True, eq=False)
class _Rows:
    """Units sorted by invoice; `first` is where each invoice that has units begins."""

    both: Floats
    weight: Floats
    invoice: NDArray[np.int64]
    total: Floats
    offset: Floats
    base: Floats
    first: NDArray[np.int64]

    @classmethod
    def of(
        cls, both: Floats, weight: Floats, invoice: NDArray[np.int64], total: Floats, offset: Floats, base: Floats
    ) -> _Rows:
        if (np.diff(invoice) < 0).any():
            order = np.argsort(invoice, kind="stable")
            both, weight, invoice, offset = both[order], weight[order], invoice[order], offset[order]
        return cls(both, weight, invoice, total, offset, base, np.flatnonzero(np.diff(invoice, prepend=-1)))

    @property
    def is_single(self) -> bool:
        """Whether every invoice is one unit."""
        return len(self.first) == len(self.invoice) == len(self.total)

    def means(self, beta: Floats) -> tuple[Floats, Floats]:
        """Each unit's and each invoice's expected total."""
        unit: Floats = self.weight * np.exp(np.clip(self.offset + self.both @ beta, -30.0, 30.0))
        if self.is_single:
            return unit, unit + self.base + SLACK
        mean: Floats = np.bincount(self.invoice, weights=unit, minlength=len(self.total)).astype(np.float64)
        return unit, mean + self.base + SLACK

    def bends(self, beta: Floats, means: tuple[Floats, Floats], held_by: Floats, moves: slice) -> tuple[Floats, Floats]:
        """Slope of the loss in the weights that move, and how sharply it bends, weights x weights."""
        unit, mean = means
        present, held = self.invoice[self.first], 2.0 * held_by[moves]
        at, total = mean[present], self.total[present]
        if len(self.first) == len(self.invoice):
            each = unit / np.sqrt(at)
            pulls: Floats = self.both[:, moves] * each[:, None]
        else:
            pulls = np.add.reduceat(self.both[:, moves] * unit[:, None], self.first, axis=0)
            pulls /= np.sqrt(at)[:, None]
        slope = pulls.T @ ((at - total) / np.sqrt(at)) + held * beta[moves]
        # One matrix times itself is worth half the work of two.
        curve = pulls.T @ pulls
        curve[np.diag_indices_from(curve)] += held + TINY * max(float(at.sum()), 1.0)
        return slope, curve

    def loss(self, beta: Floats, means: tuple[Floats, Floats], held_by: Floats) -> float:
        """What is made small: quasi-likelihood and ridge."""
        mean = means[1]
        return float((mean - self.total * np.log(mean)).sum() + (held_by * np.square(beta)).sum())


def _scored(rows: _Rows, beta: Floats, held_by: Floats, moves: slice) -> Floats:
    """Fisher scoring with halved steps; only what `moves` is fitted."""
    means = rows.means(beta)
    at = rows.loss(beta, means, held_by)
    for _ in range(STEPS):
        slope, curve = rows.bends(beta, means, held_by, moves)
        step = np.zeros(len(beta))
        step[moves] = -np.linalg.solve(curve, slope)
        step /= max(1.0, float(np.abs(step).max()) / LONGEST)
        for _ in range(HALVINGS):
            tried = rows.means(beta + step)
            value = rows.loss(beta + step, tried, held_by)
            if value <= at:
                break
            step /= 2.0
        else:
            break
        beta, means, gained, at = beta + step, tried, at - value, value
        if gained <= ENOUGH * max(abs(at), 1.0):
            break
    return beta
