"""A new market: its book, a year of the incumbent's waves, what landed of it, and the truth beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.market import book_rows, media_rows, people_rows
from jobs.market.book_rows import DECLINED_DAYS
from jobs.market.calendar import DAY_US, as_date, month_of
from jobs.market.columns import constant, labels
from jobs.market.conf import MarketConf
from jobs.market.default import late_chance
from jobs.market.dice import Floats, Ints
from jobs.market.headline import headline_rows
from jobs.market.identities import Identities
from jobs.market.incumbent import HOLDOUT, ROLES, Assigned, assign
from jobs.market.ladder import Ladder, climb
from jobs.market.landing import LandingWriter
from jobs.market.ledger import ORGANIC, REGISTRATION, Ledger, customer_since, declined_until, joined, write_ledger
from jobs.market.life import organic_moments, registration_moments, settle
from jobs.market.state import SETTLE_DAYS, MarketSummary, read_summary, refuse_if_occupied, write_summary
from jobs.market.tally import Tally
from jobs.market.truth import all_arms, prospect_ids, write_truth
from jobs.market.wave import WaveEvents, join_events, play_wave
from jobs.market.world import World

PART = "history"


@dataclass(frozen=True)
class _Wave:
    assigned: Assigned
    events: WaveEvents


def new_market(conf: MarketConf, landing: Path, truth: Path, progress: Callable[[str], None]) -> MarketSummary:
    """Make a market's history in LANDING and its truth in TRUTH; an equal market already there is left as it is.

    Raises UsageError when either folder holds something else.
    """
    found = read_summary(conf, truth)
    if found is not None:
        progress("the market is there already: nothing written")
        return found
    refuse_if_occupied(landing, truth)
    truth.mkdir(parents=True, exist_ok=True)
    world = World(conf)
    progress(f"drew {world.people.count:,} people and {len(world.creatives.name)} creatives")
    writer = LandingWriter(landing, conf.file_format, 0, world.calendar.end)
    ids = Identities(world)
    tally = Tally(world)
    arms = all_arms(world, np.zeros(world.people.count))
    ledger = _live(world, ids, writer, tally, arms, progress)
    write_book(world, ids, writer, ledger, PART, month_of([world.calendar.end])[0])
    _write_standing(world, ids, writer)
    progress("wrote the book, the prospects and what they allow")
    arms[1][customer_since(world.people.count, ledger) < DAY_US * (world.calendar.end + 1)] = 0.0
    write_truth(world, truth, arms)
    write_ledger(ledger, truth / "ledger.parquet")
    tally.write_history(truth / "history.parquet")
    ladder: Ladder = climb(world.people, arms, late_chance(conf, world.people), conf)
    writer.close()
    progress("wrote the truth")
    return write_summary(
        conf, truth, writer.rows, headline_rows(world, ledger, tally), ladder, as_date(world.calendar.end)
    )


def _live(
    world: World,
    ids: Identities,
    writer: LandingWriter,
    tally: Tally,
    arms: tuple[Floats, Floats, Floats],
    progress: Callable[[str], None],
) -> Ledger:
    """Every month of the book and of the waves, one after the other."""
    calendar, people = world.calendar, world.people.count
    parts: list[Ledger] = []
    since = customer_since(people, joined([]))
    waiting = declined_until(people, joined([]), 0)
    for month in range(calendar.book_month, calendar.end_month + 1):
        organic = organic_moments(world, month)
        unasked = {ORGANIC: organic, REGISTRATION: registration_moments(world, month)}
        events = join_events([])
        if month >= calendar.first_month:
            day = calendar.wave_day(month)
            wave = _run_wave(world, day, since, waiting, organic)
            events = wave.events
            _write_wave(world, ids, writer, wave, day)
            tally.add(wave.assigned, wave.events, arms)
            progress(f"played the wave of {as_date(day)}: {len(wave.assigned.role):,} assigned")
        made = settle(world, unasked, events, since, calendar.end + SETTLE_DAYS)
        parts.append(made)
        since = np.minimum(since, customer_since(people, made))
        waiting = np.maximum(waiting, declined_until(people, made, DECLINED_DAYS * DAY_US))
    return joined(parts)


def _run_wave(world: World, day: int, since: Ints, waiting: Ints, organic: Ints) -> _Wave:
    """Assign and play one wave among those the lender knows, may contact, and does not serve already."""
    at = day * DAY_US
    shown = max(snapshot for snapshot in people_rows.snapshot_days(world) if snapshot <= day)
    may = (world.people.registered_us < shown * DAY_US) & (since > at) & (waiting <= at)
    may &= world.consent.contactable(at) == 1
    assigned = assign(world, day, np.flatnonzero(may))
    sent = assigned.audience.take(np.flatnonzero(assigned.role != HOLDOUT))
    return _Wave(assigned, play_wave(world, sent, organic))


def _write_wave(world: World, ids: Identities, writer: LandingWriter, wave: _Wave, day: int) -> None:
    """Write a history wave's assignments, deliveries, touches and spend."""
    part = f"wave-{as_date(day):%Y%m%d}"
    names = [channel.name for channel in world.conf.channels]
    audience, role = wave.assigned.audience, wave.assigned.role
    lists = [f"incumbent-{as_date(day):%Y%m%d}-{name}" for name in (*names, "holdout")]
    place = np.where(audience.channel < 0, len(names), audience.channel)
    rows, known = media_rows.assignment_rows(
        prospect_ids(audience.person),
        audience.day,
        labels((*names, "none"), place),
        wave.assigned.propensity,
        constant("incumbent", len(role)),
        labels(ROLES, role),
        labels(lists, place),
    )
    write_monthly(world, writer, "assignments", part, rows, known)
    uploaded = np.bincount(audience.channel[audience.channel >= 0], minlength=len(names))
    write_deliveries(world, writer, part, day, lists, uploaded)
    write_media(world, ids, writer, wave.events, part)


