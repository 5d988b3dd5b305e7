"""What is believed before there are data: one probability a stage, and how many rows it is worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit

from jobs.model.learners import Features, FittedModel

# Orders of magnitude from published funnels (reference study, section 5): a click by 5 % of those on a list, 3 % of
# clickers apply, 0.1 % apply unasked in 14 days, 26 % approved, 60 % drawn, 4 % late, 1.6 % fraud.
PRIORS = {
    "click": 0.05,
    "apply": 0.03,
    "organic": 0.001,
    "approve": 0.26,
    "fund": 0.60,
    "late": 0.04,
    "fraud": 0.016,
}
# A prior is worth as many rows as hold about five positives, so that a few observed ones already move it.
POSITIVES = 5.0
# Whoever shares an identity with many is not sent at all, so most frauds of such books never reach this stage: what a
# book tells of the others outweighs its prior sooner, and one of a few thousand loans can keep a cap of 0.2 %.
FEWER = {"fraud": 1.0}


def prior_model(stage: str, label: ArrayLike = (), weight: ArrayLike | None = None) -> FittedModel:
    """One probability for everybody: the stage's prior moved by what thin data there are."""
    y = np.asarray(label, dtype=np.float64)
    w = np.ones(y.size) if weight is None else np.asarray(weight, dtype=np.float64)
    prior = PRIORS[stage]
    positives = FEWER.get(stage, POSITIVES)
    rate = (float((w * y).sum()) + positives) / (float(w.sum()) + positives / prior)
    rate = min(max(rate, 1e-6), 1 - 1e-6)
    return FittedModel(Features(), (), float(logit(rate)), y.size, int((y > 0).sum()))
