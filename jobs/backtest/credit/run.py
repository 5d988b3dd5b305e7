"""Cross-validate the product's stage of lateness and plain models on loans that carry no dates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from jobs.backtest.credit.quality import METRICS, SAID, quality
from jobs.backtest.credit.report import CreditReport, ViewFigures
from jobs.backtest.folds import folds
from jobs.backtest.report import ModelFigures
from jobs.backtest.rivals import plain_boosted, plain_logistic
from jobs.model.learners import Features
from jobs.model.learners.features import Floats
from jobs.model.learners.metrics import interval
from jobs.model.training.choice import settings_of
from jobs.model.training.stage import Labelled, fit_stage
from jobs.runtime.errors import DataRefused, UsageError
from jobs.runtime.settings import TrainingConf
from jobs.sources.parse import Parsed
from jobs.sources.samples import LoansConf, parse_loans

PRODUCT, ALL = "product", "all"
LEARNERS = ("logistic", "boosted")
NO_DAY = date(1970, 1, 1)
UNDATED = (
    "The stage is fitted as training fits it, but for one thing: rows without a day have no newest ones, so nothing is "
    "held back to calibrate on."
)
Progress = Callable[[str], None]
Model = Callable[[pd.DataFrame, pd.DataFrame, Features, int], Floats]


def judge_credit(
    conf: LoansConf,
    files: Sequence[Path],
    training: TrainingConf,
    count: int = 5,
    repeats: int = 3,
    seed: int = 0,
    replicates: int = 1000,
    progress: Progress = lambda _: None,
) -> CreditReport:
    """Judge `product` (the learner conf names for lateness), the other learner conf may name, and two plain models.

    `repeats` times, `count` stratified folds; every row is scored by models that did not see it. No setting is chosen
    on the file. UsageError for a call that leaves no fold, DataRefused for files that break the source.
    """
    if count < 2 or repeats < 1 or replicates < 1:
        raise UsageError("backtest: use at least 2 folds, 1 repeat and 1 replicate")
    parsed = parse_loans(conf, files)
    rarer = int(min(parsed.rows["label"].sum(), (1 - parsed.rows["label"]).sum()))
    if rarer < count:
        raise DataRefused(f"backtest: {rarer} rows of the rarer outcome cannot be in {count} folds; use more rows")
    views = {ALL: parsed.features, **{name: conf.seen(name) for name in conf.views}}
    models = _models(training)
    found = []
    for name, features in views.items():
        found.append(_judge_view(name, parsed, features, models, count, repeats, seed, replicates))
        progress(f"{name}: {len(features.names)} inputs judged")
    return CreditReport(
        source=conf.name,
        word=conf.label.word,
        mode=f"{count} folds, {repeats} times, by chance (seed {seed})",
        learner=training.default_learner,
        views=tuple(found),
        notes=(*conf.notes, UNDATED, *SAID),
        refused_columns={name: f"{r.why}: {r.because}" for name, r in conf.refused.items()},
        refused_rows=parsed.reasons,
    )


def _models(training: TrainingConf) -> dict[str, Model]:
    """The models by name; the product's first."""
    other = next(name for name in LEARNERS if name != training.default_learner)
    return {
        PRODUCT: _product(training),
        f"{PRODUCT} ({other})": _product(training.model_copy(update={"default_learner": other})),
        "boosted": plain_boosted,
        "logistic": plain_logistic,
    }


def _product(training: TrainingConf) -> Model:
    """The stage of lateness as training fits it, with nothing held back for a calibration in time."""

    def model(train: pd.DataFrame, test: pd.DataFrame, features: Features, seed: int) -> Floats:
        told = training.model_copy(update={"calibration_days": 0, "seed": seed})
        label = train["label"].to_numpy(dtype=np.float64)
        day = pd.Series(NO_DAY, index=train.index)
        rows = Labelled(train, label, np.ones(len(train)), day, np.zeros(len(train), dtype=bool))
        fitted = fit_stage("late", rows, features, told, settings_of("late", told))
        if fitted.model is None:
            raise DataRefused("backtest: the stage of lateness gave no model; use more rows")
        return fitted.model.predict(test)

    return model


def _judge_view(
    name: str,
    parsed: Parsed,
    features: Features,
    models: dict[str, Model],
    count: int,
    repeats: int,
    seed: int,
    replicates: int,
) -> ViewFigures:
    rows = parsed.rows
    label = rows["label"].to_numpy(dtype=np.float64)
    fold = np.stack([folds(label, count, seed + repeat) for repeat in range(repeats)])
    found = {model: np.zeros((repeats, len(rows))) for model in models}
    for repeat in range(repeats):
        for k in range(count):
            held = fold[repeat] == k
            for model, predict in models.items():
                found[model][repeat, held] = predict(rows[~held], rows[held], features, seed)
    draws = quality(label, fold, found, seed, replicates)
    size, hits = len(rows), int(label.sum())
    figures = tuple(ModelFigures(m, size, hits, {k: interval(draws[m][k]) for k in METRICS}) for m in models)
    differences = tuple(
        ModelFigures(
            f"{PRODUCT} - {m}",
            size,
            hits,
            {k: interval(draws[PRODUCT][k] - draws[m][k]) for k in ("auc", "log_loss", "brier")},
        )
        for m in models
        if m != PRODUCT
    )
    return ViewFigures(name, features.names, figures, differences)
