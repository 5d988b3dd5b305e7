"""Who lives in the market: hidden traits, registration, households, and the prospect records the lender holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.market.calendar import DAY_US, Calendar, month_start
from jobs.market.conf import MarketConf
from jobs.market.dice import Dice, Floats, Ints

RISK_CORRELATION = 0.30  # with intent: adverse selection
AFFINITY_SD = 0.8
NEWCOMER_SHARE = 0.10  # people who register during the campaign year


@dataclass(frozen=True)
class People:
    """Hidden traits by person; arrays of length n unless said."""

    intent: Floats
    risk: Floats
    income: Floats
    reachable: Floats
    hidden: Floats
    group: Floats
    tier: Floats
    affinity: Floats  # n x channels
    taste: Floats  # n x 2
    need: Floats  # what kind of loan is wanted
    is_annoyed: NDArray[np.bool_]  # sleeping dogs: an ad puts them off
    region: Ints
    registered_us: Ints
    ring: Ints  # -1: none
    device: Ints  # the person whose device it is

    @property
    def count(self) -> int:
        """How many people."""
        return len(self.intent)

    def trait(self, conf: MarketConf, name: str) -> Floats:
        """A hidden trait by its name in the conf; `aff_<channel>` is standardised. KeyError for no such trait."""
        if name.startswith("aff_"):
            names = [channel.name for channel in conf.channels]
            values: Floats = self.affinity[:, names.index(name.removeprefix("aff_"))] / AFFINITY_SD
            return values
        if name in ("taste_1", "taste_2"):
            return self.taste[:, int(name[-1]) - 1]
        return {
            "intent": self.intent,
            "risk": self.risk,
            "income": self.income,
            "reachable": self.reachable,
            "hidden": self.hidden,
            "group": self.group,
            "tier": self.tier,
            "need": self.need,
        }[name]

    @property
    def is_ring(self) -> NDArray[np.bool_]:
        """Whether a person belongs to a fraud ring."""
        return self.ring >= 0


def draw_people(conf: MarketConf, dice: Dice, calendar: Calendar, ring: Ints) -> People:
    """Everybody's traits; ring members look eager, safe and alike, as seeds for look-alikes would be wished."""
    who = np.arange(conf.people)
    is_ring = ring >= 0
    intent = np.where(is_ring, 1.2 + 0.4 * dice.normal("intent", who), dice.normal("intent", who))
    own = np.sqrt(1 - RISK_CORRELATION**2) * dice.normal("risk", who)
    risk = np.where(is_ring, -1.2 + 0.4 * dice.normal("risk", who), RISK_CORRELATION * intent + own)
    tier = dice.normal("tier", who)
    group = (dice.uniform("group", who) < 0.2).astype(np.float64)
    channels = np.arange(len(conf.channels))
    return People(
        intent=intent,
        risk=risk,
        income=dice.normal("income", who) - 0.3 * group,
        reachable=dice.normal("reachable", who),
        hidden=0.5 * intent + np.sqrt(0.75) * dice.normal("hidden", who),
        group=group,
        tier=tier,
        affinity=AFFINITY_SD * dice.normal("affinity", who[:, None], channels[None, :]),
        taste=dice.normal("taste", who[:, None], np.arange(2)[None, :]),
        need=dice.normal("need", who),
        is_annoyed=dice.uniform("annoyed", who) < conf.sleeping_dogs,
        region=dice.pick("region", len(conf.regions), np.where(is_ring, -1 - ring, who)),
        registered_us=_registered(dice, calendar, who, ring),
        ring=ring,
        device=_device(conf, dice, who),
    )


def _registered(dice: Dice, calendar: Calendar, who: Ints, ring: Ints) -> Ints:
    """Microseconds UTC of each registration; a ring registers together, most others before the first wave."""
    key = np.where(ring >= 0, -1 - ring, who)
    book, first, end = (
        int(month_start([month])[0]) for month in (calendar.book_month, calendar.first_month, calendar.end_month)
    )
    is_new = dice.uniform("newcomer", key) < NEWCOMER_SHARE
    place = dice.uniform("registered", key)
    day = np.where(is_new, first + place * (end - first), book + place * (first - book))
    own_us = (dice.uniform("registered_own", who) * DAY_US).astype(np.int64)
    at: Ints = np.floor(day).astype(np.int64) * DAY_US + own_us
    return at


def _device(conf: MarketConf, dice: Dice, who: Ints) -> Ints:
    """Whose device a person uses: a share of people use the one of the person before them."""
    shares = (dice.uniform("household", who) < conf.shared_device_share / 2) & (who > 0)
    device: Ints = np.where(shares, who - 1, who)
    return device


def prospect_people(conf: MarketConf, dice: Dice) -> Ints:
    """The person behind each prospect record: one each, then a second record for a share of people."""
    who = np.arange(conf.people)
    second = who[dice.uniform("second_record", who) < conf.duplicate_share]
    return np.concatenate([who, second])
