"""What each channel holds, row by row: the one state outside the store, because it changes while talking to the world.

Every batch is written down before it is handed over and confirmed after its receipt, so that a process killed at any
moment leaves either nothing, or a batch that may have arrived. Members of such a batch count as perhaps held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

METADATA = sa.MetaData()
BATCHES = sa.Table(
    "batches",
    METADATA,
    sa.Column("batch", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("day", sa.String(10), nullable=False, index=True),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("audience", sa.String, nullable=False),
    sa.Column("operation", sa.String(6), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("accepted", sa.Integer, nullable=False, default=0),
    sa.Column("quarantined", sa.Integer, nullable=False, default=0),
    sa.Column("receipt", sa.String, nullable=False, default=""),
    sa.Column("status", sa.String(10), nullable=False),  # planned, confirmed, partial, superseded
)
BATCH_MEMBERS = sa.Table(
    "batch_members",
    METADATA,
    sa.Column("batch", sa.Integer, sa.ForeignKey("batches.batch"), primary_key=True),
    sa.Column("prospect_key", sa.String(32), primary_key=True),
    sa.Column("is_refused", sa.Boolean, nullable=False, default=False),
)
MEMBERS = sa.Table(
    "members",
    METADATA,
    sa.Column("channel", sa.String, primary_key=True),
    sa.Column("audience", sa.String, primary_key=True),
    sa.Column("prospect_key", sa.String(32), primary_key=True),
    sa.Column("added_day", sa.String(10), primary_key=True),
    sa.Column("removed_day", sa.String(10)),
)
Member = tuple[str, str, str]  # channel, audience, prospect_key


@dataclass(frozen=True)
class Batch:
    """One operation on one audience, written down before it is handed over."""

    batch: int
    day: date
    channel: str
    audience: str
    operation: str
    keys: tuple[str, ...]


class Memberships:
    """The ledger of memberships behind a SQLAlchemy URL; one sender at a time."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url)
        METADATA.create_all(self.engine)

    def held(self) -> set[Member]:
        """Who is held now, by receipts."""
        query = sa.select(MEMBERS.c.channel, MEMBERS.c.audience, MEMBERS.c.prospect_key)
        with self.engine.connect() as link:
            return {(r[0], r[1], r[2]) for r in link.execute(query.where(MEMBERS.c.removed_day.is_(None)))}

    def perhaps_held(self) -> set[Member]:
        """Who is held, or was in an add that was never confirmed and no later confirmed removal has undone."""
        planned = self._batched((BATCHES.c.status == "planned") & (BATCHES.c.operation == "add"))
        if not planned:
            return self.held()
        removed = self._batched(BATCHES.c.status.in_(("confirmed", "partial")) & (BATCHES.c.operation == "remove"))
        return self.held() | {member for member, batch in planned.items() if removed.get(member, 0) < batch}

    def _batched(self, which: sa.ColumnElement[bool]) -> dict[Member, int]:
        """The newest of some batches that each member was in and not refused from."""
        query = (
            sa.select(BATCHES.c.channel, BATCHES.c.audience, BATCH_MEMBERS.c.prospect_key, sa.func.max(BATCHES.c.batch))
            .join(BATCH_MEMBERS, BATCH_MEMBERS.c.batch == BATCHES.c.batch)
            .where(which, ~BATCH_MEMBERS.c.is_refused)
            .group_by(BATCHES.c.channel, BATCHES.c.audience, BATCH_MEMBERS.c.prospect_key)
        )
        with self.engine.connect() as link:
            return {(r[0], r[1], r[2]): int(r[3]) for r in link.execute(query)}

    def refused_adds(self, day: date) -> set[Member]:
        """Who could not be added on a day for want of an identifier."""
        query = (
            sa.select(BATCHES.c.channel, BATCHES.c.audience, BATCH_MEMBERS.c.prospect_key)
            .join(BATCH_MEMBERS, BATCH_MEMBERS.c.batch == BATCHES.c.batch)
            .where(BATCHES.c.day == day.isoformat(), BATCHES.c.operation == "add", BATCH_MEMBERS.c.is_refused)
        )
        with self.engine.connect() as link:
            return {(r[0], r[1], r[2]) for r in link.execute(query)}

    def write_down(self, day: date, channel: str, audience: str, operation: str, keys: Iterable[str]) -> Batch:
        """Note a batch before it is handed over; the same batch of a killed run is found again, number and all."""
        ordered = tuple(sorted(keys))
        digest = hashlib.sha256("\n".join(ordered).encode()).hexdigest()
        same = (
            (BATCHES.c.day == day.isoformat())
            & (BATCHES.c.channel == channel)
            & (BATCHES.c.audience == audience)
            & (BATCHES.c.operation == operation)
            & (BATCHES.c.digest == digest)
            & (BATCHES.c.status == "planned")
        )
        with self.engine.begin() as link:
            number = link.execute(sa.select(sa.func.max(BATCHES.c.batch)).where(same)).scalar()
            newest = link.execute(sa.select(sa.func.max(BATCHES.c.batch)).where(BATCHES.c.channel == channel)).scalar()
            # Only the channel's newest batch may be taken up again: an older one would arrive out of order.
            if number is None or number != newest:
                number = self._insert(link, day, channel, audience, operation, digest, ordered)
        return Batch(int(number), day, channel, audience, operation, ordered)

    def _insert(
        self,
        link: sa.Connection,
        day: date,
        channel: str,
        audience: str,
        operation: str,
        digest: str,
        keys: Sequence[str],
    ) -> int:
        values = {
            "day": day.isoformat(),
            "channel": channel,
            "audience": audience,
            "operation": operation,
            "digest": digest,
            "rows": len(keys),
            "status": "planned",
        }
        number = link.execute(sa.insert(BATCHES).values(values)).inserted_primary_key
        if number is None:
            raise ValueError("the memberships database gave a batch no number; use SQLite or PostgreSQL")
        link.execute(sa.insert(BATCH_MEMBERS), [{"batch": number[0], "prospect_key": key} for key in keys])
        return int(number[0])

    def confirm(self, batch: Batch, receipt: str, accepted: Sequence[str]) -> None:
        """Note a receipt and what it changes, in one transaction."""
        refused = len(batch.keys) - len(accepted)
        with self.engine.begin() as link:
            change = {
                "accepted": len(accepted),
                "quarantined": refused,
                "receipt": receipt,
                "status": "partial" if refused else "confirmed",
            }
            link.execute(sa.update(BATCHES).where(BATCHES.c.batch == batch.batch).values(change))
            lost = [{"key": key} for key in sorted(set(batch.keys) - set(accepted))]
            if lost:
                mine = (BATCH_MEMBERS.c.batch == batch.batch) & (BATCH_MEMBERS.c.prospect_key == sa.bindparam("key"))
                link.execute(sa.update(BATCH_MEMBERS).where(mine).values(is_refused=True), lost)
            self._move(link, batch, accepted)

    def _move(self, link: sa.Connection, batch: Batch, keys: Sequence[str]) -> None:
        if not keys:
            return
        bound = [{"key": key} for key in keys]
        mine = (
            (MEMBERS.c.channel == batch.channel)
            & (MEMBERS.c.audience == batch.audience)
            & (MEMBERS.c.prospect_key == sa.bindparam("key"))
        )
        day = batch.day.isoformat()
        if batch.operation == "remove":
            gone = sa.update(MEMBERS).where(mine & MEMBERS.c.removed_day.is_(None)).values(removed_day=day)
            link.execute(gone, bound)
            return
        # Taken off and put back on one day is one stay; so is a second receipt for somebody already held.
        link.execute(sa.delete(MEMBERS).where(mine & (MEMBERS.c.added_day == day)), bound)
        present = {
            key
            for (_, audience, key) in self._held_in(link, batch.channel, batch.audience)
            if audience == batch.audience
        }
        fresh = [key for key in keys if key not in present]
        if fresh:
            row = {"channel": batch.channel, "audience": batch.audience, "added_day": day, "removed_day": None}
            link.execute(sa.insert(MEMBERS), [{**row, "prospect_key": key} for key in fresh])

    def _held_in(self, link: sa.Connection, channel: str, audience: str) -> list[Member]:
        query = sa.select(MEMBERS.c.channel, MEMBERS.c.audience, MEMBERS.c.prospect_key).where(
            (MEMBERS.c.channel == channel) & (MEMBERS.c.audience == audience) & MEMBERS.c.removed_day.is_(None)
        )
        return [(r[0], r[1], r[2]) for r in link.execute(query)]

    def supersede(self, wanted: set[Member]) -> None:
        """Close batches that were never confirmed, once later ones have settled everybody who was in them."""
        held, perhaps = self.held(), self.perhaps_held()
        if perhaps - held - wanted:
            return
        with self.engine.begin() as link:
            link.execute(sa.update(BATCHES).where(BATCHES.c.status == "planned").values(status="superseded"))

    def last_day(self) -> date | None:
        """The latest day anything was written down for."""
        with self.engine.connect() as link:
            found = link.execute(sa.select(sa.func.max(BATCHES.c.day))).scalar()
        return date.fromisoformat(found) if found else None

    def deliveries(self, day: date) -> list[dict[str, Any]]:
        """The day's confirmed batches, in their order."""
        names = ("batch", "channel", "audience", "operation", "rows", "accepted", "quarantined", "receipt", "status")
        query = sa.select(*[BATCHES.c[name] for name in names]).where(
            BATCHES.c.day == day.isoformat(), BATCHES.c.status.in_(("confirmed", "partial"))
        )
        with self.engine.connect() as link:
            return [dict(row) for row in link.execute(query.order_by(BATCHES.c.batch)).mappings()]

    def members_on(self, day: date) -> list[Member]:
        """Who was held at the end of a day, sorted."""
        text = day.isoformat()
        query = sa.select(MEMBERS.c.channel, MEMBERS.c.audience, MEMBERS.c.prospect_key).where(
            (MEMBERS.c.added_day <= text) & (MEMBERS.c.removed_day.is_(None) | (MEMBERS.c.removed_day > text))
        )
        with self.engine.connect() as link:
            return sorted((r[0], r[1], r[2]) for r in link.execute(query))
