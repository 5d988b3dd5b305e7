"""The product's settings, chosen inside the training period by validation that goes forward in time."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from jobs.model.learners import BlendSettings, BoostedSettings, Features, LogisticSettings, fit
from jobs.model.learners.metrics import row_log_loss

AnySettings = BoostedSettings | LogisticSettings | BlendSettings

# The first is taken unless another beats it by more than one standard error: near ties are noise, and a fixed
# robust choice carries over to months nobody has seen better than the winner of a close race.
CANDIDATES: dict[str, AnySettings] = {
    "blend": BlendSettings(),
    "blend of deeper trees": BlendSettings(boosted=BoostedSettings(leaves=16)),
    "boosted": BoostedSettings(),
    "logistic": LogisticSettings(),
}
FOLD_STARTS = (0.4, 0.6, 0.8)


@dataclass(frozen=True)
class Choice:
    """The chosen candidate and the log-loss (nats a row) of each over the validation rows."""

    name: str
    settings: AnySettings
    losses: dict[str, float]
    rows: int


def choose(train: pd.DataFrame, features: Features, seed: int) -> Choice:
    """Fit every candidate on the days before each of three points in time and judge it on the days up to the next.

    `train` has `day` and `label`, in time order. Where no fold has both classes, the first candidate is taken unseen.
    """
    first = next(iter(CANDIDATES))
    losses: dict[str, list[np.ndarray]] = {name: [] for name in CANDIDATES}
    for start, stop in _folds(train["day"]):
        past, next_days = train.iloc[:start], train.iloc[start:stop]
        if past["label"].nunique() < 2:
            continue
        for name, settings in CANDIDATES.items():
            model = fit(past, features, past["label"], settings=settings, seed=seed)
            losses[name].append(row_log_loss(next_days["label"], model.predict(next_days)))
    if not losses[first]:
        return Choice(first, CANDIDATES[first], {}, 0)
    rows = {name: np.concatenate(parts) for name, parts in losses.items()}
    means = {name: float(values.mean()) for name, values in rows.items()}
    best = min(means, key=lambda name: means[name])
    gain = rows[first] - rows[best]
    is_clear = gain.mean() > gain.std() / np.sqrt(gain.size)
    name = best if is_clear else first
    return Choice(name, CANDIDATES[name], means, rows[first].size)


def _folds(days: pd.Series) -> list[tuple[int, int]]:
    """Row ranges [start, stop) of the validation folds, each starting with the first row of a day."""
    values = days.to_numpy()
    cuts = (
        [int(np.searchsorted(values, values[int(share * len(values))])) for share in FOLD_STARTS] if len(values) else []
    )
    edges = sorted({c for c in cuts if c > 0} | {len(values)})
    return list(itertools.pairwise(edges))
