"""How funded loans age: who is late when, and the lender's statement of every month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.market.calendar import day_of, month_of, month_start
from jobs.market.dice import Floats, Ints, sigmoid
from jobs.market.effects import effect
from jobs.market.rings import DEFAULT_SHARE
from jobs.market.world import World

HAZARD = np.array([1.0, 1.25, 1.3, 1.2, 1.05, 0.95, 0.75, 0.55, 0.35])  # months 4 to 12
FIRST_LATE_MONTH = 4
CHARGE_OFF_AFTER = 3  # months past the first over 90 days
BLIP_SHARE = 0.06  # loans that are once one or two months behind and cure


@dataclass(frozen=True)
class Ageing:
    """By loan: the month on book it first stands over 90 days past due (0: never), and confirmed fraud."""

    late_month: Ints
    is_fraud: NDArray[np.bool_]
    blip_month: Ints
    loss_share: Floats
    jitter: Ints  # 0 to 19, so that days past due are not all alike


@dataclass(frozen=True)
class Statements:
    """One row per loan and month end; money in minor units."""

    loan: Ints  # index into the loans given
    as_of_day: Ints
    months_on_book: Ints
    days_past_due: Ints
    balance: Ints
    past_due: Ints
    charged_off: Ints
    recovered: Ints
    is_fraud: NDArray[np.bool_]


def late_chance(world: World, person: Ints, month: Ints | int) -> Floats:
    """P(ever over 90 days past due by month 12 | funded in `month`) of `person` (indices)."""
    conf, people = world.conf, world.people
    level, risk, intent = conf.response.late
    added = effect(conf, people, person, "late") + world.drift.late(np.asarray(month))
    honest = sigmoid(level + risk * people.risk[person] + intent * people.intent[person] + added)
    chance: Floats = np.where(people.is_ring[person], DEFAULT_SHARE + (1 - DEFAULT_SHARE) * honest, honest)
    return chance


def age(world: World, person: Ints, funded_us: Ints) -> Ageing:
    """What will become of each loan; draws are keyed by person and time of funding."""
    dice = world.dice
    key = (person, funded_us)
    u = dice.uniform("late", *key)
    is_fraud = world.people.is_ring[person] & (u < DEFAULT_SHARE)
    is_late = u < late_chance(world, person, month_of(day_of(funded_us)))
    month = FIRST_LATE_MONTH + np.searchsorted(np.cumsum(HAZARD / HAZARD.sum()), dice.uniform("late_month", *key))
    month = np.minimum(month, FIRST_LATE_MONTH + len(HAZARD) - 1)
    late_month = np.where(is_late, np.where(is_fraud, FIRST_LATE_MONTH, month), 0)
    has_blip = (dice.uniform("blip", *key) < BLIP_SHARE) & ~is_late
    return Ageing(
        late_month=late_month,
        is_fraud=is_fraud,
        blip_month=np.where(has_blip, 1 + dice.pick("blip_month", 10, *key), 0),
        loss_share=0.55 + 0.20 * dice.uniform("loss", *key),
        jitter=dice.pick("dpd_jitter", 20, *key),
    )


def statements(
    funded_us: Ints, principal: Ints, term: Ints, ageing: Ageing, from_month: int, until_month: int
) -> Statements:
    """Statements of the month ends from_month..until_month (months since 1970-01, inclusive), minor units."""
    funded_month = month_of(day_of(funded_us))
    first = np.maximum(funded_month, from_month)
    # a late loan is still on the books after its term, until it is charged off and partly recovered
    last = np.minimum(funded_month + term + np.where(ageing.late_month > 0, CHARGE_OFF_AFTER + 1, 0), until_month)
    count = np.maximum(last - first + 1, 0)
    loan = np.repeat(np.arange(len(principal)), count)
    month = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[loan]
    mob = month - funded_month[loan]
    late, blip, jitter = ageing.late_month[loan], ageing.blip_month[loan], ageing.jitter[loan]
    missed = np.where(late > 0, np.maximum(mob - (late - FIRST_LATE_MONTH), 0), 0)  # instalments missed so far
    dpd = np.where(missed > 0, 30 * missed - 25 + jitter % 5, 0)  # four missed: 95 to 99 days past due
    in_blip = (blip > 0) & ((mob == blip) | ((mob == blip + 1) & (jitter % 2 == 0)))
    dpd = np.where(in_blip, 5 + 30 * (mob - blip) + jitter, dpd)
    behind = np.where(in_blip, mob - blip + 1, missed)
    instalment = principal[loan] // term[loan]
    paid = np.clip(mob - behind, 0, term[loan])
    owed = np.where(paid >= term[loan], 0, principal[loan] - paid * instalment)
    is_off = (late > 0) & (mob >= late + CHARGE_OFF_AFTER)
    recovered = np.where(mob >= late + CHARGE_OFF_AFTER + 1, owed * (1 - ageing.loss_share[loan]), 0).astype(np.int64)
    return Statements(
        loan=loan,
        as_of_day=month_start(month + 1) - 1,
        months_on_book=mob,
        days_past_due=dpd,
        balance=np.where(is_off, 0, owed),
        past_due=np.where(is_off, 0, np.minimum(behind * instalment, owed)),
        charged_off=np.where(is_off, owed, 0),
        recovered=np.where(is_off, recovered, 0),
        is_fraud=ageing.is_fraud[loan] & (mob >= 3),
    )
