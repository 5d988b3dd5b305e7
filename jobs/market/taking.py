"""People in the order a policy would take them, each on one channel, under the channels' capacities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.market.dice import Floats, Ints


@dataclass(frozen=True)
class TakingOrder:
    """Rows in the order they are taken: person and channel as indices."""

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
    room, free = capacity.tolist(), [True] * len(ratio)
    left, taken = sum(room), []
    for pair, i, k in zip(order.tolist(), person[order].tolist(), channel[order].tolist(), strict=True):
        if free[i] and room[k] > 0:
            free[i] = False
            room[k] -= 1
            left -= 1
            taken.append(pair)
            if not left:
                break
    chosen = np.array(taken, dtype=np.int64)
    return TakingOrder(person[chosen], channel[chosen])


def fill_channels(people: Ints, channels: Ints, capacity: Ints) -> TakingOrder:
    """People in order, channels filled in order."""
    seats = np.repeat(channels, capacity[channels])
    size = min(len(people), len(seats))
    return TakingOrder(people[:size], seats[:size])


def random_channels(people: Ints, luck: Floats, capacity: Ints) -> TakingOrder:
    """People in order, each on a channel drawn in proportion to capacity."""
    share = np.cumsum(capacity / max(1, capacity.sum()))
    return TakingOrder(people, np.minimum(np.searchsorted(share, luck), len(capacity) - 1).astype(np.int64))
