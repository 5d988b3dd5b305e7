"""How the times move lateness: quarters of applications, each held against what the model expects of it.

A quarter's loans are late by a common factor, 1 on the mean; quarters that follow each other are alike (a first-order
autoregression). How unlike they are is learned from them, so that calm times, in which quarters differ by chance, move
nobody's chance, and a swell moves everybody's. What the quarter of the next loans will be like is told with its error.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners import FittedModel
from jobs.model.learners.calibration import Line
from jobs.model.learners.features import Floats
from jobs.model.training.lateness import Loans

QUARTER = 91  # days
PERSISTENCE = 0.8  # correlation of the factors of a quarter and the next
AHEAD = 2  # quarters from the newest loans that show anything, some four months old, to those of the next list
USUAL_SPREAD = 0.14  # scale of what the log factors' spread is taken to be before any quarter was seen, half-normal
SPREADS = np.linspace(0.005, 0.6, 120)
LEAST_LEVEL = 0.1


def coming_level(model: FittedModel, loans: Loans) -> Line:
    """What moves the model's log-odds to the lateness of the next loans (`applied_day`), as far as quarters tell it."""
    mean, _ = _ahead(*_quarters(model, loans))
    return Line(1.0, float(np.log(max(1.0 + mean, LEAST_LEVEL))))


def coming_spread(model: FittedModel, loans: Loans) -> float:
    """The standard error of the log factor of the next loans, whatever the level of all quarters together."""
    at, expected, seen = _quarters(model, loans)
    scale = seen.sum() / expected.sum() if seen.sum() > 0 else 1.0
    return _ahead(at, expected * scale, seen)[1]


def _quarters(model: FittedModel, loans: Loans) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Quarters with loans, counted back from the newest; late loans expected in each as far as they show, and seen."""
    days = (pd.to_datetime(loans.rows["applied_day"]).max() - pd.to_datetime(loans.rows["applied_day"])).dt.days
    quarter = (days // QUARTER).to_numpy(dtype=np.int64)
    expected: Floats = np.bincount(quarter, loans.shown * model.predict(loans.rows)).astype(np.float64)
    at = np.flatnonzero(expected > 0).astype(np.int64)
    return at, expected[at], np.bincount(quarter, loans.is_late)[at].astype(np.float64)


def _ahead(at: NDArray[np.int64], expected: Floats, seen: Floats) -> tuple[float, float]:
    """Mean and standard error of the next loans' factor less 1, over what its spread may be.

    Seen over expected less 1 is the factor's own plus chance of variance 1 / expected; given a spread all is normal.
    """
    alike = PERSISTENCE ** np.abs(at[:, None] - at[None, :])
    towards = SPREADS[:, None] ** 2 * PERSISTENCE ** (at + AHEAD)
    off = seen / expected - 1.0
    covariance = SPREADS[:, None, None] ** 2 * alike + np.diag(1.0 / expected)
    solved = np.linalg.solve(covariance, np.stack([np.broadcast_to(off, towards.shape), towards], axis=-1))
    log_weight = -0.5 * (solved[..., 0] @ off + np.linalg.slogdet(covariance)[1] + (SPREADS / USUAL_SPREAD) ** 2)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    means = (towards * solved[..., 0]).sum(axis=1)
    mean = float(weight @ means)
    variances = SPREADS**2 - (towards * solved[..., 1]).sum(axis=1)
    return mean, float(np.sqrt(weight @ (variances + (means - mean) ** 2)))
