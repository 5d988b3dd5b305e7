"""How the chosen learner and its rivals do on the same held-out rows, and the paired gap between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from jobs.model.learners.features import Floats
from jobs.model.learners.metrics import Interval, bootstrap, interval, row_log_loss
from jobs.model.training.stage import Fitted, Labelled

REPLICATES = 200
Row = tuple[Any, ...]


def learner_gaps(name: str, fitted: Fitted, judged: Labelled, seed: int) -> list[Row]:
    """Rows of the card: AUC and log-loss of every learner, and rival - chosen on the same resampled rows.

    The chosen one is fitted for all channels, as the rivals are; none without rivals or without a 0/1 label.
    """
    y = judged.label
    if not fitted.rivals or fitted.model is None or not set(np.unique(y)) <= {0.0, 1.0}:
        return []
    models = {fitted.learner: fitted.model, **dict(fitted.rivals)}
    chances = {learner: model.predict(judged.frame) for learner, model in models.items()}
    areas = {k: draws["auc"] for k, draws in bootstrap(y, chances, ["auc"], seed, REPLICATES).items()}
    losses = {learner: row_log_loss(y, p) for learner, p in chances.items()}
    rows = [_row(name, f"auc: {learner}", interval(areas[learner])) for learner in models]
    rows += [_row(name, f"log_loss: {learner}", _mean(losses[learner])) for learner in models]
    for rival, _ in fitted.rivals:
        gap = f"{rival} - {fitted.learner}"
        rows.append(_row(name, f"auc: {gap}", interval(areas[rival] - areas[fitted.learner])))
        rows.append(_row(name, f"log_loss: {gap}", _mean(losses[rival] - losses[fitted.learner])))
    return rows


def _mean(losses: Floats) -> Interval:
    half = 1.959964 * float(losses.std()) / float(np.sqrt(max(losses.size, 1)))
    value = float(losses.mean())
    return Interval(value, value - half, value + half)


def _row(name: str, item: str, found: Interval) -> Row:
    value, lo, hi = (None if np.isnan(x) else float(x) for x in (found.value, found.lo, found.hi))
    return (name, "learners", item, value, lo, hi, None)
