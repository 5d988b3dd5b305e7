"""One market's fixed world, rebuilt from its conf whenever it is needed: people, records, creatives, consent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jobs.market.calendar import DAY_US, Calendar
from jobs.market.conf import MarketConf
from jobs.market.creatives import Creatives, draw_creatives
from jobs.market.dice import Dice, Floats, Ints
from jobs.market.drift import Drift
from jobs.market.funnel import funded_chance
from jobs.market.partners import Partners, draw_partners
from jobs.market.people import People, draw_people, prospect_people
from jobs.market.response import organic_month
from jobs.market.rings import draw_rings

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Consent:
    """By person, microseconds UTC: granted from (NEVER: not granted), no longer from, opted out from."""

    is_asked: Ints
    granted_us: Ints
    revoked_us: Ints
    opted_out_us: Ints

    def contactable(self, at_us: int) -> Ints:
        """1 where a person may be contacted at a moment."""
        allowed: Ints = ((self.granted_us <= at_us) & (self.revoked_us > at_us) & (self.opted_out_us > at_us)).astype(
            np.int64
        )
        return allowed


class World:
    """Everything about a market that no policy changes."""

    def __init__(self, conf: MarketConf) -> None:
        self.conf = conf
        self.dice = Dice(conf.seed)
        self.calendar = Calendar(conf)
        self.people: People = draw_people(conf, self.dice, self.calendar, draw_rings(conf, self.dice))
        self.prospects: Ints = prospect_people(conf, self.dice)
        self.creatives: Creatives = draw_creatives(conf, self.dice, self.calendar)
        self.partners: Partners = draw_partners(conf, self.dice)
        self.drift = Drift(conf, self.dice, self.calendar)

    @property
    def campaign_month(self) -> int:
        """The month after history, for which the truth is told."""
        return self.calendar.end_month + 1

    @cached_property
    def organic(self) -> Floats:
        """P(applies unasked within a month) by person."""
        return organic_month(self.conf, self.people)

    @cached_property
    def funded_given_apply(self) -> Floats:
        """P(approved and funded | applied) by person, when nobody chooses the partner."""
        return self._funded[1]

    @cached_property
    def approved_given_apply(self) -> Floats:
        """P(approved | applied) by person, when nobody chooses the partner."""
        return self._funded[0]

    @cached_property
    def _funded(self) -> tuple[Floats, Floats]:
        return funded_chance(self.conf, self.people, self.partners)

    @cached_property
    def consent(self) -> Consent:
        """Who may be contacted, and from when to when."""
        return _draw_consent(self)


def _draw_consent(world: World) -> Consent:
    dice, who = world.dice, np.arange(world.people.count)
    start, end = world.people.registered_us, (world.calendar.end - 2) * DAY_US
    u, v = dice.uniform("consent", who), dice.uniform("consent_time", who)
    later = start + (v * np.maximum(end - start, DAY_US)).astype(np.int64)
    opted = dice.uniform("opt_out", who) < 0.012
    moment = start + (dice.uniform("opt_out_time", who) * np.maximum(end - start, DAY_US)).astype(np.int64)
    return Consent(
        is_asked=(u < 0.97).astype(np.int64),
        granted_us=np.where(u < 0.93, start, NEVER),
        revoked_us=np.where(u < 0.03, later, NEVER),
        opted_out_us=np.where(opted, moment, NEVER),
    )
