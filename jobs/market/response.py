"""How a person answers a channel: reached or not, clicks, applications, and what one click or contact costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.market.calendar import WINDOW_DAYS
from jobs.market.conf import ChannelConf, MarketConf
from jobs.market.dice import Floats, Ints, logit, sigmoid
from jobs.market.effects import effect
from jobs.market.people import AFFINITY_SD, RISK_CORRELATION, People

MONTH_DAYS = 30.4375


@dataclass(frozen=True)
class Response:
    """One row per (person, channel) asked for, before the creative's pull."""

    reach: Floats
    clicks: Floats  # expected clicks in a wave, given reached
    apply: Floats  # per click
    price: Floats  # expected, per unit the channel charges for, base currency


def respond(conf: MarketConf, people: People, person: Ints, channel: int) -> Response:
    """Expected response of `person` (indices) to being put on one channel's audience for one wave."""
    shape, media = conf.response, conf.channels[channel]
    intent, affinity = people.intent[person], people.affinity[person, channel]
    own_click = effect(conf, people, person, "click", channel)
    own_apply = effect(conf, people, person, "apply", channel)
    reach = sigmoid(logit(media.reach) + shape.reach_trait * people.reachable[person] + shape.reach_affinity * affinity)
    click = shape.click_intent * intent + shape.click_affinity * affinity
    click_norm = (shape.click_intent**2 + (shape.click_affinity * AFFINITY_SD) ** 2) / 2
    apply = shape.apply_intent * intent + shape.apply_affinity * affinity
    apply_norm = (shape.apply_intent**2 + (shape.apply_affinity * AFFINITY_SD) ** 2) / 2
    return Response(
        reach=reach,
        clicks=media.exposures * media.ctr * np.exp(click - click_norm + own_click),
        apply=np.minimum(0.8, media.click_to_apply * np.exp(apply - apply_norm + own_apply)),
        price=expected_price(conf, people, person, channel),
    )


def expected_price(conf: MarketConf, people: People, person: Ints, channel: int) -> Floats:
    """Expected price per click (cpc), exposure (cpm) or contact, in base currency: rivals bid up the same people.

    As in the month after history and at the channel's usual load.
    """
    media, intent, risk = conf.channels[channel], people.intent[person], people.risk[person]
    rate = conf.fx[media.currency] if media.currency and media.currency != conf.currency else 1.0
    unit = media.price * rate / (1000.0 if media.cost_model == "cpm" else 1.0)
    if media.cost_model == "contact":
        return np.full(len(intent), unit)
    by_intent, by_risk = conf.response.price_intent, conf.response.price_risk
    variance = by_intent**2 + by_risk**2 + 2 * RISK_CORRELATION * by_intent * by_risk
    prices: Floats = unit * np.exp(
        by_intent * intent + by_risk * risk - variance / 2 + effect(conf, people, person, "price", channel)
    )
    return prices


def expected_cost(media: ChannelConf, answer: Response, mean_pull: Floats, organic: Floats) -> Floats:
    """Money spent per person put on the audience, base currency; harvested organic demand clicks too."""
    clicks = answer.clicks * mean_pull + media.harvest * organic
    cost: Floats = answer.reach * answer.price
    if media.cost_model == "cpc":
        return cost * clicks
    return cost * media.exposures if media.cost_model == "cpm" else cost


def load_factor(conf: MarketConf, channel: int, listed: float) -> float:
    """What a channel's price is multiplied with when so many people are put on it at once."""
    media = conf.channels[channel]
    usual = max(conf.usual_load * media.capacity * conf.people, 1.0)
    return float(np.clip(listed / usual, 0.05, 20.0) ** media.price_impact)


def organic_month(conf: MarketConf, people: People) -> Floats:
    """Chance that a person applies unasked within a month."""
    level, slope = conf.response.organic
    chance: Floats = sigmoid(level + slope * people.intent + effect(conf, people, np.arange(people.count), "organic"))
    return chance


def organic_window(month: Floats) -> Floats:
    """The same within the 14 days after a day of assignment."""
    chance: Floats = 1.0 - (1.0 - month) ** (WINDOW_DAYS / MONTH_DAYS)
    return chance
