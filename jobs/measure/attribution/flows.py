"""How journeys moved: counts from each state of the last k touches to the next touch, a conversion or nothing.

Sums of whole numbers over any split of the journeys: a chain of everybody is made of what parts of them counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from jobs.measure.attribution.paths import Floats, Ints, Paths

START = 0  # the state before any touch
WON, LOST = -1, -2  # ends, in place of a next channel


@dataclass(frozen=True)
class Flows:
    """One row a (state, next): how many journeys went so, and what conversions there were worth.

    `states`: sum over the last k touches, newest first, of (channel + 1) x (channels + 1)^i; `nexts`: a channel, WON or
    LOST.
    """

    states: Ints
    nexts: Ints
    counts: Floats
    worths: Floats


def flows(paths: Paths, order: int) -> Flows:
    """Flows of all journeys with at least one touch; touches of journeys that nobody made are left out."""
    weight = paths.conversions + paths.nulls
    kept = weight[paths.owners] > 0
    before, states = states_of(paths, order)
    lasts = paths.lasts[kept[paths.lasts]]
    ended = paths.owners[lasts]
    none = np.zeros(len(lasts))
    return summed(
        [
            Flows(before[kept], paths.codes[kept], weight[paths.owners[kept]], np.zeros(int(kept.sum()))),
            Flows(states[lasts], np.full(len(lasts), WON), paths.conversions[ended], paths.values[ended]),
            Flows(states[lasts], np.full(len(lasts), LOST), paths.nulls[ended], none),
        ]
    )


def states_of(paths: Paths, order: int) -> tuple[Ints, Ints]:
    """The states before and after each touch."""
    base = len(paths.channels) + 1
    place = np.arange(len(paths.codes)) - paths.starts[paths.owners]
    states = np.zeros(len(paths.codes), dtype=np.int64)
    for back in range(order):
        states += np.where(place >= back, np.roll(paths.codes, back) + 1, 0) * base**back
    return np.where(place > 0, np.roll(states, 1), START), states


def summed(parts: Iterable[Flows]) -> Flows:
    """One row a (state, next), in that order; those that nobody went are left out."""
    told = list(parts)
    states = np.concatenate([part.states for part in told])
    nexts = np.concatenate([part.nexts for part in told])
    width = int(nexts.max(initial=LOST)) - LOST + 1  # both in one number, which sorts many times faster than pairs
    pairs, group = np.unique(states * width + nexts - LOST, return_inverse=True)
    counts = np.bincount(group, np.concatenate([part.counts for part in told]), minlength=len(pairs))
    worths = np.bincount(group, np.concatenate([part.worths for part in told]), minlength=len(pairs))
    went = counts > 0
    pairs = pairs[went]
    ends = (pairs // width, pairs % width + LOST)
    return Flows(*ends, counts[went].astype(np.float64), worths[went].astype(np.float64))
