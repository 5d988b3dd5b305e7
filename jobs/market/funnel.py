"""From application to funded loan: the lender's view, its decision, the delays, the drawdown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.market.calendar import DAY_US, HOUR_US
from jobs.market.conf import MarketConf
from jobs.market.dice import Dice, Floats, Ints, sigmoid
from jobs.market.people import People
from jobs.market.rings import APPROVE_FACTOR

VIEW_RISK, VIEW_NOISE = 0.75, 0.66  # what the lender sees of risk when it decides
MINUTE_US = 60_000_000
DECLINED, APPROVED, WITHDRAWN = 0, 1, 2
DECISIONS = ("declined", "approved", "withdrawn")
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(21)


@dataclass(frozen=True)
class Decisions:
    """What became of applications; funded_us is -1 where no loan was drawn."""

    decision: Ints
    decided_us: Ints
    funded_us: Ints
    view: Floats


def approve_chance(conf: MarketConf, people: People) -> Floats:
    """P(approved | applied) by person, over the lender's view noise (Gauss-Hermite, 21 nodes)."""
    total = np.zeros(people.count)
    for node, weight in zip(NODES, WEIGHTS / WEIGHTS.sum(), strict=True):
        total += weight * _approve(conf, people.is_ring, VIEW_RISK * people.risk + VIEW_NOISE * node)
    return total


def fund_chance(conf: MarketConf, people: People) -> Floats:
    """P(funded within 30 days | approved) by person."""
    level, slope = conf.response.fund
    chance: Floats = sigmoid(level + slope * people.risk)
    return chance


def _approve(conf: MarketConf, is_ring: NDArray[np.bool_], view: Floats) -> Floats:
    level, slope = conf.response.approve
    chance: Floats = np.minimum(0.98, sigmoid(level + slope * view) * np.where(is_ring, APPROVE_FACTOR, 1.0))
    return chance


def decide(conf: MarketConf, dice: Dice, people: People, person: Ints, applied_us: Ints) -> Decisions:
    """The decision on each application and when it was drawn; draws are keyed by person and time of application."""
    key = (person, applied_us)
    view = VIEW_RISK * people.risk[person] + VIEW_NOISE * dice.normal("view", *key)
    approved = dice.uniform("approve", *key) < _approve(conf, people.is_ring[person], view)
    withdrawn = ~approved & (dice.uniform("withdraw", *key) < 0.04)
    is_app = dice.uniform("decision_path", *key) < 0.7
    median = np.where(is_app, 3 * MINUTE_US, DAY_US)
    spread = dice.normal("decision_delay", *key) * np.where(is_app, 0.8, 0.5)
    decided = applied_us + (median * np.exp(spread)).astype(np.int64)
    drawn = approved & (dice.uniform("fund", *key) < fund_chance(conf, people)[person])
    wait_days = np.minimum(-4.0 * np.log(dice.uniform("fund_delay", *key)), 29.5)
    return Decisions(
        decision=np.where(approved, APPROVED, np.where(withdrawn, WITHDRAWN, DECLINED)),
        decided_us=decided,
        funded_us=np.where(drawn, decided + (wait_days * DAY_US).astype(np.int64), -1),
        view=view,
    )


def apply_delay(dice: Dice, clicked_us: Ints, latest_us: Ints, *keys: Ints) -> Ints:
    """When a click's application comes: 35 % within 1 h, half within 24 h, the rest up to `latest_us`."""
    u, v = dice.uniform("apply_speed", *keys), dice.uniform("apply_delay", *keys)
    room = np.maximum(latest_us - clicked_us, DAY_US + HOUR_US)
    late = DAY_US + v * v * (room - DAY_US)
    wait = np.where(u < 0.35, v * HOUR_US, np.where(u < 0.5, HOUR_US + v * 23 * HOUR_US, late))
    at: Ints = clicked_us + wait.astype(np.int64)
    return at
