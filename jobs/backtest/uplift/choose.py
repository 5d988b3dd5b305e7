"""The product's road to an effect, chosen inside the training folds by the Qini on inner folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.backtest.folds import folds
from jobs.backtest.uplift.effects import CANDIDATES, Learner
from jobs.backtest.uplift.qini import gains, qini
from jobs.backtest.uplift.trial import Plan, Trial
from jobs.model.learners.features import Floats

INNER, REPLICATES = 3, 200
REFERENCE = "reference"


@dataclass(frozen=True)
class Choice:
    """The chosen candidate and every candidate's Qini over the inner folds."""

    name: str
    qinis: dict[str, float]


def choose(train: Trial, seed: int) -> Choice:
    """The first candidate, unless another's Qini is higher by more than one standard error of the paired difference."""
    fold = folds(train.arm * 2 + (train.outcome > 0), INNER, seed)
    reference = np.full(len(train.arm), train.best_arm, dtype=np.int64)
    plans = {name: cross_fitted(learner, train, fold, seed) for name, learner in CANDIDATES.items()}
    plans[REFERENCE] = Plan(np.zeros(len(train.arm)), reference)
    found = gains(train, plans, fold, seed, REPLICATES)
    whole = found[REFERENCE].snips[:, -1]
    draws = {name: qini(found[name].snips, whole) for name in CANDIDATES}
    return Choice(_clearly_best(draws), {name: float(values[0]) for name, values in draws.items()})


def cross_fitted(learner: Learner, trial: Trial, fold: np.ndarray, seed: int) -> Plan:
    """The learner's plan for everybody, each from a fit that did not see them."""
    effects = np.zeros((len(trial.arm), len(trial.treatments)))
    for k in np.unique(fold):
        effects[fold == k] = learner(trial.where(fold != k), seed)(trial.frame[fold == k])
    return Plan.of_effects(effects)


def _clearly_best(draws: dict[str, Floats]) -> str:
    first = next(iter(draws))
    best = max(draws, key=lambda name: -np.inf if np.isnan(draws[name][0]) else draws[name][0])
    ahead = draws[best] - draws[first]
    return best if ahead[0] > np.nanstd(ahead[1:]) else first
