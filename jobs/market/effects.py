"""Departures from log-linear response: thresholds and crossed effects, as the conf lists them."""

from __future__ import annotations

import numpy as np

from jobs.market.conf import MarketConf
from jobs.market.dice import Floats, Ints
from jobs.market.people import AFFINITY_SD, People


def effect(conf: MarketConf, people: People, person: Ints, moves: str, channel: int | None = None) -> Floats:
    """What the conf's effects add, on their scale, to one response of `person` (indices)."""
    total = np.zeros(len(person))
    for one in conf.response.effects:
        if one.moves != moves or (
            one.channels and (channel is None or conf.channels[channel].name not in one.channels)
        ):
            continue

        def trait(name: str) -> Floats:
            if name == "affinity" and channel is not None:
                own: Floats = people.affinity[person, channel] / AFFINITY_SD
                return own
            return people.trait(conf, name)[person]

        part = np.full(len(person), one.add)
        for name in one.times:
            part = part * trait(name)
        for name, bound in one.above.items():
            part = part * (trait(name) > bound)
        for name, bound in one.below.items():
            part = part * (trait(name) < bound)
        total += part
    return total
