"""Playing published audiences: the days that follow, then the months until their loans are old enough to judge."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from jobs.market import media_rows, people_rows
from jobs.market.calendar import WINDOW_DAYS, as_date, day_number, month_of, month_start
from jobs.market.conf import MarketConf
from jobs.market.default import age
from jobs.market.dice import Ints
from jobs.market.identities import Identities
from jobs.market.incumbent import rotated
from jobs.market.landing import LandingWriter
from jobs.market.ledger import ORGANIC, Ledger, Standing, joined, read_ledger, standing, write_ledger
from jobs.market.life import organic_moments, settle
from jobs.market.publish import Publisher
from jobs.market.state import SETTLE_DAYS, read_summary, write_json
from jobs.market.truth import prospect_ids
from jobs.market.wave import ANYONE, Audience, WaveEvents, join_events, play_wave
from jobs.market.world import World
from jobs.runtime.errors import DataRefused, UsageError

COLUMNS = ("day", "audience", "channel", "prospect_id", "role")


@dataclass(frozen=True)
class PlaySummary:
    """What a play led to, by channel and overall: counts, and spend in base currency."""

    play: str
    days: list[str]
    landed_until: str
    until_month: int
    fx_until: int
    number: int
    results: list[dict[str, Any]]
    is_reused: bool = False


def play(
    conf: MarketConf,
    landing: Path,
    truth: Path,
    audiences: pa.Table | pd.DataFrame,
    progress: Callable[[str], None],
    *,
    months: int = 13,
) -> PlaySummary:
    """Play audience rows: day, audience, channel, prospect_id, role; creative, partner, propensity, policy if given.

    Adds landing files for the campaign, for the lender's other life, and for statements until the campaign's loans
    are `months` months on book. The same call again completes an interrupted one, or writes nothing. Raises
    UsageError when there is no such market or a day was played with other rows, DataRefused for rows it cannot play.
    """
    if read_summary(conf, truth) is None:
        raise UsageError(f"{truth} holds no complete market: run `huoke market new` first")
    frame = _ordered(audiences)
    name = _name(frame, months)
    done = _done(truth)
    for earlier in done:
        if earlier.play == name:
            progress(f"play {name} of {', '.join(earlier.days)} is there already: nothing written")
            return replace(earlier, is_reused=True)
        if set(earlier.days) & {str(day) for day in frame["day"]}:
            raise UsageError(f"{truth}: days {earlier.days} were played with other rows; play them on a fresh market")
    world = World(conf)
    return _Play(world, landing, truth, name, frame, months, done, progress).run()


@dataclass(frozen=True)
class _Play:
    world: World
    landing: Path
    truth: Path
    name: str
    frame: pd.DataFrame
    months: int
    done: list[PlaySummary]
    progress: Callable[[str], None]

    def run(self) -> PlaySummary:
        world, calendar = self.world, self.world.calendar
        days = sorted({day_number(day) for day in self.frame["day"]})
        if days[0] < calendar.end:
            raise DataRefused(f"audience of {as_date(days[0])}: history ends {as_date(calendar.end)}, play later days")
        daily_until = days[-1] + SETTLE_DAYS
        until_month = int(month_of([daily_until])[0]) + self.months
        landed_until = max([int(month_start([until_month + 1])[0]), *(_day(d.landed_until) for d in self.done)])
        landed_before = max([calendar.end, *(_day(d.landed_until) for d in self.done)])
        clock = max([calendar.end_month, *(d.until_month for d in self.done)])
        writer = LandingWriter(self.landing, world.conf.file_format, landed_until, landed_before)
        publisher = Publisher(world, Identities(world), writer, f"play-{self.name}", daily_until)

        before = joined([read_ledger(path) for path in self._ledgers()])
        audience = _rows(world, self.frame)
        now = standing(world.people.count, before)
        made, events = self._live(audience, now, clock, until_month, daily_until)
        self.progress(f"played {len(audience.person):,} people on {len(days)} days: {len(events.click_us):,} clicks")
        self._write_lists(publisher)
        publisher.media(events)
        publisher.book(made, calendar.book_month, until_month, is_new=True)
        from_month = int(month_of([landed_before])[0]) - 1
        replace(publisher, part=f"later-{self.name}").book(before, from_month, until_month, is_new=False)
        fx_until = self._write_standing(publisher, days)
        writer.close()
        self.progress(f"wrote the book until {as_date(landed_until)}")
        return self._finish(made, audience, events, days, landed_until, max(until_month, clock), fx_until)

    def _live(
        self, audience: Audience, now: Standing, clock: int, until_month: int, daily_until: int
    ) -> tuple[Ledger, WaveEvents]:
        """The campaign's days, month by month, and everybody's organic life after `clock`."""
        world = self.world
        parts, all_events = [], []
        wave_month = month_of(audience.day + 1)
        first = int(min(wave_month.min(), clock + 1)) if len(wave_month) else clock + 1
        lost_us = np.full(world.people.count, -1, dtype=np.int64)
        for month in range(first, until_month + 1):
            organic = organic_moments(world, month)
            following = organic_moments(world, month + 1)
            rows = audience.take(np.flatnonzero(wave_month == month))
            unasked_us = np.where(organic > 0, organic, following)
            events = play_wave(world, rows, unasked_us)
            lost_us[events.put_off] = unasked_us[events.put_off]
            organic = np.where(organic == lost_us, 0, organic)
            unasked = {ORGANIC: organic} if month > clock else {}
            parts.append(settle(world, unasked, events, now.since, now.last, daily_until))
            now = now.after(parts[-1])
            all_events.append(events)
        return joined(parts), join_events(all_events)

    def _ledgers(self) -> list[Path]:
        return [self.truth / "ledger.parquet", *(self.truth / "plays" / d.play / "ledger.parquet" for d in self.done)]

    def _write_lists(self, publisher: Publisher) -> None:
        """Write the assignments and what the channels say they matched."""
        frame, world = self.frame, self.world
        policy = frame["policy"].fillna("huoke") if "policy" in frame else pd.Series("huoke", index=frame.index)
        propensity = frame["propensity"] if "propensity" in frame else pd.Series(np.nan, index=frame.index)
        rows, known = media_rows.assignment_rows(
            pa.array(frame["prospect_id"], type=pa.string()),
            np.array([day_number(day) for day in frame["day"]], dtype=np.int64),
            pa.array(frame["channel"], type=pa.string()),
            pd.to_numeric(propensity).to_numpy(dtype=np.float64, na_value=np.nan).astype(np.float64),
            pa.array(policy, type=pa.string()),
            pa.array(frame["role"], type=pa.string()),
            pa.array(frame["audience"], type=pa.string()),
        )
        publisher.rows("assignments", rows, known)
        names = [channel.name for channel in world.conf.channels]
        sent = frame[frame["channel"] != "none"]
        for _, part in sent.groupby("day", sort=True):
            sizes = part.groupby(["channel", "audience"], sort=True).size().reset_index(name="uploaded")
            channel = np.array([names.index(name) for name in sizes["channel"]], dtype=np.int64)
            uploaded = sizes["uploaded"].to_numpy(dtype=np.int64)
            publisher.deliveries(channel, list(sizes["audience"]), uploaded, day_number(part["day"].iloc[0]))

    def _write_standing(self, publisher: Publisher, days: list[int]) -> int:
        """Write the next month's prospects snapshot, where it lacks, and the campaign's exchange rates."""
        world = self.world
        day = int(month_start(month_of([days[-1]]) + 1)[0])
        records = people_rows.prospect_records(world, publisher.ids)
        snapshot = people_rows.prospects_snapshot(world, publisher.ids, records, day)
        replace(publisher, part="history").rows("prospects", snapshot, np.full(len(snapshot), day))
        known_until = max([world.calendar.end, *(d.fx_until for d in self.done)])
        until = max(days[-1] + WINDOW_DAYS + 7, known_until)
        if world.conf.fx and until > known_until:
            publisher.rows("fx_rates", *media_rows.fx_rates(world, known_until + 1, until))
        return until

    def _finish(
        self,
        made: Ledger,
        audience: Audience,
        events: WaveEvents,
        days: list[int],
        landed_until: int,
        until_month: int,
        fx_until: int,
    ) -> PlaySummary:
        folder = self.truth / "plays" / self.name
        folder.mkdir(parents=True, exist_ok=True)
        write_ledger(made, folder / "ledger.parquet")
        summary = PlaySummary(
            play=self.name,
            days=[as_date(day).isoformat() for day in days],
            landed_until=as_date(landed_until).isoformat(),
            until_month=until_month,
            fx_until=fx_until,
            number=len(self.done),
            results=_results(self.world, made, audience, events),
        )
        saved = asdict(summary)
        saved.pop("is_reused")
        write_json(folder / "play.json", saved)
        return summary


def _ordered(audiences: pa.Table | pd.DataFrame) -> pd.DataFrame:
    """The rows sorted by day, channel and prospect, refused when columns lack or a key repeats."""
    frame = audiences.to_pandas() if isinstance(audiences, pa.Table) else audiences.copy()
    missing = [name for name in COLUMNS if name not in frame]
    if missing or not len(frame):
        raise DataRefused(f"audience: {len(frame)} rows, columns missing: {missing}; needs {list(COLUMNS)}")
    frame["day"] = pd.to_datetime(frame["day"]).dt.date
    frame["channel"] = frame["channel"].fillna("none")
    key = ["day", "channel", "prospect_id"]
    repeated = int(frame.duplicated(key).sum())
    if repeated:
        raise DataRefused(f"audience: {repeated} rows repeat a day, channel and prospect_id; send each once")
    return frame.sort_values(key, kind="stable").reset_index(drop=True)


def _name(frame: pd.DataFrame, months: int) -> str:
    """A name for a play that only equal rows share."""
    wanted = [*COLUMNS, *(name for name in ("creative", "partner", "propensity", "policy") if name in frame)]
    text = frame[wanted].to_csv(index=False) + str(months)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _done(truth: Path) -> list[PlaySummary]:
    """Earlier complete plays, in the order they were played."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in (truth / "plays").glob("*/play.json")]
    return sorted((PlaySummary(**row) for row in found), key=lambda summary: summary.number)


