"""A log-linear model of what each unit costs, learned from what many units cost together: invoices, not price tags."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners import pickled
from jobs.model.learners.features import Features, Floats, Levels, numbers
from jobs.model.learners.logistic import Bend, LogisticModel
from jobs.model.learners.threads import one_thread
from jobs.runtime.errors import DataRefused

KNOTS = 1  # prices bend little, and an invoice says less than a label
MOST = 3.0  # log of the dearest unit over the usual one
SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class FactorModel:
    """What a row's unit costs, relative to the usual one: exp of a sum of terms, within e^-MOST .. e^MOST."""

    terms: LogisticModel

    def factor(self, frame: pd.DataFrame) -> Floats:
        """One factor a row; a row's factor does not depend on the others."""
        return np.exp(np.clip(self.terms.log_odds(frame), -MOST, MOST))

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


def design(frame: pd.DataFrame, features: Features, min_level: int) -> tuple[LogisticModel, Floats]:
    """The terms with weights of 0, and the inputs they make of the frame (units x weights)."""
    bends = tuple(Bend.of(n, numbers(frame[n]), KNOTS) for n in features.numeric)
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
    ridge: float = 1.0,
) -> Floats:
    """Weights of `inputs`, held to 0 by the ridge: log unit cost = offset + inputs a + free b.

    Units (rows) stand for `weight` of them each and are on an `invoice` (0..), which adds up to its `total`.

    Poisson quasi-likelihood of each invoice's total given the sum of its units; the ridge is in units of the scatter
    of totals about a first fit without inputs.
    """
    both, width, invoices = np.hstack([inputs, free]), inputs.shape[1], len(total)
    unit_of_loss = max(float(total.sum()), SLACK)

    def means(beta: Floats) -> tuple[Floats, Floats]:
        unit: Floats = weight * np.exp(np.clip(offset + both @ beta, -30.0, 30.0))
        mean = np.asarray(np.bincount(invoice, weights=unit, minlength=invoices) + SLACK, dtype=np.float64)
        return unit, mean

    def loss(beta: Floats, held_by: float) -> tuple[float, Floats]:
        unit, mean = means(beta)
        held = np.concatenate([beta[:width], np.zeros(len(beta) - width)])
        value = float((mean - total * np.log(mean)).sum() + held_by * (held**2).sum())
        slope: Floats = both.T @ (unit * (1.0 - total / mean)[invoice]) + 2.0 * held_by * held
        return value / unit_of_loss, slope / unit_of_loss

    def frozen(beta: Floats) -> tuple[float, Floats]:
        value, slope = loss(np.concatenate([np.zeros(width), beta]), 0.0)
        free_slope: Floats = slope[width:]
        return value, free_slope

    with one_thread():
        level = _least(frozen, np.zeros(free.shape[1]), 100)
        start = np.concatenate([np.zeros(width), level])
        mean = means(start)[1]
        scatter = float((np.square(total - mean) / mean).mean())
        found = _least(lambda beta: loss(beta, ridge * scatter), start, 300)
    return found[:width]


def _least(loss: Callable[[Floats], tuple[float, Floats]], start: Floats, steps: int) -> Floats:
    # Every command imports the jobs; only a fit should pay.
    from scipy.optimize import minimize

    def tried(beta: Floats) -> tuple[float, Floats]:
        return loss(beta)

    return np.asarray(
        minimize(tried, start, jac=True, method="L-BFGS-B", options={"maxiter": steps, "ftol": 1e-13, "gtol": 1e-8}).x
    )
