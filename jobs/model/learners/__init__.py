"""What every stage model is made of: learners on pandas frames, calibration, metrics; no Spark and no files."""

from __future__ import annotations

from jobs.model.learners.calibration import calibrate, correct_prior
from jobs.model.learners.features import Features
from jobs.model.learners.fitted import FittedModel, fit
from jobs.model.learners.permutation import Worth, permutation_loss
from jobs.model.learners.settings import (
    BlendSettings,
    BoostedSettings,
    LogisticSettings,
    ScorecardSettings,
    Settings,
)

__all__ = [
    "BlendSettings",
    "BoostedSettings",
    "Features",
    "FittedModel",
    "LogisticSettings",
    "ScorecardSettings",
    "Settings",
    "Worth",
    "calibrate",
    "correct_prior",
    "fit",
    "permutation_loss",
]
