"""A new market: its book, the incumbent's waves, what landed of them, and the truth beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from jobs.market import media_rows, people_rows
from jobs.market.calendar import DAY_US, as_date
from jobs.market.columns import constant, labels
from jobs.market.conf import MarketConf
from jobs.market.default import late_chance
from jobs.market.dice import Ints
from jobs.market.headline import headline_rows
from jobs.market.identities import Identities
from jobs.market.incumbent import HOLDOUT, ROLES, Assigned, assign
from jobs.market.ladder import climb
from jobs.market.landing import LandingWriter
from jobs.market.ledger import (
    ORGANIC,
    REGISTRATION,
    Ledger,
    Standing,
    empty_ledger,
    joined,
    standing,
    write_ledger,
)
from jobs.market.life import organic_moments, registration_moments, settle
from jobs.market.publish import Publisher
from jobs.market.state import SETTLE_DAYS, MarketSummary, begin, read_summary, write_summary
from jobs.market.tally import Tally
from jobs.market.truth import Arms, all_arms, prospect_ids, write_truth
from jobs.market.wave import join_events, play_wave
from jobs.market.world import World

Progress = Callable[[str], None]


def new_market(conf: MarketConf, landing: Path, truth: Path, progress: Progress) -> MarketSummary:
    """Make a market's history in LANDING and its truth in TRUTH; an equal one already there is left as it is.

    An interrupted call is completed by the same call. Raises UsageError when a folder holds something else.
    """
    found = read_summary(conf, truth)
    if found is not None:
        progress("the market is there already: nothing written")
        return found
    begin(conf, landing, truth)
    world = World(conf)
    progress(f"drew {world.people.count:,} people and {len(world.creatives.name)} creatives")
    end = world.calendar.end
    writer = LandingWriter(landing, conf.file_format, end)
    publisher = Publisher(world, Identities(world), writer, "history", end)
    arms = all_arms(world)
    tally = Tally(world)
    ledger = _live(publisher, tally, arms, progress)
    publisher.book(ledger, world.calendar.book_month, world.calendar.end_month, is_new=True)
    _write_standing(publisher)
    progress("wrote the book, the prospects and what they allow")
    is_customer = standing(conf.people, ledger).since < DAY_US * (end + 1)
    arms.funded[is_customer] = 0.0
    write_truth(world, truth, arms)
    write_ledger(ledger, truth / "ledger.parquet")
    tally.write_history(truth / "history.parquet")
    ladder = climb(conf, arms, late_chance(world, np.arange(conf.people), world.campaign_month))
    writer.close()
    progress("wrote the truth")
    return write_summary(conf, truth, writer.rows, headline_rows(world, ledger, tally), ladder, as_date(end))


def _live(publisher: Publisher, tally: Tally, arms: Arms, progress: Progress) -> Ledger:
    """Every month of the book and of the waves, one after the other."""
    world = publisher.world
    calendar = world.calendar
    parts: list[Ledger] = []
    now = standing(world.people.count, empty_ledger())
    for month in range(calendar.book_month, calendar.end_month + 1):
        organic = organic_moments(world, month)
        unasked = {ORGANIC: organic, REGISTRATION: registration_moments(world, month)}
        events = join_events([])
        if month >= calendar.first_month:
            day = calendar.wave_day(month)
            assigned = assign(world, day, candidates(world, day, now))
            sent = assigned.audience.take(np.flatnonzero(assigned.role != HOLDOUT))
            events = play_wave(world, sent, organic)
            wave = replace(publisher, part=f"wave-{as_date(day):%Y%m%d}")
            _write_assigned(wave, assigned, day)
            wave.media(events)
            tally.add(assigned, events, arms)
            organic[events.put_off] = 0
            progress(f"played the wave of {as_date(day)}: {len(assigned.role):,} assigned")
        parts.append(settle(world, unasked, events, now.since, now.last, calendar.end + SETTLE_DAYS))
        now = now.after(parts[-1])
    return joined(parts)


def candidates(world: World, day: int, now: Standing) -> Ints:
    """People the lender knows by its latest snapshot, may contact, and neither serves nor has just declined."""
    at = day * DAY_US
    shown = max(snapshot for snapshot in people_rows.snapshot_days(world) if snapshot <= day)
    may = (world.people.registered_us < shown * DAY_US) & (now.since > at) & (now.waiting <= at)
    found: Ints = np.flatnonzero(may & (world.consent.contactable(at) == 1))
    return found


def _write_assigned(publisher: Publisher, assigned: Assigned, day: int) -> None:
    """Write a history wave's assignments and what the channels matched of them."""
    names = [channel.name for channel in publisher.world.conf.channels]
    audience, role = assigned.audience, assigned.role
    lists = [f"incumbent-{as_date(day):%Y%m%d}-{name}" for name in (*names, "holdout")]
    place = np.where(audience.channel < 0, len(names), audience.channel)
    rows, known = media_rows.assignment_rows(
        prospect_ids(audience.person),
        audience.day,
        labels((*names, "none"), place),
        assigned.propensity,
        constant("incumbent", len(role)),
        labels(ROLES, role),
        labels(lists, place),
    )
    publisher.rows("assignments", rows, known)
    uploaded = np.bincount(audience.channel[audience.channel >= 0], minlength=len(names))
    channel = np.flatnonzero(uploaded)
    publisher.deliveries(channel, [lists[c] for c in channel], uploaded[channel], day)


def _write_standing(publisher: Publisher) -> None:
    """Write what no wave changes: prospects, consents, suppressions, creatives, exchange rates."""
    world, ids = publisher.world, publisher.ids
    calendar = world.calendar
    records = people_rows.prospect_records(world, ids)
    for day in people_rows.snapshot_days(world):
        snapshot = people_rows.prospects_snapshot(world, ids, records, day)
        publisher.rows("prospects", snapshot, np.full(len(snapshot), day))
    publisher.rows("consents", *people_rows.consents(world, ids))
    replace(publisher, part="standing").rows("suppressions", *people_rows.standing_suppressions(world, ids))
    publisher.rows("creatives", *media_rows.creatives(world))
    if world.conf.fx:
        publisher.rows("fx_rates", *media_rows.fx_rates(world, calendar.first, calendar.end))
