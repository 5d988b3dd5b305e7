"""Fraud rings: groups that register together, share device, place, address and account, and apply in a burst."""

from __future__ import annotations

import numpy as np

from jobs.market.conf import MarketConf
from jobs.market.dice import Dice, Ints

BURST_HOURS = 48
APPROVE_FACTOR = 1.6  # rings pass the lender's view more often
DEFAULT_SHARE = 0.85  # first-payment default, confirmed as fraud


def draw_rings(conf: MarketConf, dice: Dice) -> Ints:
    """The ring of each person, -1 for none; sizes are 1 + geometric with the conf's mean."""
    ring = np.full(conf.people, -1, dtype=np.int64)
    wanted = round(conf.people * conf.ring_share)
    number, members = 0, 0
    while members < wanted:
        u = float(dice.uniform("ring_size", number)[0])
        size = 1 + int(np.ceil(np.log1p(-u) / np.log1p(-1.0 / max(conf.ring_size - 1.0, 1.5))))
        size = min(size, max(wanted - members, 2))
        start = int(dice.uniform("ring_start", number)[0] * (conf.people - size))
        if (ring[start : start + size] < 0).all():
            ring[start : start + size] = number
            members += size
        number += 1
    return ring
