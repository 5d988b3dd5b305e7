"""From application to funded loan: the lender's view, its decision, the delays, the drawdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.market.calendar import DAY_US, HOUR_US
from jobs.market.conf import MarketConf
from jobs.market.dice import Dice, Floats, Ints, sigmoid
from jobs.market.effects import effect
from jobs.market.partners import Partners
from jobs.market.people import People
from jobs.market.rings import APPROVE_FACTOR

VIEW_RISK, VIEW_NOISE = 0.75, 0.66  # what the lender sees of risk when it decides
MINUTE_US = 60_000_000
DECLINED, APPROVED, WITHDRAWN = 0, 1, 2
DECISIONS = ("declined", "approved", "withdrawn")
GRID = np.linspace(-16.0, 16.0, 3201)
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(21)


@dataclass(frozen=True)
class Decisions:
    """What became of applications; funded_us is -1 where no loan was drawn."""

    decision: Ints
    decided_us: Ints
    funded_us: Ints
    view: Floats


def approve_chance(conf: MarketConf, people: People, partners: Partners, person: Ints, partner: int) -> Floats:
    """P(approved | applied to a partner that serves the region), over the lender's view noise.

    Gauss-Hermite with 21 nodes on a fine grid of what is known before the noise, read off between its points.
    """
    spread = conf.response.approve[1] * partners.slope[partner] * VIEW_NOISE
    before = _approve_logit(conf, people, partners, person, np.full(len(person), partner), VIEW_RISK)
    chance = np.empty(len(person))
    is_ring = people.is_ring[person]
    for ring in (False, True):
        table = np.zeros(len(GRID))
        for node, weight in zip(NODES, WEIGHTS / WEIGHTS.sum(), strict=True):
            table += weight * _approved(GRID + spread * node, np.asarray(ring))
        chance[is_ring == ring] = np.interp(before[is_ring == ring], GRID, table)
    return chance


def fund_chance(conf: MarketConf, people: People, partners: Partners, person: Ints, partner: Ints | int) -> Floats:
    """P(funded within 30 days | approved by a partner)."""
    level, slope = conf.response.fund
    added = partners.fit(conf, people.need[person], partner) + effect(conf, people, person, "fund")
    chance: Floats = sigmoid(level + slope * people.risk[person] + added)
    return chance


def funded_chance(conf: MarketConf, people: People, partners: Partners) -> tuple[Floats, Floats]:
    """P(approved | applied) and P(approved and funded | applied) by person, when nobody chooses the partner."""
    approved, funded = np.zeros(people.count), np.zeros(people.count)
    everybody = np.arange(people.count)
    for partner in range(1 if partners.are_alike else len(partners.name)):
        who = everybody if partners.are_alike else np.flatnonzero(partners.serves[partner, people.region])
        share = 1.0 if partners.are_alike else 1.0 / partners.served[people.region[who]]
        passed = share * approve_chance(conf, people, partners, who, partner)
        approved[who] += passed
        funded[who] += passed * fund_chance(conf, people, partners, who, partner)
    return approved, funded


def _approve_logit(
    conf: MarketConf, people: People, partners: Partners, person: Ints, partner: Ints, seen: float, noise: Any = 0.0
) -> Floats:
    level, slope = conf.response.approve
    view = seen * people.risk[person] + noise
    logit: Floats = (
        level
        + partners.level[partner]
        + slope * partners.slope[partner] * view
        + effect(conf, people, person, "approve")
    )
    return logit


def _approved(logit: Floats, is_ring: NDArray[np.bool_]) -> Floats:
    chance: Floats = np.minimum(0.98, sigmoid(logit) * np.where(is_ring, APPROVE_FACTOR, 1.0))
    return chance


def decide(
    conf: MarketConf, dice: Dice, people: People, partners: Partners, person: Ints, applied_us: Ints, partner: Ints
) -> Decisions:
    """The decision on each application and when it was drawn; draws are keyed by person and time of application."""
    key = (person, applied_us)
    noise = VIEW_NOISE * dice.normal("view", *key)
    chance = _approved(
        _approve_logit(conf, people, partners, person, partner, VIEW_RISK, noise), people.is_ring[person]
    )
    approved = (dice.uniform("approve", *key) < chance) & partners.serves[partner, people.region[person]]
    withdrawn = ~approved & (dice.uniform("withdraw", *key) < 0.04)
    is_app = dice.uniform("decision_path", *key) < 0.7
    median = np.where(is_app, 3 * MINUTE_US, DAY_US)
    spread = dice.normal("decision_delay", *key) * np.where(is_app, 0.8, 0.5)
    decided = applied_us + (median * np.exp(spread)).astype(np.int64)
    drawn = approved & (dice.uniform("fund", *key) < fund_chance(conf, people, partners, person, partner))
    wait_days = np.minimum(-4.0 * np.log(dice.uniform("fund_delay", *key)), 29.5)
    return Decisions(
        decision=np.where(approved, APPROVED, np.where(withdrawn, WITHDRAWN, DECLINED)),
        decided_us=decided,
        funded_us=np.where(drawn, decided + (wait_days * DAY_US).astype(np.int64), -1),
        view=VIEW_RISK * people.risk[person] + noise,
    )


def apply_delay(dice: Dice, clicked_us: Ints, latest_us: Ints, *keys: Ints) -> Ints:
    """When a click's application comes: 35 % within 1 h, half within 24 h, the rest up to `latest_us`."""
    u, v = dice.uniform("apply_speed", *keys), dice.uniform("apply_delay", *keys)
    room = np.maximum(latest_us - clicked_us, DAY_US + HOUR_US)
    late = DAY_US + v * v * (room - DAY_US)
    wait = np.where(u < 0.35, v * HOUR_US, np.where(u < 0.5, HOUR_US + v * 23 * HOUR_US, late))
    at: Ints = clicked_us + wait.astype(np.int64)
    return at
