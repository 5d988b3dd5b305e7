"""How strongly weights are held where events are few: what is foretold is neither too sure nor too timid."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jobs.model.learners import Features, LogisticSettings, fit
from jobs.model.learners.strength import FOLDS, LEAST, PLENTY, best_of, few_events

WIDE = Features(tuple(f"x{i}" for i in range(25)))


def planted(rows: int, level: float, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Inputs of which three tell something and 22 nothing, a rare label, and the true log-odds."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, len(WIDE.numeric)))
    truth = level + x[:, 0] * 0.5 - x[:, 1] * 0.4 + x[:, 2] * 0.3
    label = (rng.random(rows) < 1 / (1 + np.exp(-truth))).astype(int)
    return pd.DataFrame(x, columns=list(WIDE.numeric)), label, truth


def slope(settings: LogisticSettings, seed: int) -> float:
    """How far the truth rises where the model's score rises by one, on people it was not fitted on."""
    frame, label, _ = planted(4000, -4.2, seed)
    assert few_events(label.astype(np.int8))
    new, _, truth = planted(20_000, -4.2, seed + 1000)
    score = fit(frame, WIDE, label, settings=settings).log_odds(new)
    return float(np.cov(score, truth)[0, 1] / score.var())


def test_few_events_no_longer_make_scores_too_sure() -> None:
    told = np.array([slope(LogisticSettings(knots=1, normal_scores=True), seed) for seed in range(5)])
    bare = np.array([slope(LogisticSettings(knots=1, normal_scores=True, stronger=()), seed) for seed in range(5)])
    assert bare.mean() < 0.6, bare
    assert 0.85 < told.mean() < 1.3, told


def test_many_events_are_fitted_as_the_settings_say() -> None:
    frame, label, _ = planted(6000, 0.0, 3)
    assert not few_events(label.astype(np.int8))
    one, two = (fit(frame, WIDE, label, settings=LogisticSettings(stronger=s)) for s in ((), (0.001,)))
    assert one.to_bytes() == two.to_bytes()


@pytest.mark.parametrize(
    ("hits", "misses", "told"),
    [
        (LEAST - 1, PLENTY, False),
        (LEAST, PLENTY, True),
        (PLENTY, LEAST, True),
        (PLENTY - 1, PLENTY, True),
        (PLENTY, PLENTY, False),
    ],
)
def test_the_rarer_class_decides_whether_it_matters(hits: int, misses: int, told: bool) -> None:
    assert few_events(np.repeat([1, 0], [hits, misses]).astype(np.int8)) is told


class Flat:
    """A model that tells its strength of everybody."""

    def __init__(self, strength: float) -> None:
        self.strength = strength

    def decision_function(self, inputs: np.ndarray) -> np.ndarray:
        return np.full(len(inputs), self.strength)


def test_every_fifth_has_events_and_the_least_loss_wins() -> None:
    label, level = np.repeat([1, 0], [LEAST, 400]).astype(np.int8), float(np.log(LEAST / 400))
    seen: list[int] = []

    def learned(strength: float, inputs: np.ndarray, events: np.ndarray, weight: np.ndarray) -> Flat:
        seen.append(LEAST - int(events.sum()))
        return Flat(strength)

    inputs = np.zeros((len(label), 1))
    assert best_of((level - 1.0, level, level + 1.0), learned, inputs, label, np.ones(len(label))) == level
    assert seen == [LEAST // FOLDS] * 3 * FOLDS
    doubled = np.where(label == 1, 2.0, 1.0)
    more = float(np.log(2 * LEAST / 400))
    assert best_of((level, more), learned, inputs, label, doubled) == more
