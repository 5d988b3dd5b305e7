"""People made by Spark with scores as a lender's look: few in a thousand convert, keen ones cost more and pay worse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pyspark.sql import functions as F

from jobs.activate.allocation.narrow import LARGEST
from jobs.activate.allocation.partners import Partners
from jobs.activate.allocation.people import KIND, LUCK, Layout
from jobs.activate.allocation.program import UNITS
from jobs.activate.allocation.terms import Terms
from segments.impact import Impact

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

CHANNELS = tuple(f"c{k}" for k in range(8))
PRICE = (0.9, 1.6, 0.5, 2.4, 1.2, 0.3, 3.0, 0.7)  # mean cost of a person listed, CNY
PULL = (1.0, 1.5, 0.6, 2.0, 1.2, 0.4, 2.2, 0.8)  # clicks won, against the first channel
PLACES = (0.02, 0.015, 0.03, 0.02, 0.015, 0.03, 0.012, 0.02)  # of people, by channel
MONEY = (0.035, 0.05, 0.03, 0.025, 0.04, 0.03, 0.02, 0.025)  # budget over mean cost, of people
OPEN = 0.9  # share of people a channel can reach
MAX_LATE, GOOD_A_PERSON = 0.030, {18: 1.3e-3, 168: 1.0e-3}
PARTITIONS = 8
LENDERS, REGIONS, BANDS, SERVES = 50, 12, 25, 0.5
FUNDED_A_PERSON = 1.5e-3  # what partners' quotas and the floor are made for
MAX_GAP = {18: 1e-4, 168: 1e-3}


def lenders_for(people: int, seed: int) -> Partners:
    """Fifty partners: half of the regions each, unlike in whom they fund, quotas of which most bind, caps of each."""
    dice = np.random.default_rng(seed)
    serves = dice.random((LENDERS, REGIONS)) < SERVES
    serves[np.arange(LENDERS), np.arange(LENDERS) % REGIONS] = True
    steps = np.linspace(-1.0, 1.0, BANDS)
    liking = np.exp(0.25 * dice.normal(size=(LENDERS, 1)) + 0.3 * dice.normal(size=(LENDERS, 1)) * steps)
    rate = serves[:, :, None] * liking[:, None, :]
    rate = rate / (rate.sum(axis=0) / serves.sum(axis=0)[:, None])
    even = people * FUNDED_A_PERSON / LENDERS
    return Partners(
        names=tuple(f"partner_{m:02d}" for m in range(LENDERS)),
        pass_rate=rate.reshape(LENDERS, -1).T,
        quota=tuple(float(x) for x in even * np.exp(0.5 * dice.normal(size=LENDERS))),
        price=(0.0,) * LENDERS,
        max_late=tuple(float(x) for x in MAX_LATE * np.exp(0.15 * dice.normal(size=LENDERS))),
        max_fraud=tuple(float(x) for x in 0.0035 * np.exp(0.15 * dice.normal(size=LENDERS))),
    )


def terms_for(people: int, rows: int = 18, seed: int = 1) -> Terms:
    """Eighteen rows that all matter: places and money of eight channels, a late cap, a floor; 168: partners too."""
    return Terms(
        channels=CHANNELS,
        capacity=tuple(int(people * share) for share in PLACES),
        budget_left=tuple(people * share * price for share, price in zip(MONEY, PRICE, strict=True)),
        total_left=None,
        smallest=(0,) * 8,
        exploration=0.05,
        holdout=0.1,
        objective="volume",
        good_floor=people * GOOD_A_PERSON[rows],
        max_late_rate=MAX_LATE,
        max_fraud_rate=None,
        max_gap=MAX_GAP[rows],
        impact=Impact((0.0,) * 8, (0.0,) * 8),
        partners=lenders_for(people, seed) if rows > 18 else None,
    )


def people_of(spark: Any, people: int, layout: Layout, seed: int) -> DataFrame:
    """One narrow row a person, the same for a seed on any engine: `layout`'s columns."""

    def dice(name: str) -> Column:
        """A number in [0, 1)."""
        return F.shiftrightunsigned(F.xxhash64("id", F.lit(seed), F.lit(name)), 11) / F.lit(float(2**53))

    def normal(name: str) -> Column:
        """A standard normal number."""
        spread = F.sqrt(-2.0 * F.log(1.0 - dice(f"{name} r")))
        return spread * F.cos(F.lit(6.283185307179586) * dice(f"{name} a"))

    cells = []
    known = {"intent": normal("intent"), "risk": normal("risk")}
    ids = spark.range(0, people, 1, PARTITIONS).select("id", *[made.alias(name) for name, made in known.items()])
    for k, (price, pull) in enumerate(zip(PRICE, PULL, strict=True)):
        taste = normal(f"taste {k}")
        clicks = F.exp(0.5 * F.col("intent") + 0.6 * taste - 0.3) * F.lit(pull)
        funded = 0.0012 * clicks * F.exp(0.6 * F.col("intent") - 0.3 * F.col("risk") - 0.2)
        late = F.lit(0.035) * F.exp(0.7 * F.col("risk") + 0.2 * F.col("intent") + 0.1 * normal(f"late {k}") - 0.25)
        good = (funded - 2e-4) * (1.0 - late)
        natural = {
            "cost": clicks * F.exp(0.3 * normal(f"price {k}")) * F.lit(price / pull),
            "value": good * 567.0 - price * clicks / pull,
            "good": good,
            "late": (late - MAX_LATE) * funded,
            "fraud": F.lit(0.002) * F.exp(F.col("risk")) * funded,
            "funded": funded,
        }
        is_open = dice(f"open {k}") < OPEN
        for name in layout.quantities:
            held = F.least(F.greatest(natural[name], F.lit(-LARGEST[name])), F.lit(LARGEST[name]))
            whole = F.rint(held * F.lit(UNITS[name])).cast("bigint")
            cells.append(F.when(is_open, whole).alias(layout.column(name, k)))
    if layout.has_kind:
        band = F.least(F.greatest(F.floor((F.col("risk") + 2.5) * 5.0), F.lit(0)), F.lit(BANDS - 1))
        cells.append((F.floor(dice("region") * REGIONS) * BANDS + band).cast("int").alias(KIND))
    luck = [dice(f"luck {name}").alias(name) for name in LUCK]
    key = F.sha2(F.concat_ws(":", F.lit(seed), "id"), 256)
    return ids.select(F.substring(key, 1, 32).alias("prospect_key"), *luck, *cells).select(*layout.columns)