def _day(iso: str) -> int:
    return int(np.datetime64(iso, "D").astype(np.int64))


def _rows(world: World, frame: pd.DataFrame) -> Audience:
    """The rows to play as indices; holdouts are left out; a creative not given, or unknown, is drawn at random."""
    sent = frame[frame["channel"] != "none"]
    prospects = pd.Index(prospect_ids(np.arange(len(world.prospects))).to_pandas())
    row = prospects.get_indexer(pd.Index(sent["prospect_id"]))
    channel = pd.Index([c.name for c in world.conf.channels]).get_indexer(pd.Index(sent["channel"])).astype(np.int64)
    if (row < 0).any() or (channel < 0).any():
        raise DataRefused(
            f"audience: {int((row < 0).sum())} rows name an unknown prospect_id, {int((channel < 0).sum())} an "
            "unknown channel; map prospect_key back with `huoke keys` first"
        )
    person = world.prospects[row]
    day = np.array([day_number(d) for d in sent["day"]], dtype=np.int64)
    creative = rotated(world, person, channel, day)
    if "creative" in sent:
        given = pd.Index(world.creatives.name).get_indexer(pd.Index(sent["creative"].fillna("")))
        fits = (given >= 0) & (world.creatives.channel[np.maximum(given, 0)] == channel)
        creative = np.where(fits, given, creative)
    partner = np.full(len(person), ANYONE)
    if "partner" in sent:
        partner = pd.Index(world.partners.name).get_indexer(pd.Index(sent["partner"].fillna(""))).astype(np.int64)
        serves = world.partners.serves[np.maximum(partner, 0), world.people.region[person]]
        partner = np.where((partner >= 0) & serves, partner, ANYONE)
    # two records of one person on one list are one person to the channel
    order = np.lexsort((np.arange(len(person)), channel, person, day))
    key = np.stack([day, person, channel], axis=1)[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (np.diff(key, axis=0) != 0).any(axis=1)
    return Audience(person, channel, creative, day, partner).take(np.sort(order[fresh]))


def _results(world: World, made: Ledger, audience: Audience, events: WaveEvents) -> list[dict[str, Any]]:
    """Realised counts and spend of the campaign by channel, then over all."""
    bought = made.take(made.wave_day > 0)
    funded = bought.take(bought.funded_us >= 0)
    ageing = age(world, funded.person, funded.funded_us)
    count = len(world.conf.channels)

    def by(channel: Ints, weight: Any = None) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.bincount(channel, weight, minlength=count).astype(np.float64)

    columns = {
        "people": by(audience.channel),
        "reached": by(events.exposure.channel),
        "clicks": by(events.click.channel),
        "spend": by(events.exposure.channel, events.exposure_cost) + by(events.click.channel, events.click_cost),
        "applications": by(bought.channel),
        "approved": by(bought.channel[bought.decision == 1]),
        "funded": by(funded.channel),
        "late": by(funded.channel[ageing.late_month > 0]),
        "fraud": by(funded.channel[ageing.is_fraud]),
    }
    names = [channel.name for channel in world.conf.channels]
    rows: list[dict[str, Any]] = [
        {"channel": name, **{key: round(float(values[k]), 2) for key, values in columns.items()}}
        for k, name in enumerate(names)
    ]
    return [*rows, {"channel": "(all)", **{key: round(float(values.sum()), 2) for key, values in columns.items()}}]
