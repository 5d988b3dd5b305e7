"""What a policy is to the referee: people in the order it would take them, each on one channel, under capacities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.market.dice import Floats, Ints


@dataclass(frozen=True)
class TakingOrder:
    """Rows in the order they are taken: person and channel as indices into the truth's matrices."""

    person: Ints
    channel: Ints

    def __len__(self) -> int:
        return len(self.person)

    def first(self, count: int) -> TakingOrder:
        """Its first rows."""
        return TakingOrder(self.person[:count], self.channel[:count])


def cheapest_first(ratio: Floats, capacity: Ints) -> TakingOrder:
    """Pairs by rising ratio (people x channels; infinite: never), one a person, until every channel is full."""
    person, channel = np.nonzero(np.isfinite(ratio))
    order = np.argsort(ratio[person, channel], kind="stable")
    person, channel = person[order], channel[order]
    taken: list[Ints] = []
    free, room = np.ones(len(ratio), dtype=bool), capacity.astype(np.int64)
    place, step = 0, max(1000, len(person) // 200)
    while place < len(person) and room.any():
        rows = np.arange(place, min(place + step, len(person)))
        place += len(rows)
        rows = rows[free[person[rows]] & (room[channel[rows]] > 0)]
        rows = rows[np.unique(person[rows], return_index=True)[1]] if len(rows) else rows
        rows = np.sort(rows)
        kept = _within(channel[rows], room)
        rows = rows[kept]
        free[person[rows]] = False
        room = room - np.bincount(channel[rows], minlength=len(room))
        taken.append(rows)
    chosen = np.concatenate(taken) if taken else np.zeros(0, dtype=np.int64)
    return TakingOrder(person[chosen], channel[chosen])


def _within(channel: Ints, room: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows still find a place, the first ones first."""
    kept = np.zeros(len(channel), dtype=bool)
    for k in range(len(room)):
        rows = np.flatnonzero(channel == k)
        kept[rows[: room[k]]] = True
    return kept


def fill_channels(people: Ints, channels: Ints, capacity: Ints) -> TakingOrder:
    """People in order, channels filled in order."""
    seats = np.repeat(channels, capacity[channels])
    size = min(len(people), len(seats))
    return TakingOrder(people[:size], seats[:size])


def random_channels(people: Ints, luck: Floats, capacity: Ints) -> TakingOrder:
    """People in order, each on a channel drawn in proportion to capacity."""
    share = np.cumsum(capacity / max(1, capacity.sum()))
    return TakingOrder(people, np.minimum(np.searchsorted(share, luck), len(capacity) - 1).astype(np.int64))
