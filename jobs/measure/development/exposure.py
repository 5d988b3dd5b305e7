"""Rates of cohorts developed by the state each member is in, and by how often those in it moved on or were counted.

What is to come does not lean on the little that a young cohort has shown, as in a chain ladder, but on all cohorts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.measure.development.triangles import Floats, Ints
from segments.intervals import LEVEL

PRIOR = 0.5  # Jeffreys, spread over where a member may go
BORROWED = 20.0  # moves that a state at one age is given of the same state at all ages


@dataclass(frozen=True)
class DevelopedRate:
    """(cohorts,): `rate` at the last age with 95 % bounds."""

    rate: Floats
    lo: Floats
    hi: Floats


def developed_rate(
    counted: Floats, left: Floats, newest: Ints, moves: Floats, draws: int = 1000, seed: int = 0
) -> DevelopedRate:
    """Shares of cohorts that are counted by the last age.

    `counted` (cohorts,) so far; `left` (cohorts, states) the others by the state they are in at age `newest`; `moves`
    (ages, states, states + 1): how many went in the step to an age from a state to each, the last being counted. What
    is counted stands; the others go step by step as all cohorts did. The bounds hold what the cohort will come to:
    moves are drawn from their posteriors, and what is to come by chance. A step nobody has made is not known.
    """
    steps = len(moves)
    sizes = counted + left.sum(axis=1)
    pooled = moves.sum(axis=0) + PRIOR / moves.shape[2]
    prior = BORROWED * pooled / pooled.sum(axis=1, keepdims=True)
    weights = moves + prior
    mean = _chances(weights / weights.sum(axis=2, keepdims=True))
    rng = np.random.default_rng(seed)
    gammas = rng.gamma(weights[:, None], size=(steps, draws, *weights.shape[1:]))
    drawn = np.minimum(_chances(gammas / gammas.sum(axis=3, keepdims=True)), 1.0)
    # Chances from an age on are known while somebody made each step from there.
    is_known = np.append(np.flip(np.logical_and.accumulate(np.flip(moves.sum(axis=(1, 2)) > 0))), True)
    rate, low, high = (np.full(len(sizes), np.nan) for _ in range(3))
    tail = 50 * (1 - LEVEL)
    for i, age in enumerate(newest):
        if not sizes[i] or not is_known[age]:
            continue
        rate[i] = (counted[i] + left[i] @ mean[age]) / sizes[i]
        totals = counted[i] + rng.binomial(np.round(left[i]).astype(np.int64), drawn[age]).sum(axis=1)
        low[i], high[i] = np.percentile(totals, [tail, 100 - tail]) / sizes[i]
    return DevelopedRate(rate, low, high)


def _chances(shares: Floats) -> Floats:
    """(steps + 1, …, states): chance to be counted by the last age, by age and state; `shares` of moves, as above."""
    states = shares.shape[-2]
    found = np.zeros((len(shares) + 1, *shares.shape[1:-1]))
    for age in reversed(range(len(shares))):
        found[age] = shares[age, ..., states] + np.einsum("...ij,...j->...i", shares[age, ..., :states], found[age + 1])
    return found
