"""The learned policies the product is judged beside: response alone, and two plain models' difference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from jobs.backtest.rivals import plain_boosted, plain_logistic
from jobs.backtest.uplift.trial import Plan, Trial
from jobs.model.learners import Features
from jobs.model.learners.features import Floats

Policy = Callable[[Trial, pd.DataFrame, int], Plan]
Plain = Callable[[pd.DataFrame, pd.DataFrame, Features, int], Floats]


def response_only(train: Trial, people: pd.DataFrame, seed: int) -> Plan:
    """Plain boosted models of the treated: whoever responds most if treated, whatever they would do untreated."""
    return Plan.of_effects(_rates(plain_boosted, train, people, seed)[:, 1:])


def two_model_boosted(train: Trial, people: pd.DataFrame, seed: int) -> Plan:
    """T-learner of plain boosted models: treated minus control."""
    return _difference(_rates(plain_boosted, train, people, seed))


def two_model_logistic(train: Trial, people: pd.DataFrame, seed: int) -> Plan:
    """T-learner of plain logistic regressions: treated minus control."""
    return _difference(_rates(plain_logistic, train, people, seed))


RIVALS: dict[str, Policy] = {
    "response only": response_only,
    "two-model boosted": two_model_boosted,
    "two-model logistic": two_model_logistic,
}


def _difference(rates: Floats) -> Plan:
    return Plan.of_effects(rates[:, 1:] - rates[:, :1])


def _rates(model: Plain, train: Trial, people: pd.DataFrame, seed: int) -> Floats:
    """people x arms: the outcome's chance under each arm, from the training rows of that arm."""
    labelled = train.frame.assign(label=train.outcome.astype(np.int8))
    arms = range(len(train.share))
    return np.column_stack([model(labelled[train.arm == a], people, train.features, seed) for a in arms])
