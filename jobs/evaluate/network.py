"""Expectations of many amounts at once: one network for all of them, under Poisson's likelihood."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.market.dice import Floats
from jobs.model.learners import Features
from jobs.model.learners.features import Levels, numbers
from jobs.model.learners.logistic import Bend
from jobs.model.learners.threads import one_thread

WIDTH, RIDGE, RATE = 256, 1e-4, 1e-3
BATCHES = (64, 256)
# Rounds over many people; fewer people are gone over more often. The last rounds go in small steps, so that the weights
# settle.
ROUNDS, STEPS, SETTLING, SMALLER = 6, 2_000, 1 / 3, 0.1
LEAST_LEVEL = 50

Inputs = NDArray[np.float32]


@dataclass(frozen=True)
class Columns:
    """How people's features become a network's inputs: normal scores of ranks, flags for null, a column a level."""

    bends: tuple[Bend, ...]
    tables: tuple[tuple[str, Levels], ...]

    @classmethod
    def of(cls, features: Features, people: pd.DataFrame) -> Columns:
        """Ranks and levels as these people show them."""
        return cls(
            tuple(Bend.of(name, numbers(people[name]), 0, is_normal=True) for name in features.numeric),
            tuple((name, Levels.of(people[name], LEAST_LEVEL)) for name in features.categorical),
        )

    def of_people(self, people: pd.DataFrame) -> Inputs:
        """People x columns."""
        parts = [column for bend in self.bends for column in bend.columns(numbers(people[bend.name]))]
        for name, levels in self.tables:
            parts += list(np.eye(len(levels.names) + 1)[levels.codes(people[name])].T)
        return np.column_stack(parts).astype(np.float32)


def learned(inputs: Inputs, amounts: Floats, asked: Inputs, seed: int) -> Floats:
    """Expected amounts (at least 0, people x amounts) of those asked about, from rows and their amounts.

    Amounts may be of any size: each is taken relative to its mean.
    """
    from sklearn.neural_network import MLPRegressor

    mean = amounts.mean(axis=0)
    told = np.flatnonzero(mean > 0)
    batch = int(np.clip(len(inputs) // 200, *BATCHES))
    rounds = max(ROUNDS, -(-STEPS * batch // len(inputs)))
    network = MLPRegressor(
        loss="poisson",
        hidden_layer_sizes=(WIDTH,),
        batch_size=min(batch, len(inputs)),
        alpha=RIDGE,
        random_state=seed,
        warm_start=True,
    )
    target = amounts[:, told] / mean[told]
    with one_thread():
        for often, rate in ((rounds, RATE), (int(np.ceil(rounds * SETTLING)), RATE * SMALLER)):
            network.set_params(max_iter=often, learning_rate_init=rate, n_iter_no_change=often)
            _quietly(network, inputs, target)
        found = np.zeros((len(asked), amounts.shape[1]))
        found[:, told] = network.predict(asked).reshape(len(asked), len(told)) * mean[told]
    return found


def learned_all(lessons: Sequence[tuple[Inputs, Floats, Inputs, int]]) -> list[Floats]:
    """The same for several lessons, a core each."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        return list(pool.map(learned, *zip(*lessons, strict=True)))


def _quietly(network: object, inputs: Inputs, target: Floats) -> None:
    """Fit for the rounds set: that so few rounds have not converged is meant."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(inputs, target)  # type: ignore[attr-defined]