def write_media(world: World, ids: Identities, writer: LandingWriter, events: WaveEvents, part: str) -> None:
    """Write touches, spend and restated spend; of two versions that land together only the later one is written."""
    until = world.calendar.end if part.startswith("wave-") else writer.until
    rows, known = media_rows.touches(world, ids, events)
    writer.write("touches", part, rows, world.calendar.landed(known, until))
    rows, known, again, known_again = media_rows.spend(world, events)
    landed, landed_again = world.calendar.landed(known, until), world.calendar.landed(known_again, until)
    keys = ["spend_day", "channel", "campaign", "ad_group", "creative"]
    versions = pa.concat_tables([rows, again])
    both = np.concatenate([landed, landed_again])
    version = np.repeat([0, 1], [len(landed), len(landed_again)])
    writer.write("spend", part, *latest(versions, keys, both, version))


def latest(rows: pa.Table, keys: list[str], landed: Ints, version: Ints) -> tuple[pa.Table, Ints]:
    """Of the rows that share a key and a landing day, the one of the highest version."""
    frame = rows.select(keys).to_pandas()
    frame["landed"], frame["version"] = landed, version
    kept = frame.sort_values("version", kind="stable").drop_duplicates([*keys, "landed"], keep="last")
    index = np.sort(kept.index.to_numpy())
    return rows.take(pa.array(index)), landed[index]


def write_deliveries(
    world: World, writer: LandingWriter, part: str, day: int, lists: list[str], uploaded: Ints
) -> None:
    """Write what each channel says it matched of the wave's uploads."""
    channel = np.flatnonzero(uploaded)
    rate = np.array([c.match_rate for c in world.conf.channels])[channel]
    rate = np.clip(rate + 0.02 * world.dice.normal("matched", channel, day), 0.0, 1.0)
    rows, known = media_rows.deliveries(
        world,
        channel,
        [lists[c] for c in channel],
        day,
        uploaded[channel],
        np.rint(rate * uploaded[channel]).astype(np.int64),
    )
    write_monthly(world, writer, "deliveries_reported", part, rows, known)


def write_monthly(world: World, writer: LandingWriter, table: str, part: str, rows: pa.Table, known: Ints) -> None:
    """Write rows by the calendar's landing days."""
    until = world.calendar.end if part.startswith("wave-") else writer.until
    writer.write(table, part, rows, world.calendar.landed(known, until))


def write_book(
    world: World,
    ids: Identities,
    writer: LandingWriter,
    ledger: Ledger,
    part: str,
    until_month: int,
    *,
    is_new: bool = True,
) -> None:
    """Write a ledger's applications, loans, statements up to a month's end, and the suppressions they cause."""
    calendar = world.calendar
    tables: dict[str, Any] = {
        "applications": book_rows.applications(world, ids, calendar, ledger),
        "loans": book_rows.loans(world, calendar, ledger),
        "repayments": book_rows.repayments(world, calendar, ledger, calendar.book_month, until_month),
        "suppressions": book_rows.book_suppressions(world, ids, calendar, ledger),
    }
    for name, (rows, landed) in tables.items():
        writer.write(name, part, rows, landed, is_new=is_new)


def _write_standing(world: World, ids: Identities, writer: LandingWriter) -> None:
    """Write what no wave changes: prospects, consents, suppressions, creatives, exchange rates."""
    calendar = world.calendar
    for day in people_rows.snapshot_days(world):
        snapshot = people_rows.prospects_snapshot(world, ids, day)
        writer.write("prospects", PART, snapshot, np.full(len(snapshot), day))
    rows, known = people_rows.consents(world, ids)
    writer.write("consents", PART, rows, calendar.landed(known, calendar.end))
    rows, known = people_rows.standing_suppressions(world, ids)
    writer.write("suppressions", "standing", rows, calendar.landed(known, calendar.end))
    rows = media_rows.creatives(world)
    writer.write("creatives", PART, rows, np.full(len(rows), calendar.first))
    if world.conf.fx:
        rows, known = media_rows.fx_rates(world, calendar.first, calendar.end)
        writer.write("fx_rates", PART, rows, calendar.landed(known, calendar.end))


def months_between(first_day: int, last_day: int) -> range:
    """The months (since 1970-01) that two days span, both included."""
    return range(int(month_of([first_day])[0]), int(month_of([last_day])[0]) + 1)
