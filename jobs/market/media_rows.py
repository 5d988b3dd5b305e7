"""Landing rows of a wave: assignments, touches, spend with its restatements, deliveries, creatives, exchange rates."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pyarrow as pa

from jobs.market.calendar import day_of, month_of, month_start
from jobs.market.columns import constant, days, hex_bytes, labels, moments, money, text, where
from jobs.market.creatives import FORMATS, TONES, TOPICS
from jobs.market.dice import Floats, Ints
from jobs.market.identities import Identities
from jobs.market.people_rows import campaign_name
from jobs.market.wave import Audience, WaveEvents
from jobs.market.world import World

LATE_DAYS = 3
RESTATED_SHARE, RESTATED_AFTER = 0.15, 4
KINDS = ("impression", "message", "click")


def assignment_rows(
    ids: pa.Array,
    day: Ints,
    channel: pa.Array,
    propensity: Floats,
    policy: pa.Array,
    role: pa.Array,
    audience: pa.Array,
) -> tuple[pa.Table, Ints]:
    """Assignments and the day after, when they are known; a propensity of nan is unknown."""
    table = pa.table(
        {
            "prospect_id": ids,
            "assigned_day": days(day),
            "channel": channel,
            "propensity": pa.array(propensity, mask=np.isnan(propensity)),
            "policy": policy,
            "role": role,
            "audience": audience,
        }
    )
    return table, day + 1


def touches(world: World, ids: Identities, events: WaveEvents) -> tuple[pa.Table, Ints]:
    """Exposures and clicks, with the day each is known; some postbacks come late, some twice."""
    exposed, clicked = events.exposure, events.click
    rows = _joined(exposed, clicked)
    count, shown = len(rows.person), len(exposed.person)
    at = np.concatenate([events.exposure_us, events.click_us])
    is_click = np.arange(count) >= shown
    dice, channels = world.dice, world.conf.channels
    first = (dice.words("exposure", exposed.person, exposed.channel, exposed.day) >> np.uint64(2)).astype(np.int64)
    number = np.concatenate([first, events.click_word]).astype(np.uint64)
    is_message = np.array([c.cost_model == "contact" for c in channels])[rows.channel]
    kind = np.where(is_click, 2, is_message * 1)
    by = np.array([("device", "cookie", "phone").index(c.touch_id) for c in channels])[rows.channel]
    contact = ids.contact(rows.person)
    table = pa.table(
        {
            "touch_id": text(count, "t", hex_bytes(number)),
            "occurred_at": moments(at),
            "channel": labels([c.name for c in channels], rows.channel),
            "campaign": _campaign(world, rows),
            "kind": labels(KINDS, kind),
            "ad_group": _ad_group(world, rows.creative, rows.channel),
            "creative": labels(world.creatives.name, rows.creative),
            "placement": _placement(world, rows.creative, rows.channel),
            "id_phone": where(by == 2, contact["id_phone"]),
            "id_phone_sha256": where(by == 2, contact["id_phone_sha256"]),
            "id_device": where(by == 0, ids.device(rows.person)),
            "id_cookie": where((by == 1) | (is_click & (by == 0)), ids.cookie(rows.person, month_of(day_of(at)))),
            "id_click": where(is_click, text(count, "c", hex_bytes(number))),
        }
    )
    known = day_of(at) + 1
    signed = number.astype(np.int64)
    known = known + LATE_DAYS * (dice.uniform("late_postback", signed) < world.conf.late_postbacks)
    twice = np.flatnonzero(dice.uniform("second_postback", signed) < world.conf.duplicated_postbacks)
    again = known[twice] + dice.pick("second_day", 2, signed[twice])
    return pa.concat_tables([table, table.take(pa.array(twice))]), np.concatenate([known, again])


def spend(world: World, events: WaveEvents) -> tuple[pa.Table, Ints, pa.Table, Ints]:
    """Daily spend and the day after it; then the restated rows and the later day those are known."""
    day, rows, measures = _spend_cells(world, events)
    cost = _minor(world, rows.channel, measures[0])
    table = _spend_table(world, day, rows, cost, measures)
    again = np.flatnonzero(world.dice.uniform("restated", rows.day, rows.creative, rows.channel, day) < RESTATED_SHARE)
    lower = cost - cost * 3 // 100
    restated = _spend_table(world, day, rows, lower, measures).take(pa.array(again))
    return table, day + 1, restated, day[again] + RESTATED_AFTER


def _spend_cells(world: World, events: WaveEvents) -> tuple[Ints, Audience, list[Floats]]:
    """Cost (base currency), impressions, clicks and claimed conversions by day, channel, creative and wave."""
    exposed, clicked, applied = events.exposure, events.click, events.apply
    rows = _joined(_joined(exposed, clicked), applied)
    day = np.concatenate([day_of(events.exposure_us), day_of(events.click_us), day_of(events.apply_us)])
    levels = np.array([c.is_campaign_level for c in world.conf.channels])
    creative = np.where(levels[rows.channel], -1, rows.creative)
    shown, clicks, applies = len(exposed.person), len(clicked.person), len(applied.person)
    claimed = 1.0 + (world.dice.uniform("over_claim", events.apply_word) < 0.25)
    zero = np.zeros
    measures = [
        np.concatenate([events.exposure_cost, events.click_cost, zero(applies)]),
        np.concatenate([events.exposure_count.astype(np.float64), zero(clicks + applies)]),
        np.concatenate([zero(shown), np.ones(clicks), zero(applies)]),
        np.concatenate([zero(shown + clicks), claimed]),
    ]
    span = len(world.creatives.channel) + 1
    cell = ((rows.day * 4096 + (day - rows.day)) * len(levels) + rows.channel) * span + creative + 1
    _, first, which = np.unique(cell, return_index=True, return_inverse=True)
    totals: list[Floats] = [
        np.bincount(which, weights=values, minlength=len(first)).astype(np.float64) for values in measures
    ]
    chosen = rows.take(first)
    return day[first], replace(chosen, creative=creative[first]), totals


def _minor(world: World, channel: Ints, cost: Floats) -> Ints:
    """Base currency to minor units of the currency the channel bills in."""
    rates = np.array([world.conf.fx.get(c.currency or "", 1.0) for c in world.conf.channels])
    minor: Ints = np.rint(cost / rates[channel] * 100).astype(np.int64)
    return minor


def _spend_table(world: World, day: Ints, rows: Audience, cost: Ints, measures: list[Floats]) -> pa.Table:
    currencies = [c.currency or world.conf.currency for c in world.conf.channels]
    whole = [np.rint(values).astype(np.int64) for values in measures]
    return pa.table(
        {
            "spend_day": days(day),
            "channel": labels([c.name for c in world.conf.channels], rows.channel),
            "campaign": _campaign(world, rows),
            "ad_group": _ad_group(world, rows.creative, rows.channel),
            "creative": labels(world.creatives.name, rows.creative),
            "cost": money(cost),
            "currency": labels(currencies, rows.channel),
            "impressions": pa.array(whole[1]),
            "clicks": pa.array(whole[2]),
            "platform_conversions": pa.array(whole[3]),
        }
    )


def deliveries(
    world: World, channel: Ints, audience: list[str], day: int, uploaded: Ints, matched: Ints
) -> tuple[pa.Table, Ints]:
    """What each channel says became of an upload, known on the day it says so."""
    count, names = len(channel), [c.name for c in world.conf.channels]
    reported = np.full(count, day + 1)
    table = pa.table(
        {
            "channel": labels(names, channel),
            "audience": pa.array(audience, type=pa.string()),
            "reported_day": days(reported),
            "campaign": pa.array([campaign_name(names[c], day) for c in channel], type=pa.string()),
            "ad_group": pa.nulls(count, pa.string()),
            "uploaded": pa.array(uploaded),
            "matched": pa.array(matched),
            "status": constant("completed", count),
            "message": pa.nulls(count, pa.string()),
        }
    )
    return table, reported


def creatives(world: World) -> tuple[pa.Table, Ints]:
    """Every creative with its features, and the day each is known: five days before it first runs."""
    made, channels = world.creatives, world.conf.channels
    count = len(made.channel)
    begins = month_start(made.first_month)
    table = pa.table(
        {
            "creative": pa.array(made.name, type=pa.string()),
            "channel": labels([c.name for c in channels], made.channel),
            "placement": _placement(world, np.arange(count), made.channel),
            "format": labels(FORMATS, made.format),
            "first_day": days(begins),
            "topic": labels(TOPICS, made.topic),
            "tone": labels(TONES, made.tone),
            "has_rate": labels(("no", "yes"), made.has_rate),
            "words": pa.array(made.words),
        }
    )
    return table, np.maximum(begins - 5, world.calendar.first)


def fx_rates(world: World, first: int, last: int) -> tuple[pa.Table, Ints]:
    """A rate a day and currency, within one per cent of its mean; known the same day."""
    names = sorted(world.conf.fx)
    day = np.repeat(np.arange(first, last + 1), len(names))
    currency = np.tile(np.arange(len(names)), last - first + 1)
    mean = np.array([world.conf.fx[name] for name in names])
    wave = 0.006 * np.sin(day / 29.0 + currency) + 0.004 * (world.dice.uniform("fx", day, currency) - 0.5)
    table = pa.table(
        {
            "rate_day": days(day),
            "currency": labels(names, currency),
            "rate": pa.array(np.round(mean[currency] * (1 + wave), 6)),
        }
    )
    return table, day


def _joined(first: Audience, second: Audience) -> Audience:
    return Audience(*(np.concatenate([getattr(first, f.name), getattr(second, f.name)]) for f in fields(Audience)))


def _campaign(world: World, rows: Audience) -> pa.Array:
    waves = np.unique(rows.day)
    names = [campaign_name(c.name, int(day)) for day in waves for c in world.conf.channels]
    return labels(names, np.searchsorted(waves, rows.day) * len(world.conf.channels) + rows.channel)


def _placement(world: World, creative: Ints, channel: Ints) -> pa.Array:
    return _by_placement(world, creative, channel, "{placement}", False)


def _ad_group(world: World, creative: Ints, channel: Ints) -> pa.Array:
    return _by_placement(world, creative, channel, "{channel}-{placement}", True)


def _by_placement(world: World, creative: Ints, channel: Ints, pattern: str, only_detailed: bool) -> pa.Array:
    """A name by the creative's placement; null without a creative, or where a channel reports by campaign only."""
    channels = world.conf.channels
    names = [pattern.format(channel=c.name, placement=p) for c in channels for p in c.placements]
    start = np.cumsum([0, *(len(c.placements) for c in channels)])[:-1]
    hidden = np.array([c.is_campaign_level and only_detailed for c in channels])
    place = world.creatives.placement[np.maximum(creative, 0)]
    return labels(names, np.where((creative < 0) | hidden[channel], -1, start[channel] + place))
