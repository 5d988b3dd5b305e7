"""A month of the market: who applies unasked, who applies on registering, and how the month's applications end."""

from __future__ import annotations

import numpy as np

from jobs.market.calendar import DAY_US, HOUR_US, WINDOW_DAYS, day_of, month_of, month_start
from jobs.market.dice import Ints
from jobs.market.funnel import decide
from jobs.market.ledger import Ledger
from jobs.market.rings import BURST_HOURS
from jobs.market.wave import ANYONE, WaveEvents
from jobs.market.world import World


def organic_moments(world: World, month: int) -> Ints:
    """By person: when they apply unasked this month, microseconds UTC, 0 for not at all."""
    who = np.arange(world.people.count)
    start, stop = (int(day) * DAY_US for day in month_start([month, month + 1]))
    applies = (world.dice.uniform("organic", who, month) < world.organic) & (world.people.registered_us < start)
    at = start + (world.dice.uniform("organic_time", who, month) * (stop - start)).astype(np.int64)
    moments: Ints = np.where(applies, at, 0)
    return moments


def registration_moments(world: World, month: int) -> Ints:
    """By person: when they apply on registering this month, 0 for not at all; a ring comes in one burst."""
    people, dice = world.people, world.dice
    who = np.flatnonzero(month_of(day_of(people.registered_us)) == month)
    chance = np.minimum(0.95, world.conf.book_applications * np.exp(0.35 * people.intent[who] - 0.06))
    is_ring = people.is_ring[who]
    applies = is_ring | (dice.uniform("registration", who) < chance)
    u = dice.uniform("registration_time", who)
    registered = people.registered_us[who]
    burst = day_of(registered) * DAY_US + DAY_US + (u * (BURST_HOURS - 24) * HOUR_US).astype(np.int64)
    at = np.where(is_ring, burst, registered + HOUR_US + (u**3 * 3 * DAY_US).astype(np.int64))
    moments = np.zeros(people.count, dtype=np.int64)
    moments[who[applies]] = at[applies]
    return moments


def settle(
    world: World, unasked: dict[int, Ints], events: WaveEvents, since_us: Ints, last_us: Ints, daily_until: int
) -> Ledger:
    """A month's applications decided: each person's first, no customer's, none within 14 days of an earlier one.

    `unasked` maps ledger.ORGANIC and ledger.REGISTRATION to moments by person; `since_us` is when each became a
    customer, `last_us` when each last applied.
    """
    person, at, channel, wave_day, partner, click = (
        [events.apply.person],
        [events.apply_us],
        [events.apply.channel],
        [events.apply.day],
        [events.apply.partner],
        [events.apply_word],
    )
    for kind, moments in unasked.items():
        who = np.flatnonzero(moments > 0)
        person.append(who)
        at.append(moments[who])
        channel.append(np.full(len(who), kind))
        wave_day.append(np.zeros(len(who), dtype=np.int64))
        partner.append(np.full(len(who), ANYONE))
        click.append(np.zeros(len(who), dtype=np.int64))
    rows = [np.concatenate(parts) for parts in (person, at, channel, wave_day, partner, click)]
    order = np.lexsort((rows[5], -rows[2], rows[1], rows[0]))
    is_free = rows[1] < since_us[rows[0]]
    is_free &= rows[1] >= last_us[rows[0]] + WINDOW_DAYS * DAY_US
    order = order[is_free[order]]
    who = rows[0][order]
    first = order[np.diff(who, prepend=-1) != 0]
    drawn = world.partners.drawn(world.dice, world.people.region[rows[0][first]], rows[0][first], rows[1][first])
    chosen = np.where(rows[4][first] == ANYONE, drawn, rows[4][first])
    made = decide(world.conf, world.dice, world.people, world.partners, rows[0][first], rows[1][first], chosen)
    return Ledger(
        person=rows[0][first],
        applied_us=rows[1][first],
        channel=rows[2][first],
        wave_day=rows[3][first],
        partner=chosen,
        click=rows[5][first],
        decision=made.decision,
        decided_us=made.decided_us,
        funded_us=made.funded_us,
        view_milli=np.rint(made.view * 1000).astype(np.int64),
        daily_until=np.full(len(first), daily_until, dtype=np.int64),
    )
