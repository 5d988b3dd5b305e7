"""A monotone scorecard: each feature's bin gives whole points, and the sum of points is the log-odds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize
from scipy.special import expit, logit
from scipy.stats import chi2

from jobs.model.learners.bins import Bins, bins_of, evidence
from jobs.model.learners.features import Features, Floats
from jobs.model.learners.settings import ScorecardSettings
from jobs.model.learners.threads import one_thread

DOUBLE = 100  # points that double the odds
UNIT = float(np.log(2.0)) / DOUBLE  # log-odds a point
CHANCE = 0.01  # an input whose bins gain no more than this share of inputs without a signal would gives no points


@dataclass(frozen=True, eq=False)
class Card:
    """One feature's bins, their points, and the training rows (weighted) and event rate of each."""

    bins: Bins
    points: NDArray[np.int64]
    rows: Floats
    rates: Floats

    @property
    def name(self) -> str:
        """The feature."""
        return self.bins.name

    @property
    def mean(self) -> float:
        """Points of an average training row."""
        return float(np.average(self.points, weights=self.rows))


@dataclass(frozen=True, eq=False)
class ScorecardModel:
    """log-odds = base_log_odds + UNIT x total points; 0 points are what an input without a signal gives."""

    cards: tuple[Card, ...]
    base_log_odds: float

    def log_odds(self, frame: pd.DataFrame) -> Floats:
        """One score a row."""
        return self.score(self.total(frame))

    def score(self, total: NDArray[np.int64]) -> Floats:
        """Log-odds of totals of points."""
        return np.asarray(self.base_log_odds + UNIT * total, dtype=np.float64)

    def total(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """Points a row; whole numbers, so that the order of addition is of no account."""
        found = np.zeros(len(frame), dtype=np.int64)
        for card in self.cards:
            found += card.points[card.bins.codes(frame[card.name])]
        return found

    @property
    def span(self) -> tuple[int, int]:
        """The fewest and the most points there can be."""
        return sum(int(c.points.min()) for c in self.cards), sum(int(c.points.max()) for c in self.cards)


def fit_scorecard(
    frame: pd.DataFrame,
    features: Features,
    label: NDArray[np.int8],
    weight: Floats | None,
    settings: ScorecardSettings,
) -> ScorecardModel | None:
    """Fit on rows in any order; both classes must be present. None when no input says anything.

    Weight of evidence a bin, shrunk to 0 where rows are few, then one weight of at least 0 a feature by ridge
    logistic regression: so that a feature's points run as its evidence does. ValueError when a direction is not of
    a numeric input.
    """
    if strange := sorted(set(settings.directions) - set(features.numeric)):
        raise ValueError(f"directions: {', '.join(strange)} are no numeric inputs; name numeric ones")
    w = np.ones(len(frame)) if weight is None else weight
    if not 0 < float((w * label).sum()) < float(w.sum()):
        return None
    # Sampled rows that stand for many are no more evidence than they are rows.
    w = w * (w.sum() / np.square(w).sum())
    y = label.astype(np.float64)
    base = float((w * y).sum() / w.sum())
    found: list[tuple[Bins, Floats, Floats, Floats]] = []
    columns: list[Floats] = []
    for name in features.names:
        bins = bins_of(frame[name], name, name in features.numeric, y, w, settings)
        codes = bins.codes(frame[name])
        rows, events = bins.tally(codes, y, w)
        if gain(rows, events, base) <= chi2.ppf(1.0 - CHANCE, max(int((rows > 0).sum()) - 1, 1)):
            continue
        told = evidence(rows, events, base)
        rates = np.divide(events, rows, out=np.full(rows.shape, np.nan), where=rows > 0)
        found.append((bins, told, rows, rates))
        columns.append(told[codes])
    if not found:
        return None
    slopes, level = _weights(np.column_stack(columns), y, w, float(logit(base)), settings.c)
    cards = [
        Card(bins, np.rint(slope * told / UNIT).astype(np.int64), rows, rates)
        for slope, (bins, told, rows, rates) in zip(slopes, found, strict=True)
    ]
    return ScorecardModel(tuple(card for card in cards if card.points.any()), level)


def gain(rows: Floats, events: Floats, base: float) -> float:
    """Twice the log-likelihood that bins gain over one rate for all."""
    misses = rows - events
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = np.where(events > 0, events * np.log(events / (rows * base)), 0.0)
        miss = np.where(misses > 0, misses * np.log(misses / (rows * (1.0 - base))), 0.0)
    return 2.0 * float(hit.sum() + miss.sum())


def _weights(inputs: Floats, y: Floats, w: Floats, level: float, c: float) -> tuple[Floats, float]:
    """One weight of at least 0 a column and the intercept."""
    size = float(w.sum())

    def loss(beta: Floats) -> tuple[float, Floats]:
        z = inputs @ beta[:-1] + beta[-1]
        off = w * (expit(z) - y)
        value = float((w * (np.logaddexp(0.0, z) - y * z)).sum()) + float(np.square(beta[:-1]).sum()) / (2 * c)
        slope: Floats = np.append(inputs.T @ off + beta[:-1] / c, off.sum()) / size
        return value / size, slope

    start: Floats = np.array([*np.ones(inputs.shape[1]), level])
    lower = np.append(np.zeros(inputs.shape[1]), -np.inf)
    with one_thread():
        best = minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(lower),
            options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-8},
        )
    found = np.asarray(best.x, dtype=np.float64)
    return found[:-1], float(found[-1])
