"""The value of a policy at every share of people treated, and the Qini of a policy, as they are meant here.

A policy orders people and names a treatment for each. `pi_q` treats the first share q of every fold with the treatment
named and leaves the others to the control. Its value is the mean outcome a person if everybody were handled so, from a
trial whose shares e are known: with w = 1{arm drawn = arm under pi_q} / e(arm drawn),

    IPS    V(q) = sum(w y) / n               SNIPS    V(q) = sum(w y) / sum(w)

and its gain is G(q) = V(q) - V(0): the outcome added a person (treated or not), positive where treating adds.

Reference: people in random order, all with the one treatment r whose mean was highest on the training folds. Its gain
is the straight line q R, where R is the gain of treating everybody with r.

    Qini = 2 * integral over q from 0 to 1 of [G(q) - q R] dq / R     (trapezoids on steps of 1/20, SNIPS)

0: no better than people in random order. 1: all of R from the very first person. Below 0: worse than random order. It
may exceed 1 where treating everybody adds less than treating some, or where the right treatment differs by person. It
has no meaning, and is NaN, where R is not above 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from jobs.backtest.folds import Folds
from jobs.backtest.uplift.trial import CONTROL, Arms, Plan, Trial
from jobs.model.learners.features import Floats
from jobs.model.learners.metrics import resampled

STEPS = 20
SHARES = np.linspace(0.0, 1.0, STEPS + 1)


@dataclass(frozen=True, eq=False)
class Gains:
    """G at SHARES of one policy (draws x 21), by both estimates; the first draw is the people themselves."""

    snips: Floats
    ips: Floats

    @property
    def in_random_order(self) -> Gains:
        """What the same treatments gain on average over every order of people: straight lines to the gain of all."""
        return Gains(self.snips[:, -1:] * SHARES, self.ips[:, -1:] * SHARES)

    def minus(self, other: Gains) -> Gains:
        """The paired difference."""
        return Gains(self.snips - other.snips, self.ips - other.ips)


def gains(trial: Trial, plans: Mapping[str, Plan], fold: Folds, seed: int, replicates: int) -> dict[str, Gains]:
    """Gains of several policies on the same resampled people, so that differences are paired; orders stay fixed."""
    sums = {name: _sums(trial, plan.arm, _step(plan.score, fold)) for name, plan in plans.items()}
    parts: dict[str, list[tuple[Floats, Floats]]] = {name: [] for name in plans}
    for counts in resampled(np.random.default_rng(seed), len(trial.arm), replicates):
        rows = counts.sum(axis=1)
        for name, matrix in sums.items():
            parts[name].append(_gains((matrix @ counts.T).T, rows))
    return {name: Gains(*(np.concatenate(each) for each in zip(*found, strict=True))) for name, found in parts.items()}


def qini(gain: Floats, reference: Floats) -> Floats:
    """The Qini of each draw: `gain` draws x 21, `reference` the draws of R."""
    area = np.trapezoid(gain, SHARES, axis=-1)
    return np.asarray(
        np.divide(2 * area, reference, out=np.full(area.shape, np.nan), where=reference > 0) - 1, dtype=np.float64
    )


def null_qini(trial: Trial, arm: Arms, fold: Folds, seed: int, draws: int) -> Floats:
    """Qinis of people in random order, all with the reference's treatment: what chance gives on these people."""
    chance = np.random.default_rng(seed)
    rows, ones = np.array([float(len(arm))]), np.ones(len(arm))
    found = []
    for _ in range(draws):
        step = _step(chance.random(len(arm)), fold)
        found.append(_gains((_sums(trial, arm, step) @ ones)[None, :], rows)[0][0])
    gain = np.array(found)
    return qini(gain, gain[:, -1])


def _step(score: Floats, fold: Folds) -> Arms:
    """The step (0..19) in which each person is reached; equal scores keep the order of rows."""
    frame = pd.DataFrame({"score": -score, "fold": fold})
    place = frame.groupby("fold")["score"].rank(method="first", pct=True).to_numpy()
    return np.asarray(np.ceil(place * STEPS - 1e-9), dtype=np.int64) - 1


def _sums(trial: Trial, arm: Arms, step: Arms) -> sparse.csr_array:
    """(4 x 20) x people: weights, and weights times outcomes, of those drawn as named and of the control, by step."""
    weight = 1.0 / trial.share[trial.arm]
    rows, columns, values = [], [], []
    for block, (mask, value) in enumerate(
        (mask, value) for mask in (trial.arm == arm, trial.arm == CONTROL) for value in (weight, weight * trial.outcome)
    ):
        people = np.flatnonzero(mask)
        rows.append(block * STEPS + step[people])
        columns.append(people)
        values.append(value[people])
    shape = (4 * STEPS, len(arm))
    return sparse.csr_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)


def _gains(totals: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """SNIPS and IPS gains at SHARES from totals by step (draws x 80)."""
    named, named_y, control, control_y = np.split(totals, 4, axis=1)
    weight, outcome = _treated_first(named, control), _treated_first(named_y, control_y)
    snips, ips = outcome / weight, outcome / rows[:, None]
    return snips - snips[:, :1], ips - ips[:, :1]


def _treated_first(named: Floats, control: Floats) -> Floats:
    """For each share: the named over the first steps plus the control over the others."""
    start = np.zeros((len(named), 1))
    until = np.hstack([start, np.cumsum(named, axis=1)])
    after = np.hstack([np.cumsum(control[:, ::-1], axis=1)[:, ::-1], start])
    return until + after
