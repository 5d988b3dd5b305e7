"""Calibration: a model's probabilities moved onto what was observed on rows it was not fitted on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from jobs.model.learners.features import Floats
from jobs.model.learners.fitted import FLOOR, FittedModel

CONTRADICTS = 5.99  # twice the log-likelihood a line must gain: chi-square with two degrees, 95 %
ISOTONIC_POSITIVES = 1000  # below this a step function follows noise


@dataclass(frozen=True)
class Line:
    """log-odds' = slope * log-odds + shift; Platt's method, and with slope 1 a prior correction."""

    slope: float
    shift: float

    def __call__(self, score: Floats) -> Floats:
        return self.slope * score + self.shift


@dataclass(frozen=True, eq=False)
class Steps:
    """log-odds read off the isotonic curve, linear between its points and flat outside them."""

    at: Floats
    value: Floats

    def __call__(self, score: Floats) -> Floats:
        return np.interp(score, self.at, self.value)


def calibrate(
    model: FittedModel, frame: pd.DataFrame, label: ArrayLike, weight: ArrayLike | None = None
) -> FittedModel:
    """The model calibrated on held-out rows: isotonic from 1,000 positives (and negatives) on, else Platt.

    Platt's targets are smoothed, so one class alone moves the level and never breaks; without rows nothing changes.
    """
    y = np.asarray(label, dtype=np.float64)
    if y.size == 0:
        return model
    w = np.ones(y.size) if weight is None else np.asarray(weight, dtype=np.float64)
    score = model.log_odds(frame)
    step = _isotonic(score, y, w) if min(y.sum(), (1 - y).sum()) >= ISOTONIC_POSITIVES else _platt(score, y, w)
    return replace(model, adjust=(*model.adjust, step))


def correct_prior(model: FittedModel, sampled_rate: float, true_rate: float) -> FittedModel:
    """The model moved from the positive share it was fitted on to the true one, as after sampling down negatives."""
    if not (0 < sampled_rate < 1 and 0 < true_rate < 1):
        raise ValueError(f"rates must lie strictly between 0 and 1, got {sampled_rate} and {true_rate}")
    return replace(model, adjust=(*model.adjust, Line(1.0, float(logit(true_rate) - logit(sampled_rate)))))


def _isotonic(score: Floats, y: Floats, w: Floats) -> Steps:
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(out_of_bounds="clip").fit(score, y, sample_weight=w)
    # A rate of exactly 0 or 1 would be a claim no finite sample supports.
    edge = max(FLOOR, 0.5 / (y.size + 1.0))
    value = logit(np.clip(curve.y_thresholds_, edge, 1 - edge))
    return Steps(np.asarray(curve.X_thresholds_, dtype=np.float64), np.asarray(value, dtype=np.float64))


def _platt(score: Floats, y: Floats, w: Floats) -> Line:
    from scipy.optimize import minimize

    hits, misses = float((w * y).sum()), float((w * (1 - y)).sum())
    target = np.where(y == 1, (hits + 1) / (hits + 2), 1 / (misses + 2))
    spread = float(np.std(score))
    if spread < 1e-9 or hits == 0 or misses == 0:
        rate = (hits + 0.5) / (hits + misses + 1.0)
        return Line(1.0, float(logit(rate) - logit(np.average(expit(score), weights=w))))

    def loss(p: Floats) -> tuple[float, Floats]:
        z = p[0] * score + p[1]
        gap = w * (expit(z) - target)
        value = float((w * (np.logaddexp(0.0, z) - target * z)).sum())
        return value, np.array([float((gap * score).sum()), float(gap.sum())])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.0, None), (None, None)])
    # A line within the rows' own noise would move the level by that noise, not towards the truth.
    if 2.0 * (loss(np.array([1.0, 0.0]))[0] - float(found.fun)) < CONTRADICTS:
        return Line(1.0, 0.0)
    return Line(float(found.x[0]), float(found.x[1]))
