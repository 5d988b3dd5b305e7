"""What each input is worth: how much log-loss rises when its values are shuffled among the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from jobs.model.learners.fitted import FittedModel
from jobs.model.learners.metrics import Interval, row_log_loss


@dataclass(frozen=True)
class Worth:
    """The rise in mean log-loss (nats a row) without one input's information, with its 95 % interval."""

    feature: str
    loss: Interval


def permutation_loss(
    model: FittedModel, frame: pd.DataFrame, label: ArrayLike, seed: int, repeats: int = 5, replicates: int = 500
) -> list[Worth]:
    """Every declared input's worth on held-out rows, the largest first.

    Each input is shuffled `repeats` times; the interval is a bootstrap over rows of the mean rise, so it speaks of
    the sampling of rows and not of the fit. A model without members, or no rows, is worth 0 throughout (NaN interval).
    """
    rng = np.random.default_rng(seed)
    y = np.asarray(label, dtype=np.float64)
    if y.size == 0 or not model.members:
        return [Worth(n, Interval(0.0, float("nan"), float("nan"))) for n in model.features.names]
    before = row_log_loss(y, model.predict(frame))
    picks = rng.integers(0, y.size, (replicates, y.size)) if y.size <= 20_000 else None
    found = []
    for name in model.features.names:
        rise = np.zeros(y.size)
        for _ in range(repeats):
            shuffled = frame.assign(**{name: frame[name].to_numpy()[rng.permutation(y.size)]})
            rise += row_log_loss(y, model.predict(shuffled)) - before
        rise /= repeats
        found.append(Worth(name, _mean_interval(rise, picks)))
    return sorted(found, key=lambda w: (-w.loss.value, w.feature))


def _mean_interval(rise: np.ndarray, picks: np.ndarray | None) -> Interval:
    value = float(rise.mean())
    if picks is None:  # many rows: the bootstrap of a mean is its normal interval
        half = 1.959964 * float(rise.std()) / float(np.sqrt(rise.size))
        return Interval(value, value - half, value + half)
    lo, hi = np.quantile(rise[picks].mean(axis=1), [0.025, 0.975])
    return Interval(value, float(lo), float(hi))
