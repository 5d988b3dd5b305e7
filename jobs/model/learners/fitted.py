"""A fitted model: probabilities row by row, and bytes that are the same for the same seed and inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from jobs.model.learners import pickled
from jobs.model.learners.boosted import BoostedModel, fit_boosted
from jobs.model.learners.features import Features, Floats
from jobs.model.learners.logistic import LogisticModel, fit_logistic
from jobs.model.learners.scorecard import ScorecardModel, fit_scorecard
from jobs.model.learners.settings import BlendSettings, BoostedSettings, LogisticSettings, ScorecardSettings, Settings
from jobs.runtime.errors import DataRefused

FLOOR = 1e-9
Member = BoostedModel | LogisticModel | ScorecardModel


@dataclass(frozen=True, eq=False)
class FittedModel:
    """Members averaged in log-odds by weight, then moved by `adjust` steps; no member means the base rate for all."""

    features: Features
    members: tuple[tuple[float, Member], ...]
    base_log_odds: float
    rows: int
    positives: int
    adjust: tuple[Callable[[Floats], Floats], ...] = ()

    def predict(self, frame: pd.DataFrame) -> Floats:
        """Probabilities (float64, within [FLOOR, 1 - FLOOR]), one a row; a row's value does not depend on the others.

        Levels never seen are read as rare ones; KeyError when a feature column is missing from the frame.
        """
        return chance(self.log_odds(frame))

    def log_odds(self, frame: pd.DataFrame) -> Floats:
        """The same on the log-odds scale."""
        self.features.check(frame.columns)
        if len(frame) == 0:
            return np.zeros(0)
        score = np.full(len(frame), 0.0 if self.members else self.base_log_odds)
        for share, member in self.members:
            score += share * member.log_odds(frame)
        return self.moved(score)

    def moved(self, score: Floats) -> Floats:
        """The members' log-odds after every `adjust` step."""
        for step in self.adjust:
            score = step(score)
        return score

    @property
    def card(self) -> ScorecardModel | None:
        """The points table, when the model is one."""
        if len(self.members) == 1 and isinstance(self.members[0][1], ScorecardModel):
            return self.members[0][1]
        return None

    def to_bytes(self) -> bytes:
        """The model as bytes, the same for the same seed and inputs."""
        return pickled.dump(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> FittedModel:
        """The model back; DataRefused when the bytes are damaged, of another version, or not a model's."""
        model = pickled.load(data)
        if not isinstance(model, cls):
            raise DataRefused("model bytes: they hold something other than a model; train again")
        return model


def chance(log_odds: Floats) -> Floats:
    """Probabilities of log-odds, within [FLOOR, 1 - FLOOR]."""
    return np.clip(expit(log_odds), FLOOR, 1 - FLOOR)


def fit(
    frame: pd.DataFrame,
    features: Features,
    label: ArrayLike,
    weight: ArrayLike | None = None,
    settings: Settings | None = None,
    seed: int = 0,
) -> FittedModel:
    """Fit a model to a 0/1 label; rows must come sorted by their key, as the fit follows their order.

    With no rows, one class, or no input that varies it is the smoothed base rate, (positives + 1/2) / (rows + 1).
    ValueError when the label is not 0/1, or lengths differ; KeyError when a feature column is missing.
    """
    features.check(frame.columns)
    y, w = _labels(label, len(frame)), _weights(weight, len(frame))
    settings = settings or BlendSettings()
    total = float(len(y)) if w is None else float(w.sum())
    hits = float(y.sum()) if w is None else float(w[y == 1].sum())
    base = float(logit((hits + 0.5) / (total + 1.0)))
    members: list[tuple[float, Member]] = []
    if features.names and 0 < int(y.sum()) < len(y):
        members = _members(frame, features, y, w, settings, seed)
    return FittedModel(features, tuple(members), base, len(y), int(y.sum()))


def _members(
    frame: pd.DataFrame,
    features: Features,
    y: NDArray[np.int8],
    w: Floats | None,
    settings: Settings,
    seed: int,
) -> list[tuple[float, Member]]:
    if isinstance(settings, LogisticSettings):
        return [(1.0, fit_logistic(frame, features, y, w, settings))]
    if isinstance(settings, BoostedSettings):
        only = fit_boosted(frame, features, y, w, settings, seed)
        return [] if only is None else [(1.0, only)]
    if isinstance(settings, ScorecardSettings):
        card = fit_scorecard(frame, features, y, w, settings)
        return [] if card is None else [(1.0, card)]
    boosted = fit_boosted(frame, features, y, w, settings.boosted, seed)
    if boosted is None:
        return []
    logistic = fit_logistic(frame, features, y, w, settings.logistic)
    return [(settings.boosted_share, boosted), (1.0 - settings.boosted_share, logistic)]


def _labels(label: ArrayLike, rows: int) -> NDArray[np.int8]:
    y = np.asarray(label, dtype=np.float64)
    if y.shape != (rows,) or not np.isin(y, (0.0, 1.0)).all():
        raise ValueError(f"label: expected {rows} values of 0 or 1 and no null; clean the label before the fit")
    return y.astype(np.int8)


def _weights(weight: ArrayLike | None, rows: int) -> Floats | None:
    if weight is None:
        return None
    w = np.asarray(weight, dtype=np.float64)
    if w.shape != (rows,) or not np.isfinite(w).all() or (w < 0).any():
        raise ValueError(f"weight: expected {rows} finite values of at least 0; clean the weights before the fit")
    return w
