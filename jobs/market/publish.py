"""Putting a wave's and a ledger's rows into the landing folder, shared by history and by every later play."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from jobs.market import book_rows, media_rows
from jobs.market.dice import Ints
from jobs.market.identities import Identities
from jobs.market.landing import LandingWriter
from jobs.market.ledger import Ledger
from jobs.market.wave import WaveEvents
from jobs.market.world import World

SPEND_KEY = ["spend_day", "channel", "campaign", "ad_group", "creative"]


@dataclass(frozen=True)
class Publisher:
    """Writes one part of a market's rows; what is known after `daily_until` comes in monthly extracts."""

    world: World
    ids: Identities
    writer: LandingWriter
    part: str
    daily_until: int

    def rows(self, table: str, rows: pa.Table, known: Ints) -> None:
        """Write rows on the landing days of the days they became known."""
        self.writer.write(table, self.part, rows, self.world.calendar.landed(known, self.daily_until))

    def media(self, events: WaveEvents) -> None:
        """Write touches, spend and restated spend; of two versions that land together only the later is written."""
        self.rows("touches", *media_rows.touches(self.world, self.ids, events))
        rows, known, again, known_again = media_rows.spend(self.world, events)
        landed = self.world.calendar.landed(np.concatenate([known, known_again]), self.daily_until)
        version = np.repeat([0, 1], [len(known), len(known_again)])
        both = pa.concat_tables([rows, again])
        self.writer.write("spend", self.part, *_latest(both, SPEND_KEY, landed, version))

    def deliveries(self, channel: Ints, audiences: list[str], uploaded: Ints, day: int) -> None:
        """Write what each channel says it matched of each uploaded audience."""
        rate = np.array([c.match_rate for c in self.world.conf.channels])[channel]
        rate = np.clip(rate + 0.02 * self.world.dice.normal("matched", channel, day), 0.0, 1.0)
        matched = np.rint(rate * uploaded).astype(np.int64)
        rows, known = media_rows.deliveries(self.world, channel, audiences, day, uploaded, matched)
        self.rows("deliveries_reported", rows, known)

    def book(self, ledger: Ledger, from_month: int, until_month: int, *, is_new: bool) -> None:
        """Write a ledger's applications, loans, statements of these month ends, and the suppressions it causes."""
        calendar, world = self.world.calendar, self.world
        tables = (
            ("applications", book_rows.applications(world, self.ids, calendar, ledger)),
            ("loans", book_rows.loans(world, calendar, ledger)),
            ("repayments", book_rows.repayments(world, calendar, ledger, from_month, until_month)),
            ("suppressions", book_rows.book_suppressions(world, self.ids, calendar, ledger)),
        )
        for name, (rows, landed) in tables:
            self.writer.write(name, self.part, rows, landed, is_new=is_new)


def _latest(rows: pa.Table, keys: list[str], landed: Ints, version: Ints) -> tuple[pa.Table, Ints]:
    """Of the rows that share a key and a landing day, the one of the highest version."""
    frame = rows.select(keys).to_pandas()
    frame["landed"], frame["version"] = landed, version
    kept = frame.sort_values("version", kind="stable").drop_duplicates([*keys, "landed"], keep="last")
    index = np.sort(kept.index.to_numpy())
    return rows.take(pa.array(index)), landed[index]
