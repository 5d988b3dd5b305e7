"""Markov chains of the last k touches: what each channel's removal would cost, exactly, from one factorisation.

With Q the chances between states, r those of converting, F = (I - Q)^-1, p = F r and s the start, a channel whose
states are B takes away RE = F[s,B] F[B,B]^-1 p[B] / p[s].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.linalg import lu_factor, lu_solve

from jobs.measure.attribution.flows import START, WON, Flows, flows
from jobs.measure.attribution.paths import Floats, Ints, Paths
from jobs.runtime.errors import DataRefused

MOST_STATES = 6_000  # 300 MB for the inverse


@dataclass(frozen=True)
class Chain:
    """An absorbing chain of `n` states, each the last k touches of a journey.

    `states` (n,): as flows write them; `grams` (n, k): channel codes, newest first, -1 before the first touch;
    `moves` (n, n): chances; `ends` (n,): chance to convert next; `worth` (n,): the same times the mean value of such a
    conversion; `opening` (n,): chance that a journey starts there; `leaving` (n,), `journeys`: how many were counted.
    """

    channels: tuple[str, ...]
    states: Ints
    grams: Ints
    moves: sparse.csr_matrix
    ends: Floats
    worth: Floats
    opening: Floats
    leaving: Floats
    journeys: float

    @cached_property
    def visits(self) -> Floats:
        """(n, n): how often a journey in one state is yet to be in another; DataRefused beyond MOST_STATES states."""
        size = len(self.grams)
        if size > MOST_STATES:
            raise DataRefused(f"these paths make {size:,} states, at most {MOST_STATES:,} are solved; lower --order")
        return np.asarray(lu_solve(lu_factor(np.eye(size) - self.moves.toarray()), np.eye(size)))


@dataclass(frozen=True)
class Removal:
    """`base`: conversions a journey; `value`: its expected value; the share each channel's absence takes of either."""

    base: float
    value: float
    of_conversions: Floats
    of_value: Floats


def chain(paths: Paths, order: int = 1) -> Chain:
    """The chain of `order` that journeys with at least one touch drew; DataRefused when there is none."""
    return chain_of(paths.channels, flows(paths, order), order)


def chain_of(channels: tuple[str, ...], moved: Flows, order: int) -> Chain:
    """The chain of counted flows; DataRefused when nobody touched anything."""
    if not len(moved.states):
        raise DataRefused("no path has both a touch and a journey, so there is no chain; check the columns of counts")
    base = len(channels) + 1
    met, at = np.unique(moved.states[moved.states != START], return_inverse=True)
    size = len(met)
    state = np.full(len(moved.states), -1, dtype=np.int64)
    state[moved.states != START] = at
    is_start, is_move = moved.states == START, moved.nexts >= 0
    reached = np.searchsorted(met, moved.states * base % base**order + moved.nexts + 1)
    out = np.bincount(state[~is_start], moved.counts[~is_start], minlength=size).astype(np.float64)
    inner, won = is_move & ~is_start, moved.nexts == WON
    flow = sparse.coo_matrix((moved.counts[inner], (state[inner], reached[inner])), shape=(size, size)).tocsr()
    moves = sparse.diags(1.0 / out).dot(flow).tocsr()
    ends = np.bincount(state[won], moved.counts[won], minlength=size) / out
    worth = np.bincount(state[won], moved.worths[won], minlength=size) / out
    opening = np.bincount(reached[is_start], moved.counts[is_start], minlength=size)
    grams = np.column_stack([met // base**back % base - 1 for back in range(order)])
    journeys = float(opening.sum())
    return Chain(channels, met, grams, moves, ends, worth, opening / journeys, out, journeys)


def removal(chain: Chain) -> Removal:
    """Exact removal effects of every channel; DataRefused beyond MOST_STATES states."""
    visits = chain.visits
    wins = visits @ np.column_stack([chain.ends, chain.worth])
    seen = chain.opening @ visits
    whole = chain.opening @ wins
    lost = np.zeros((len(chain.channels), 2))
    for code in range(len(chain.channels)):
        states = states_with(chain, code)
        if len(states):
            lost[code] = seen[states] @ np.linalg.solve(visits[np.ix_(states, states)], wins[states])
    shares = np.clip(np.divide(lost, whole, out=np.zeros_like(lost), where=whole > 0), 0.0, 1.0)
    return Removal(float(whole[0]), float(whole[1]), shares[:, 0], shares[:, 1])


def states_with(chain: Chain, code: int) -> Ints:
    """The states that hold a channel."""
    return np.flatnonzero((chain.grams == code).any(axis=1))
