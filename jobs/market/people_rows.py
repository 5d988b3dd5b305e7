"""Landing rows about people: prospects snapshots, consents, and the suppressions nobody's loan explains."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.market.calendar import DAY_US, as_date, day_of, month_of, month_start
from jobs.market.columns import constant, labels, moments, where
from jobs.market.dice import Ints
from jobs.market.features import feature_column
from jobs.market.identities import Identities
from jobs.market.truth import prospect_ids
from jobs.market.world import NEVER, World

REASONS = ("blacklist", "complaint", "deceased")
REASON_SHARES = (0.003, 0.001, 0.0002)


def prospects_snapshot(world: World, ids: Identities, records: pa.Table, day: int) -> pa.Table:
    """The records of everybody registered before `day`, with the cookies of that day."""
    row = np.flatnonzero(world.people.registered_us[world.prospects] < day * DAY_US)
    snapshot = records.take(pa.array(row))
    cookie = ids.cookie(world.prospects[row], int(month_of([day])[0]))
    month = int(month_of([day])[0])
    for feature in world.conf.features:
        factor = world.drift.unit(feature.name, month)
        if factor != 1.0:
            place = snapshot.column_names.index(feature.name)
            values = pc.multiply(snapshot.column(place), factor)
            snapshot = snapshot.set_column(place, feature.name, pc.cast(values, snapshot.column(place).type))
    place = records.column_names.index("id_cookie")
    had = snapshot.column(place).is_valid().to_numpy()
    return snapshot.set_column(place, "id_cookie", where(had, cookie))


def prospect_records(world: World, ids: Identities) -> pa.Table:
    """Every prospect record there will ever be, with the first cookies."""
    person = world.prospects
    row = np.arange(len(person))
    is_second = row >= world.people.count
    dice = world.dice
    contact = ids.contact(person)
    # a second record keeps the phone half the time, mostly the e-mail, always the device
    keeps_phone = ~is_second | (dice.uniform("second_phone", row) < 0.5)
    has = {name: dice.uniform("has_" + name, row) for name in ("device", "cookie", "national")}
    columns = {
        "prospect_id": prospect_ids(row),
        "id_phone": where(keeps_phone, contact["id_phone"]),
        "id_phone_sha256": where(keeps_phone, contact["id_phone_sha256"]),
        "id_email": contact["id_email"],
        "id_email_sha256": contact["id_email_sha256"],
        "id_device": where((has["device"] < 0.8) | is_second, ids.device(person)),
        "id_cookie": where((has["cookie"] < 0.65) & ~is_second, ids.cookie(person, world.calendar.book_month)),
        "id_national": where((has["national"] < 0.3) & ~is_second, ids.national(person)),
        "region": labels(world.conf.regions, world.people.region[person]),
        "registered_at": moments(world.people.registered_us[person]),
    }
    for feature in world.conf.features:
        columns[feature.name] = feature_column(world, feature, person)
    return pa.table(columns)


def consents(world: World, ids: Identities) -> tuple[pa.Table, Ints]:
    """Consents given, refused and taken back, with the day each became known."""
    consent, who = world.consent, np.arange(world.people.count)
    asked = who[consent.is_asked == 1]
    revoked = who[consent.revoked_us != NEVER]
    person = np.concatenate([asked, revoked])
    granted = np.concatenate([consent.granted_us[asked] != NEVER, np.zeros(len(revoked), dtype=bool)])
    from_us = np.concatenate([world.people.registered_us[asked], consent.revoked_us[revoked]])
    contact = ids.contact(person)
    table = pa.table(
        {
            **contact,
            "purpose": constant("marketing", len(person)),
            "channel": constant("*", len(person)),
            "is_granted": pa.array(granted),
            "from_at": moments(from_us),
            "until_at": pa.nulls(len(person), pa.timestamp("us", tz="UTC")),
            "evidence": labels(("registration form", "self service"), (np.arange(len(person)) >= len(asked)) * 1),
        }
    )
    return table, day_of(from_us) + 1


def standing_suppressions(world: World, ids: Identities) -> tuple[pa.Table, Ints]:
    """Opt-outs, blacklist, complaints and deaths, with the day each became known."""
    who, dice = np.arange(world.people.count), world.dice
    opted = who[world.consent.opted_out_us != NEVER]
    person, reason, from_us = [opted], [np.full(len(opted), -1)], [world.consent.opted_out_us[opted]]
    span = (world.calendar.end - 2) * DAY_US - world.people.registered_us
    for number, share in enumerate(REASON_SHARES):
        named = who[dice.uniform("suppressed_" + REASONS[number], who) < share]
        person.append(named)
        reason.append(np.full(len(named), number))
        late = dice.uniform("suppressed_time", named, number) * np.maximum(span[named], DAY_US)
        from_us.append(world.people.registered_us[named] + late.astype(np.int64))
    return suppression_rows(
        ids, np.concatenate(person), ("opt_out", *REASONS), np.concatenate(reason) + 1, np.concatenate(from_us)
    )


def suppression_rows(
    ids: Identities, person: Ints, reasons: tuple[str, ...], reason: Ints, from_us: Ints, until_us: Ints | None = None
) -> tuple[pa.Table, Ints]:
    """Suppression rows and the day each became known; `until_us` None leaves them open."""
    contact = ids.contact(person)
    until = pa.nulls(len(person), pa.timestamp("us", tz="UTC")) if until_us is None else moments(until_us)
    table = pa.table(
        {
            **contact,
            "reason": labels(reasons, reason),
            "from_at": moments(from_us),
            "until_at": until,
        }
    )
    return table, day_of(from_us) + 1


def snapshot_days(world: World) -> list[int]:
    """The days history's prospects snapshots land; the first of the last month is always one."""
    calendar = world.calendar
    days = set(calendar.snapshot_days(world.conf.snapshot_months))
    days.add(int(month_start([calendar.end_month])[0]))
    return sorted(days)


def campaign_name(channel: str, day: int) -> str:
    """The campaign a wave runs under on a channel."""
    return f"{channel}-{as_date(day):%Y%m%d}"
