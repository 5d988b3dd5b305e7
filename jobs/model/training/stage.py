"""One stage: fit on older rows, calibrate and judge on the newest ones; a prior where data are too thin."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners import Features, FittedModel, Settings, calibrate, fit
from jobs.model.learners.features import Floats
from jobs.model.learners.sums import FactorModel
from jobs.model.training.priors import prior_model
from jobs.runtime.settings import TrainingConf

Mask = NDArray[np.bool_]
CALIBRATE_AT = 100  # positives and negatives; a line through fewer moves more than it mends
MAX_FIT_ROWS = 50_000  # beyond this a fit takes longer and knows no better at the sizes of these stages
HELD_OUT_AT_MOST = 0.3  # of the rows, where history is shorter than a few calibration windows


@dataclass(frozen=True, eq=False)
class Labelled:
    """Rows of one stage, sorted by key: inputs, a label in 0..1 (a share counts as that part of a positive), weights.

    `day`: when each row's story began; `is_randomised`: chosen by chance, so free of the old policy's selection.
    """

    frame: pd.DataFrame
    label: Floats
    weight: Floats
    day: pd.Series
    is_randomised: Mask

    def where(self, mask: Mask) -> Labelled:
        """Those rows."""
        return Labelled(self.frame[mask], self.label[mask], self.weight[mask], self.day[mask], self.is_randomised[mask])

    @property
    def positives(self) -> int:
        """Rows with a label above 0."""
        return int((self.label > 0).sum())

    @property
    def rarer(self) -> int:
        """Rows of the rarer class; a row of a share between 0 and 1 is in both."""
        return min(self.positives, int((self.label < 1).sum()))

    @property
    def window(self) -> tuple[date, date] | None:
        """The first and last day of the rows."""
        return (self.day.min(), self.day.max()) if len(self.day) else None

    def split(self, days: int) -> Mask:
        """True for the newest rows: of the last `days` days, at most HELD_OUT_AT_MOST of all."""
        if not len(self.frame) or not days:
            return np.zeros(len(self.frame), dtype=bool)
        stamps = pd.to_datetime(self.day).to_numpy(dtype="datetime64[D]")
        latest = np.sort(stamps)[int((1 - HELD_OUT_AT_MOST) * stamps.size)]
        return np.asarray(stamps > max(stamps.max() - np.timedelta64(days, "D"), latest), dtype=bool)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A stage's model for one channel or all (`*`), the rows it is judged on, and what must be said of it."""

    stage: str
    channel: str
    model: FittedModel | None  # None: a factor only, in `scale`, or `factors`
    learner: str
    rows: int
    positives: int
    scale: float = 1.0
    judged: Labelled | None = None  # in neither the fit nor the calibration
    notes: tuple[str, ...] = field(default=())
    window: tuple[date, date] | None = None
    factors: FactorModel | None = None
    rivals: tuple[tuple[str, FittedModel], ...] = ()  # other learners on the same rows
    stored: bytes = b""  # of an earlier training: the model as it was published

    @property
    def payload(self) -> bytes:
        """The model as bytes; empty for a factor."""
        made = self.model or self.factors
        return self.stored or (made.to_bytes() if made else b"")

    @property
    def is_prior(self) -> bool:
        """No learner was fitted."""
        return self.learner == "prior"


def fit_stage(
    stage: str,
    rows: Labelled,
    features: Features,
    training: TrainingConf,
    settings: Settings,
    channel: str = "*",
    rivals: tuple[Settings, ...] = (),
    beside: Callable[[FittedModel, Labelled], FittedModel] | None = None,
) -> Fitted:
    """Fit, calibrate, hold rows back to be judged on; fewer than `min_positives` of either class give a prior.

    Of the newest rows one half (by hash of place) calibrates and the other judges. Calibration prefers randomised
    rows where they hold CALIBRATE_AT of either class, and is left out, with a note, where the half does not. `rivals`
    are fitted and calibrated on the same rows. `beside` adds to a model what else the rows it was fitted on tell.
    """
    held = rows.split(training.calibration_days)
    old = rows.where(~held)
    if old.rarer < training.min_positives:
        note = f"{rows.positives} positives in {len(rows.frame)} rows: too thin to fit, the prior stands"
        model = prior_model(stage, rows.label, rows.weight)
        return Fitted(
            stage, channel, model, "prior", len(rows.frame), rows.positives, notes=(note,), window=rows.window
        )
    half = _halves(int(held.sum()))
    newest = rows.where(held)
    settle, judged = newest.where(half), newest.where(~half)
    notes: tuple[str, ...] = ()
    randomised = settle.where(settle.is_randomised)
    if randomised.rarer >= CALIBRATE_AT:
        settle, notes = randomised, ("calibrated on randomised rows",)
    is_told = settle.rarer >= CALIBRATE_AT
    if not is_told:
        notes = (f"not calibrated: {settle.positives} positives held out",)

    def settled(chosen: Settings) -> FittedModel:
        model = fit_shares(old, features, chosen, training.seed)
        model = beside(model, old) if beside else model
        return calibrate(model, *_as_binary(settle)) if is_told else model

    return Fitted(
        stage,
        channel,
        settled(settings),
        settings.learner,
        len(old.frame),
        old.positives,
        judged=judged,
        notes=notes,
        window=rows.window,
        rivals=tuple((rival.learner, settled(rival)) for rival in rivals),
    )


def fit_shares(rows: Labelled, features: Features, settings: Settings, seed: int) -> FittedModel:
    """A model of a label in 0..1: a row of share s counts s as a positive and 1 - s as a negative.

    Of more than MAX_FIT_ROWS rows those without a positive are sampled and weighted up.
    """
    frame, label, weight = _as_binary(_thinned(rows, seed))
    return fit(frame, features, label, weight, settings, seed)


def _thinned(rows: Labelled, seed: int) -> Labelled:
    zeros = rows.label == 0
    room = MAX_FIT_ROWS - int((~zeros).sum())
    share = max(room, MAX_FIT_ROWS // 2) / max(int(zeros.sum()), 1)
    if share >= 1:
        return rows
    kept = ~zeros | (np.random.default_rng(seed).random(zeros.size) < share)
    weight = np.where(zeros, rows.weight / share, rows.weight)
    return Labelled(rows.frame, rows.label, weight, rows.day, rows.is_randomised).where(kept)


def _as_binary(rows: Labelled) -> tuple[pd.DataFrame, Floats, Floats]:
    partial = (rows.label > 0) & (rows.label < 1)
    if not partial.any():
        return rows.frame, rows.label, rows.weight
    frame = pd.concat([rows.frame, rows.frame[partial]])
    label = np.concatenate([(rows.label > 0).astype(np.float64), np.zeros(int(partial.sum()))])
    first = np.where(partial, rows.weight * rows.label, rows.weight)
    return frame, label, np.concatenate([first, (rows.weight * (1 - rows.label))[partial]])


def _halves(count: int) -> Mask:
    """A fixed coin a row."""
    seed = int.from_bytes(hashlib.sha256(b"calibration halves").digest()[:8], "big")
    return np.random.default_rng(seed).random(count) < 0.5
