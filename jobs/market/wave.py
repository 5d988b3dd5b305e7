"""One wave played: who is reached, who clicks, who applies, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from jobs.market.calendar import DAY_US, WINDOW_DAYS
from jobs.market.creatives import pull
from jobs.market.dice import Floats, Ints
from jobs.market.funnel import apply_delay
from jobs.market.response import respond
from jobs.market.world import World

MINUTE_US = 60_000_000


@dataclass(frozen=True)
class Audience:
    """Who is put on which channel's list, with which creative, on which day."""

    person: Ints
    channel: Ints
    creative: Ints
    day: Ints

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
        nobody = Audience(none, none, none, none)
        money = none.astype(np.float64)
        return WaveEvents(nobody, none, none, money, nobody, none, none, money, nobody, none, none)

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
    rows = rows.take(reached)
    key = (rows.person, rows.channel, rows.day)
    clicks, apply, price = answer.clicks[reached], answer.apply[reached], answer.price[reached]
    clicks = clicks * pull(world.people, world.creatives, rows.person, rows.creative)
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
    converts = np.flatnonzero(dice.uniform("apply", *click_key) < apply[owner])
    latest = start_us[owner] + (WINDOW_DAYS - 1) * DAY_US
    apply_us = apply_delay(dice, click_us, latest, *click_key)[converts]

    taken = _harvested(world, rows, media.harvest, organic_us)
    taken_us = organic_us[rows.person[taken]]
    taken_word = (dice.words("harvest_click", *(k[taken] for k in key)) >> np.uint64(2)).astype(np.int64)
    owner = np.concatenate([owner, taken])
    per_click = price[owner] if media.cost_model == "cpc" else np.zeros(len(owner))
    word = np.concatenate([word, taken_word])
    noise = conf.response.price_noise
    per_click = per_click * np.exp(noise * dice.normal("price", word) - noise**2 / 2)
    units = {"cpc": np.zeros(len(count)), "cpm": exposures.astype(np.float64), "contact": np.ones(len(count))}
    click_rows = rows.take(owner)
    return WaveEvents(
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
    )


def _harvested(world: World, rows: Audience, share: float, organic_us: Ints) -> Ints:
    """Rows whose organic application comes through the ad instead: paid for, and not won by it."""
    organic = organic_us[rows.person]
    start = (rows.day + 1) * DAY_US
    inside = (organic >= start) & (organic < start + (WINDOW_DAYS - 1) * DAY_US)
    coin = world.dice.uniform("harvest", rows.person, rows.channel, rows.day) < share
    taken: Ints = np.flatnonzero(inside & coin)
    return taken
