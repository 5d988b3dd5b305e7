"""A model card: data window, rows, quality and calibration with intervals, and what each input is worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from jobs.model.learners import Features, FittedModel, permutation_loss
from jobs.model.learners.features import Floats
from jobs.model.learners.metrics import bootstrap, interval, row_log_loss
from jobs.model.serving.funnel import Funnel
from jobs.model.training.challenger import Verdict
from jobs.model.training.funnel import click_features
from jobs.model.training.gaps import learner_gaps
from jobs.model.training.stage import Fitted, Labelled
from jobs.runtime.conf import Conf
from segments.intervals import poisson

COLUMNS = ["stage", "section", "item", "value", "lo", "hi", "text"]
MAX_JUDGED = 10_000
REPLICATES = 200
Row = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class ClickByChannel:
    """The click stage as it is served (a channel's own model where it has one), to be judged as one model."""

    funnel: Funnel
    features: Features
    members: tuple[str, ...] = ("click",)

    def predict(self, frame: pd.DataFrame) -> Floats:
        """Probabilities, each row by its channel."""
        found = np.empty(len(frame))
        channel = frame["channel"].to_numpy(dtype=object)
        for name in sorted(set(channel)):
            mask = channel == name
            found[mask] = self.funnel.click(frame[mask], name)
        return found


def model_card(fits: Iterable[Fitted], funnel: Funnel, verdicts: Iterable[Verdict], conf: Conf) -> pd.DataFrame:
    """Rows of the table model_cards; a stage with a model for each channel names it as stage@channel."""
    rows: list[Row] = [row for verdict in verdicts for row in verdict.rows()]
    for fitted in fits:
        name = fitted.stage if fitted.channel == "*" else f"{fitted.stage}@{fitted.channel}"
        rows += _data(name, fitted)
        if fitted.judged is None or not len(fitted.judged.frame) or fitted.model is None or fitted.is_prior:
            continue
        judged = _bounded(fitted.judged, conf.base.training.seed)
        if fitted.stage == "click" and fitted.channel == "*":
            model = cast(FittedModel, ClickByChannel(funnel, click_features(conf)))
        else:
            model = fitted.model
        rows += _quality(name, model, judged, conf.base.training.seed)
        rows += learner_gaps(name, fitted, judged, conf.base.training.seed)
        if fitted.channel == "*":
            rows += _inputs(name, model, judged, conf.base.training.seed)
    return pd.DataFrame(rows, columns=COLUMNS)


def _data(name: str, fitted: Fitted) -> list[Row]:
    rows: list[Row] = [
        (name, "data", "learner", None, None, None, fitted.learner),
        (name, "data", "rows", float(fitted.rows), None, None, None),
        (name, "data", "positives", float(fitted.positives), None, None, None),
    ]
    if fitted.window:
        rows.append((name, "data", "window", None, None, None, " to ".join(map(str, fitted.window))))
    if fitted.scale != 1.0:
        rows.append((name, "data", "scale", fitted.scale, None, None, None))
    rows += [(name, "note", f"note {at}", None, None, None, text) for at, text in enumerate(fitted.notes, start=1)]
    return rows


def _bounded(judged: Labelled, seed: int) -> Labelled:
    if len(judged.frame) <= MAX_JUDGED:
        return judged
    chosen = np.zeros(len(judged.frame), dtype=bool)
    chosen[np.random.default_rng(seed).permutation(chosen.size)[:MAX_JUDGED]] = True
    return judged.where(chosen)


def _quality(name: str, model: FittedModel, judged: Labelled, seed: int) -> list[Row]:
    p, y = model.predict(judged.frame), judged.label
    rows: list[Row] = []
    if set(np.unique(y)) <= {0.0, 1.0}:
        area = interval(bootstrap(y, {"it": p}, ["auc"], seed, REPLICATES)["it"]["auc"])
        rows.append((name, "quality", "auc", _number(area.value), _number(area.lo), _number(area.hi), None))
        losses = row_log_loss(y, p)
        half = 1.959964 * float(losses.std()) / max(losses.size, 1) ** 0.5
        mean = float(losses.mean())
        rows.append((name, "quality", "log_loss", mean, mean - half, mean + half, None))
    seen, expected = float((judged.weight * y).sum()), float((judged.weight * p).sum())
    lo, hi = poisson(float(y.sum()))
    share = seen / max(float(y.sum()), 1e-12) if y.sum() else 1.0
    rows.append(
        (
            name,
            "calibration",
            "observed / expected",
            seen / expected,
            lo * share / expected,
            hi * share / expected,
            None,
        )
    )
    return rows


def _inputs(name: str, model: FittedModel, judged: Labelled, seed: int) -> list[Row]:
    if not set(np.unique(judged.label)) <= {0.0, 1.0}:
        return []
    worths = permutation_loss(model, judged.frame, judged.label, seed, repeats=2, replicates=REPLICATES)
    return [
        (name, "inputs", w.feature, _number(w.loss.value), _number(w.loss.lo), _number(w.loss.hi), None) for w in worths
    ]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
