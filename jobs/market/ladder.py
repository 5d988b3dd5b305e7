"""Yardsticks on true expectations: reachable volume, random, best channel first, and the oracle's cheapest first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.market.conf import MarketConf
from jobs.market.dice import Dice, Floats, Ints
from jobs.market.taking import TakingOrder, cheapest_first, fill_channels, random_channels
from jobs.market.truth import Arms
from segments.impact import Impact

SAMPLE = 100_000
ROUNDS = 60


@dataclass(frozen=True)
class Ladder:
    """Cost per incremental good customer at shares of the reachable volume (good customers of the whole market)."""

    reachable: float
    shares: tuple[float, ...]
    random: tuple[float, ...]
    best_channel: tuple[float, ...]
    oracle: tuple[float, ...]

    @property
    def saving(self) -> tuple[float, ...]:
        """By how much the oracle undercuts random, per share."""
        return tuple(1.0 - best / worst for best, worst in zip(self.oracle, self.random, strict=True))


def impact_of(conf: MarketConf, people: int) -> Impact:
    """A market's price impact for a part of it with so many people."""
    return Impact(
        tuple(media.price_impact for media in conf.channels),
        tuple(conf.usual_load * media.capacity * people for media in conf.channels),
    )


def climb(conf: MarketConf, arms: Arms, late: Floats, shares: tuple[float, ...] = (0.1, 0.2, 0.3)) -> Ladder:
    """The ladder of a market, on a sample of at most 100,000 people with capacities in proportion."""
    step = max(1, conf.people // SAMPLE)
    cost, good = arms.cost[::step], (arms.funded * (1.0 - late)[:, None])[::step]
    capacity = np.array([int(channel.capacity * len(cost)) for channel in conf.channels])
    reachable = reachable_volume(good, capacity)
    goals = [share * reachable for share in shares]
    rank = random_rank(len(cost))
    impact = impact_of(conf, len(cost))
    return Ladder(
        reachable=reachable * conf.people / len(cost),
        shares=shares,
        random=tuple(random_cost(cost, good, capacity, goal, rank, impact) for goal in goals),
        best_channel=tuple(best_channel_cost(cost, good, capacity, goal, rank, impact) for goal in goals),
        oracle=tuple(cheapest_first_cost(cost, good, capacity, goal, impact) for goal in goals),
    )


def random_rank(count: int) -> Floats:
    """A fixed random order of people, as uniforms."""
    return Dice(0).uniform("ladder", np.arange(count))


def reachable_volume(good: Floats, capacity: Ints) -> float:
    """The most incremental good customers under capacities, one channel a person: the dual bound of that assignment.

    Each channel's price is raised in turn to where its demand meets its capacity; prices only rise, and any prices
    give an upper bound, so stopping early errs on the high side.
    """
    good, capacity = good[:, capacity > 0], capacity[capacity > 0]
    if not good.size:
        return 0.0
    price = np.zeros(good.shape[1])
    best = np.inf
    for _ in range(ROUNDS):
        before = price.copy()
        for channel in range(len(price)):
            gain = good - price
            gain[:, channel] = 0.0
            edge = good[:, channel] - np.maximum(gain.max(axis=1), 0.0)
            place = capacity[channel]
            if place < len(edge):
                price[channel] = max(0.0, float(np.partition(edge, len(edge) - 1 - place)[len(edge) - 1 - place]))
        bound = float(np.maximum((good - price).max(axis=1), 0.0).sum() + (price * capacity).sum())
        best = min(best, bound)
        if np.abs(price - before).max() < 1e-9:
            break
    return best


def random_cost(cost: Floats, good: Floats, capacity: Ints, goal: float, rank: Floats, impact: Impact) -> float:
    """Rung 0: people in random order, a random channel each, channels drawn in proportion to capacity."""
    people = _eligible(good, rank)
    # the channel comes from a second, independent use of the rank's low digits
    return _cost_at(cost, good, random_channels(people, (rank[people] * 2.0**20) % 1.0, capacity), goal, impact)


def best_channel_cost(cost: Floats, good: Floats, capacity: Ints, goal: float, rank: Floats, impact: Impact) -> float:
    """Rung 1: random people, channels filled to capacity in order of their average cost."""
    people = _eligible(good, rank)
    average = cost[people].sum(axis=0) / np.maximum(good[people].sum(axis=0), 1e-12)
    return _cost_at(cost, good, fill_channels(people, np.argsort(average, kind="stable"), capacity), goal, impact)


def cheapest_first_cost(cost: Floats, good: Floats, capacity: Ints, goal: float, impact: Impact) -> float:
    """Rung 7: the cheapest person-channel pairs by true cost per good customer, one a person, under capacities."""
    ratio = np.full(good.shape, np.inf)
    np.divide(cost, good, out=ratio, where=good > 0)
    return _cost_at(cost, good, cheapest_first(ratio, capacity), goal, impact)


def _eligible(good: Floats, rank: Floats) -> Ints:
    """People somebody could win, in the order of their rank."""
    found = np.flatnonzero(good.max(axis=1) > 0)
    return np.asarray(found[np.argsort(rank[found], kind="stable")], dtype=np.int64)


def _cost_at(costs: Floats, wins: Floats, order: TakingOrder, goal: float, impact: Impact) -> float:
    """Cost per good customer of the first rows that reach a volume, the last one in part; of all when they do not."""
    channel = order.channel
    cost, good = costs[order.person, channel], wins[order.person, channel]
    volume = np.cumsum(good)
    stop = int(np.searchsorted(volume, goal))
    if stop >= len(volume):
        return impact.spend(cost, channel) / max(float(volume[-1]) if len(volume) else 0.0, 1e-12)
    short = goal - (volume[stop - 1] if stop else 0.0)
    part = cost[: stop + 1].copy()
    part[stop] *= short / good[stop]
    return impact.spend(part, channel[: stop + 1]) / goal
