"""How much likelier to be late those are who had applied before than their features tell.

A lender declines by what no feature tells, so who was declined and is lent to later is worse than it looks. Of a book
nine in ten are first applications, of the people left to send one in four: the few late loans that tell of it would set
the level of nearly everybody. So the slope an application is held close to what it is elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import expit

from jobs.model.learners import FittedModel
from jobs.model.learners.features import Features, Floats, numbers
from jobs.model.learners.logistic import Bend, LogisticModel
from jobs.model.person_features import APPLIED_BEFORE, MOST_BEFORE
from jobs.model.training.stage import Labelled

# Log-odds of lateness an application before, and how far from that the slope may be sought.
EXPECTED, SPREAD = 0.1, 0.05
ROUNDS, NEAR = 25, 1e-10


def with_repeats(model: FittedModel, rows: Labelled) -> FittedModel:
    """The model and a straight line on `applications_before`, learned beside what it expects of the rows.

    A points table, whose reasons name every input, and a base rate stay as they are.
    """
    if not model.members or model.card is not None:
        return model
    count = np.minimum(numbers(rows.frame[APPLIED_BEFORE]), MOST_BEFORE)
    at, slope = _line(model.log_odds(rows.frame), count, rows)
    points = np.arange(MOST_BEFORE + 1.0)
    line = LogisticModel((Bend(APPLIED_BEFORE, points, points, (), True),), (), np.array([slope, 0.0]), at)
    features = Features((*model.features.numeric, APPLIED_BEFORE), model.features.categorical)
    return replace(model, features=features, members=(*model.members, (1.0, line)))


def _line(expected: Floats, count: Floats, rows: Labelled) -> tuple[float, float]:
    """Intercept and slope by Newton's steps; the slope is held to EXPECTED as if known to SPREAD."""
    inputs, prior = np.column_stack([np.ones(len(count)), count]), np.array([0.0, EXPECTED])
    found, held = prior, np.diag([0.0, SPREAD**-2])
    for _ in range(ROUNDS):
        chance = expit(expected + inputs @ found)
        slope = inputs.T @ (rows.weight * (chance - rows.label)) + held @ (found - prior)
        curve = (inputs * (rows.weight * chance * (1.0 - chance))[:, None]).T @ inputs + held
        move = np.linalg.solve(curve, slope)
        found = found - move
        if float(np.abs(move).max()) < NEAR:
            break
    return float(found[0]), float(found[1])
