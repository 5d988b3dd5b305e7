"""Funding institutions: where they lend, what they like, what they offer, how much they take and what they pay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.market.conf import MarketConf
from jobs.market.dice import Dice, Floats, Ints

PRODUCTS = ("cash_12", "cash_18", "cash_24")
TERMS = np.array([12, 18, 24])
NEED_CUTS = np.array([-0.4307, 0.4307])  # thirds of a standard normal


@dataclass(frozen=True)
class Partners:
    """One row a partner."""

    name: tuple[str, ...]
    serves: NDArray[np.bool_]  # partners x regions
    order: Ints  # regions x partners: the serving ones first
    served: Ints  # by region: how many serve it
    level: Floats  # added to the logit of approval
    slope: Floats  # factor on how approval falls with the view of risk
    product: Ints  # -1: any
    quota: Ints  # funded loans a wave
    price: Floats  # base currency a funded loan

    @property
    def are_alike(self) -> bool:
        """Whether the choice of a partner changes nothing."""
        return bool((self.product < 0).all())

    def drawn(self, dice: Dice, region: Ints, *keys: Ints) -> Ints:
        """A partner for each application nobody chose one for: any that serves the region."""
        place = (dice.uniform("partner", *keys) * self.served[region]).astype(np.int64)
        chosen: Ints = self.order[region, place]
        return chosen

    def fit(self, conf: MarketConf, need: Floats, partner: Ints | int) -> Floats:
        """What the product adds to the logit of drawdown of people with this need."""
        wanted = np.searchsorted(NEED_CUTS, need)
        product = self.product[partner]
        gained: Floats = np.where(
            product < 0, 0.0, np.where(product == wanted, conf.finance.fit, -0.5 * conf.finance.fit)
        )
        return gained


def draw_partners(conf: MarketConf, dice: Dice) -> Partners:
    """The named partners, alike in everything, or as many drawn ones as the conf asks for."""
    count, regions = conf.finance.count, len(conf.regions)
    if not count:
        return _alike(conf)
    number = np.arange(count)
    grid = dice.uniform("serves", number[:, None], np.arange(regions)[None, :])
    serves = grid < conf.finance.serves
    serves[number, dice.pick("home_region", regions, number)] = True
    serves[number[:regions], number[:regions]] = True  # a region nobody serves would lend to nobody
    even = conf.people * 0.002 / count
    spread = np.exp(0.6 * dice.normal("quota", number) - 0.18)
    low, high = conf.finance.price
    return Partners(
        name=tuple(f"partner_{place + 1:03d}" for place in range(count)),
        serves=serves,
        order=np.argsort(~serves.T, axis=1, kind="stable").astype(np.int64),
        served=serves.sum(axis=0).astype(np.int64),
        level=conf.finance.level_sd * _spread(dice.normal("appetite", number)),
        slope=np.exp(conf.finance.slope_sd * _spread(dice.normal("steepness", number))),
        product=dice.pick("product", len(PRODUCTS), number),
        quota=np.maximum(1, np.rint(conf.finance.quota * even * spread)).astype(np.int64),
        price=low + (high - low) * dice.uniform("partner_price", number),
    )


def _spread(z: Floats) -> Floats:
    """Draws moved and stretched to mean 0 and variance 1, so that markets differ in who is which and not in level."""
    spread: Floats = (z - z.mean()) / max(float(z.std()), 1e-9)
    return spread


def _alike(conf: MarketConf) -> Partners:
    count, regions = len(conf.partners), len(conf.regions)
    return Partners(
        name=conf.partners,
        serves=np.ones((count, regions), dtype=bool),
        order=np.tile(np.arange(count), (regions, 1)),
        served=np.full(regions, count),
        level=np.zeros(count),
        slope=np.ones(count),
        product=np.full(count, -1),
        quota=np.full(count, conf.people),
        price=np.zeros(count),
    )
