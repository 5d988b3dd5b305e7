"""One wave played: who is reached, who clicks, who applies, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from jobs.market.calendar import DAY_US, WINDOW_DAYS, month_of
from jobs.market.creatives import pull
from jobs.market.dice import Floats, Ints
from jobs.market.funnel import apply_delay
from jobs.market.response import expected_price, load_factor, respond
from jobs.market.world import World

MINUTE_US = 60_000_000
ANYONE = -1  # no partner chosen


@dataclass(frozen=True)
class Audience:
    """Who is put on which channel's list, with which creative, on which day, for which partner."""

    person: Ints
    channel: Ints
    creative: Ints
    day: Ints
    partner: Ints

    def take(self, index: object) -> Audience:
        """The rows chosen by a mask or an index."""
        return Audience(*(getattr(self, field.name)[index] for field in fields(self)))


@dataclass(frozen=True)
class WaveEvents:
    """Arrays by reached person (exposure_*), by click (click_*) and by application (apply_*)."""

    exposure: Audience
    exposure_us: Ints
    exposure_count: Ints
    exposure_cost: Floats  # base currency, for channels that charge by exposure or contact
    click: Audience
    click_us: Ints
    click_word: Ints
    click_cost: Floats  # base currency, for channels that charge by click
    apply: Audience
    apply_us: Ints
    apply_word: Ints
    put_off: Ints  # people whose application of their own this wave prevented


def play_wave(world: World, audience: Audience, organic_us: Ints) -> WaveEvents:
    """Play an audience out; `organic_us` (by person, 0 for none) is when each applies unasked this month."""
    parts = []
    for channel in range(len(world.conf.channels)):
        rows = audience.take(np.flatnonzero(audience.channel == channel))
        if len(rows.person):
            parts.append(_play_channel(world, rows, channel, organic_us))
    return join_events(parts)


def join_events(parts: list[WaveEvents]) -> WaveEvents:
    """Several waves' events as one."""
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        nobody = Audience(none, none, none, none, none)
        money = none.astype(np.float64)
        return WaveEvents(nobody, none, none, money, nobody, none, none, money, nobody, none, none, none)

    def join(name: str) -> object:
        values = [getattr(part, name) for part in parts]
        if isinstance(values[0], Audience):
            return Audience(*(np.concatenate([getattr(v, f.name) for v in values]) for f in fields(Audience)))
        return np.concatenate(values)

    return WaveEvents(**{field.name: join(field.name) for field in fields(WaveEvents)})  # type: ignore[arg-type]


