"""The product's learners put to a trial: what each treatment adds to a person's outcome, by several roads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from jobs.backtest.folds import folds
from jobs.backtest.uplift.trial import CONTROL, Trial
from jobs.model.learners import BoostedSettings, Features, FittedModel, LogisticSettings, fit
from jobs.model.learners.features import Floats
from jobs.model.learners.sums import FactorModel, design
from jobs.model.learners.threads import one_thread
from jobs.model.serving.funnel import INTENT
from jobs.model.training.channels import MIN_LEVEL, Billed, fit_channels
from jobs.model.training.choice import ONE_LINE

Effects = Callable[[pd.DataFrame], Floats]  # people x treatments
Learner = Callable[[Trial, int], Effects]
LOGISTIC = LogisticSettings(knots=1, normal_scores=True)  # as the stages take it
PENALTIES = (1e1, 1e2, 1e3, 1e4, 1e5)


def added_to_organic(trial: Trial, seed: int) -> Effects:
    """As the funnel does it: the organic rate from the control by intent, then what a treatment adds, log-linear.

    Intent is a response model of all the treated; one shape for all treatments, and each its own departures.
    """
    treated, control = trial.where(trial.arm != CONTROL), trial.where(trial.arm == CONTROL)
    intent = fit(treated.frame, trial.features, treated.outcome, settings=LOGISTIC, seed=seed)
    organic = fit(_with_intent(control.frame, intent), Features((INTENT,)), control.outcome, settings=ONE_LINE)
    base = organic.predict(_with_intent(treated.frame, intent))
    counts = _counts(treated, base)
    return lambda frame: np.column_stack([counts[a].factor(frame) for a in trial.treatments])


def shared_shape(trial: Trial, seed: int) -> Effects:
    """Log-linear outcomes: one shape for all arms, the control too, and each arm's departures held back by a ridge."""
    counts = _counts(trial, np.zeros(len(trial.arm)))
    return lambda frame: np.column_stack([counts[a].factor(frame) - counts[0].factor(frame) for a in trial.treatments])


def arm_by_arm_logistic(trial: Trial, seed: int) -> Effects:
    """A logistic model on normal scores for each arm, the control's taken from each."""
    return _arm_by_arm(trial, LOGISTIC, seed)


def arm_by_arm_boosted(trial: Trial, seed: int) -> Effects:
    """The product's bagged boosted model for each arm, the control's taken from each."""
    return _arm_by_arm(trial, BoostedSettings(), seed)


def doubly_robust(trial: Trial, seed: int) -> Effects:
    """DR-learner (Kennedy 2023): cross-fitted pseudo-outcomes of each effect, then a ridge line through them.

    Pseudo-outcomes take the outcome models of `arm_by_arm_logistic`; the penalty is chosen by leave-one-out error.
    """
    from sklearn.linear_model import RidgeCV

    half = folds(trial.arm, 2, seed)
    pseudo = np.zeros((len(trial.arm), len(trial.share)))
    for k in (0, 1):
        mine = trial.where(half == k)
        for arm, model in enumerate(_models(trial.where(half != k), LOGISTIC, seed)):
            mean = model.predict(mine.frame)
            drawn = (mine.arm == arm) / trial.share[arm]
            pseudo[half == k, arm] = mean + drawn * (mine.outcome - mean)
    bare, inputs = design(trial.frame, trial.features, MIN_LEVEL)
    lines = []
    for arm in trial.treatments:
        with one_thread():
            line = RidgeCV(PENALTIES).fit(inputs, pseudo[:, arm] - pseudo[:, CONTROL])
        lines.append(replace(bare, weights=np.asarray(line.coef_), intercept=float(line.intercept_)))
    return lambda frame: np.column_stack([line.log_odds(frame) for line in lines])


# The first is the product's own way with organic demand; another is taken only where it is clearly better.
CANDIDATES: dict[str, Learner] = {
    "added to organic": added_to_organic,
    "shared shape": shared_shape,
    "logistic by arm": arm_by_arm_logistic,
    "boosted by arm": arm_by_arm_boosted,
    "doubly robust": doubly_robust,
}


def _arm_by_arm(trial: Trial, settings: BoostedSettings | LogisticSettings, seed: int) -> Effects:
    models = _models(trial, settings, seed)

    def effects(frame: pd.DataFrame) -> Floats:
        rates = np.column_stack([model.predict(frame) for model in models])
        return np.asarray(rates[:, 1:] - rates[:, :1])

    return effects


def _models(trial: Trial, settings: BoostedSettings | LogisticSettings, seed: int) -> list[FittedModel]:
    """An outcome model an arm, the control's first."""
    arms = (trial.where(trial.arm == a) for a in range(len(trial.share)))
    return [fit(a.frame, trial.features, a.outcome, settings=settings, seed=seed) for a in arms]


def _counts(trial: Trial, base: Floats) -> dict[int, FactorModel]:
    """A log-linear model of each arm's outcomes beyond `base`."""
    names = np.array([str(a) for a in range(len(trial.share))], dtype=object)[trial.arm]
    size = len(trial.arm)
    billed = Billed(trial.frame, names, np.ones(size), np.arange(size), trial.outcome, base, np.zeros((size, 0)))
    return {int(name): FactorModel(found.terms) for name, found in fit_channels(billed, trial.features).items()}


def _with_intent(frame: pd.DataFrame, intent: FittedModel) -> pd.DataFrame:
    return frame.assign(**{INTENT: intent.log_odds(frame)})
