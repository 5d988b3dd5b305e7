"""How far each journey moves a chain's removal effects: what their intervals are made of, without solving it again.

With every step more that is counted in a state a chain's conversion moves by (visits a journey / journeys counted
leaving it) x (p after - p before), p being the chance to convert. The same holds of the chain without a channel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.measure.attribution.flows import START, states_of
from jobs.measure.attribution.markov import Chain, states_with
from jobs.measure.attribution.paths import Floats, Ints, Paths

UNIT = 10**15  # influences are whole parts of it, so that their sums are exact in any order


@dataclass(frozen=True)
class Leverage:
    """Of a chain (row 0) and of it without each channel (rows 1 + code), by state, the start last.

    `states` (n,): sorted; `weight` (1 + channels, n + 1): what a step from there weighs; `chance`
    (1 + channels, n + 3): to convert from there, having converted, and having not.
    """

    order: int
    states: Ints
    weight: Floats
    chance: Floats


def leverage(chain: Chain, order: int) -> Leverage:
    """What steps of journeys do to the chain; DataRefused where it is too large to be solved."""
    visits, size = chain.visits, len(chain.states)
    wins, seen = visits @ chain.ends, chain.opening @ visits
    weight, chance = np.zeros((1 + len(chain.channels), size + 1)), np.zeros((1 + len(chain.channels), size + 3))
    for row in range(1 + len(chain.channels)):
        mine_seen, mine_wins = seen, wins
        if row and len(gone := states_with(chain, row - 1)):
            inner = visits[np.ix_(gone, gone)]
            mine_wins = wins - visits[:, gone] @ np.linalg.solve(inner, wins[gone])
            mine_seen = seen - np.linalg.solve(inner.T, seen[gone]) @ visits[gone]
            mine_wins[gone] = mine_seen[gone] = 0.0
        weight[row] = [*(mine_seen / chain.leaving), 1.0 / chain.journeys]
        chance[row] = [*mine_wins, chain.opening @ mine_wins, 1.0, 0.0]
    return Leverage(order, chain.states, weight, chance)


def influences(paths: Paths, fold: Ints, folds: int, of: Leverage) -> Ints:
    """(1 + channels, folds): how much the journeys of each fold move the conversion of each chain, in parts of UNIT."""
    before, after = states_of(paths, of.order)
    size = len(of.states)
    weight = paths.conversions + paths.nulls
    kept = weight[paths.owners] > 0
    lasts = paths.lasts[kept[paths.lasts]]
    ended = paths.owners[lasts]
    at = np.searchsorted(of.states, after)
    origin = np.where(before == START, size, np.searchsorted(of.states, before))[kept]
    starts = np.concatenate([origin, at[lasts], at[lasts]])
    goals = np.concatenate([at[kept], np.full(len(lasts), size + 1), np.full(len(lasts), size + 2)])
    counts = np.concatenate([weight[paths.owners[kept]], paths.conversions[ended], paths.nulls[ended]])
    whose = fold[np.concatenate([paths.owners[kept], ended, ended])]
    told = np.zeros((len(of.weight), folds), dtype=np.int64)
    for row, (weights, chances) in enumerate(zip(of.weight, of.chance, strict=True)):
        moved = np.rint(UNIT * weights[starts] * (chances[goals] - chances[starts])) * counts
        told[row] = np.bincount(whose, moved, folds).astype(np.int64)
    return told