def _play_channel(world: World, rows: Audience, channel: int, organic_us: Ints) -> WaveEvents:
    conf, dice, media = world.conf, world.dice, world.conf.channels[channel]
    key = (rows.person, rows.channel, rows.day)
    answer = respond(conf, world.people, rows.person, channel)
    reached = np.flatnonzero(dice.uniform("reach", *key) < answer.reach)
    factor = load_factor(conf, channel, len(rows.person))
    rows = rows.take(reached)
    key = (rows.person, rows.channel, rows.day)
    clicks, apply, price = answer.clicks[reached], answer.apply[reached], answer.price[reached]
    month = month_of(rows.day + 1)
    price = price * factor * world.drift.price(month)
    clicks = clicks * pull(conf, world.people, world.creatives, rows.person, rows.creative, month)
    is_annoyed = world.people.is_annoyed[rows.person]
    count = dice.poisson("clicks", clicks, *key)
    start_us = (rows.day + 1) * DAY_US
    exposure_us = start_us + (dice.uniform("exposure_time", *key) * 9.5 * DAY_US).astype(np.int64)
    exposures = np.maximum(1, dice.poisson("exposures", np.full(len(count), media.exposures), *key))
    exposures = np.maximum(exposures, count)

    owner = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    click_key = (*(k[owner] for k in key), place)
    wait = dice.uniform("click_time", *click_key) ** 3 * 2 * DAY_US
    click_us = exposure_us[owner] + MINUTE_US + wait.astype(np.int64)
    word = (dice.words("click", *click_key) >> np.uint64(2)).astype(np.int64)
    converts = np.flatnonzero(dice.uniform("apply", *click_key) < np.where(is_annoyed, 0.0, apply)[owner])
    latest = start_us[owner] + (WINDOW_DAYS - 1) * DAY_US
    apply_us = apply_delay(dice, click_us, latest, *click_key)[converts]

    unasked = _unasked(rows, organic_us)
    is_lost = is_annoyed & (dice.uniform("put_off", *key) < conf.response.annoyance)
    taken = np.flatnonzero(unasked & ~is_lost & (dice.uniform("harvest", *key) < media.harvest))
    taken_us = organic_us[rows.person[taken]]
    taken_word = (dice.words("harvest_click", *(k[taken] for k in key)) >> np.uint64(2)).astype(np.int64)
    owner = np.concatenate([owner, taken])
    per_click = price[owner] if media.cost_model == "cpc" else np.zeros(len(owner))
    word = np.concatenate([word, taken_word])
    noise = conf.response.price_noise
    per_click = per_click * np.exp(noise * dice.normal("price", word) - noise**2 / 2)
    units = {"cpc": np.zeros(len(count)), "cpm": exposures.astype(np.float64), "contact": np.ones(len(count))}
    click_rows = rows.take(owner)
    won = WaveEvents(
        exposure=rows,
        exposure_us=exposure_us,
        exposure_count=exposures,
        exposure_cost=units[media.cost_model] * price,
        click=click_rows,
        click_us=np.concatenate([click_us, taken_us - 5 * MINUTE_US]),
        click_word=word,
        click_cost=per_click,
        apply=click_rows.take(np.concatenate([converts, np.arange(len(click_us), len(owner))])),
        apply_us=np.concatenate([apply_us, taken_us]),
        apply_word=np.concatenate([word[converts], taken_word]),
        put_off=rows.person[unasked & is_lost],
    )
    return _with_detours(world, won, len(converts))


def _unasked(rows: Audience, organic_us: Ints) -> NDArray[np.bool_]:
    """Rows whose person applies unasked within the window."""
    organic = organic_us[rows.person]
    start = (rows.day + 1) * DAY_US
    inside: NDArray[np.bool_] = (organic >= start) & (organic < start + (WINDOW_DAYS - 1) * DAY_US)
    return inside


def _with_detours(world: World, events: WaveEvents, won: int) -> WaveEvents:
    """The same with the second clicks: of the first `won` applications a share comes by way of another channel."""
    conf, dice = world.conf, world.dice
    place = next((k for k, media in enumerate(conf.channels) if media.name == conf.detour_channel), None)
    if place is None or not won:
        return events
    by = events.apply_word[:won]
    turned = (dice.uniform("detour", by) < conf.detour_share) & (events.apply.channel[:won] != place)
    rows = np.flatnonzero(turned)
    there = events.apply.take(rows)
    channel = np.full(len(rows), place)
    creative = place * world.creatives.per_channel + np.zeros(len(rows), dtype=np.int64)
    word = (dice.words("detour_click", by[rows]) >> np.uint64(2)).astype(np.int64)
    noise = conf.response.price_noise
    cost = expected_price(conf, world.people, there.person, place) * world.drift.price(month_of(there.day + 1))
    cost = cost * np.exp(noise * dice.normal("price", word) - noise**2 / 2)
    apply_word = events.apply_word.copy()
    apply_word[rows] = word
    clicked = replace(there, channel=channel, creative=creative)
    return replace(
        events,
        click=Audience(
            *(np.concatenate([getattr(events.click, f.name), getattr(clicked, f.name)]) for f in fields(Audience))
        ),
        click_us=np.concatenate([events.click_us, events.apply_us[rows] - 2 * MINUTE_US]),
        click_word=np.concatenate([events.click_word, word]),
        click_cost=np.concatenate([events.click_cost, cost]),
        apply_word=apply_word,
    )
