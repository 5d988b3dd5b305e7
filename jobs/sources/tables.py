"""A parsed source as landing tables: for each table and day one Arrow table in the landing contract's columns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pandas as pd
import pyarrow as pa

from jobs.sources.conf import SourceConf
from jobs.sources.parse import Parsed, digest

Landed = tuple[str, date, pa.Table]

_INSTANT = pa.timestamp("us", tz="UTC")
_MONEY = pa.decimal128(18, 2)


def landing_tables(conf: SourceConf, parsed: Parsed) -> Iterator[Landed]:
    """Every (table, day, rows) the source lands, a day at a time.

    The raw record id stands only in `id_account`, which ingest seals; prospects, touches and applications are named
    by digests of it. `prospects` holds everybody known by the end of the day (every day, or each month's last day
    with rows, as the source says). Times of day are unknown and set to noon UTC.
    """
    rows = parsed.rows.assign(prospect_id=_digests(parsed.rows["record"], conf.name, "prospect"))
    days = sorted(set(rows["day"]))
    snapshots = set(days) if conf.snapshots == "daily" else {max(m) for m in _by_month(days).values()}
    groups = dict(tuple(rows.groupby("day", sort=True)))
    for day in days:
        block = groups[day]
        yield "touches", day, _touches(conf, block, day)
        yield "spend", day, _spend(conf, block, day)
        if conf.assigned:
            yield "assignments", day, _assignments(block, day)
        applied = block if conf.applications == "every_row" else block[block["label"] == 1]
        if len(applied):
            yield "applications", day, _applications(conf, applied, day)
        if day in snapshots:
            yield "prospects", day, _prospects(parsed, rows[rows["day"] <= day])


def _prospects(parsed: Parsed, known: pd.DataFrame) -> pa.Table:
    columns: dict[str, pa.Array] = {
        "prospect_id": pa.array(known["prospect_id"], pa.string()),
        "id_account": pa.array(known["record"], pa.string()),
        "registered_at": pa.array([_noon(d) for d in known["day"]], _INSTANT),
    }
    columns |= {n: pa.array(known[n], pa.float64(), from_pandas=True) for n in parsed.features.numeric}
    columns |= {n: pa.array(known[n], pa.string(), from_pandas=True) for n in parsed.features.categorical}
    return pa.table(columns)


def _touches(conf: SourceConf, block: pd.DataFrame, day: date) -> pa.Table:
    return pa.table(
        {
            "touch_id": pa.array(_digests(block["record"], conf.name, "touch"), pa.string()),
            "occurred_at": pa.array([_noon(day)] * len(block), _INSTANT),
            "channel": pa.array(block["channel"], pa.string()),
            "campaign": pa.array(block["campaign"], pa.string()),
            "kind": pa.array([conf.touch] * len(block), pa.string()),
            "id_account": pa.array(block["record"], pa.string()),
        }
    )


def _applications(conf: SourceConf, block: pd.DataFrame, day: date) -> pa.Table:
    return pa.table(
        {
            "application_id": pa.array(_digests(block["record"], conf.name, "application"), pa.string()),
            "applied_at": pa.array([_noon(day)] * len(block), _INSTANT),
            "decision": pa.array(["approved" if y else "declined" for y in block["label"]], pa.string()),
            "id_account": pa.array(block["record"], pa.string()),
        }
    )


def _assignments(block: pd.DataFrame, day: date) -> pa.Table:
    return pa.table(
        {
            "prospect_id": pa.array(block["prospect_id"], pa.string()),
            "assigned_day": pa.array([day] * len(block), pa.date32()),
            "channel": pa.array(block["channel"], pa.string()),
            "propensity": pa.nulls(len(block), pa.float64()),
            "role": pa.array(["policy"] * len(block), pa.string()),
        }
    )


def _spend(conf: SourceConf, block: pd.DataFrame, day: date) -> pa.Table:
    billed = block.groupby(["channel", "campaign"], sort=True)["units"].agg(["sum", "size"]).reset_index()
    count = len(billed)
    clicks = billed["size"].astype(int) if conf.touch == "click" else [None] * count
    return pa.table(
        {
            "spend_day": pa.array([day] * count, pa.date32()),
            "channel": pa.array(billed["channel"], pa.string()),
            "campaign": pa.array(billed["campaign"], pa.string()),
            "ad_group": pa.nulls(count, pa.string()),
            "creative": pa.nulls(count, pa.string()),
            "cost": pa.array([Decimal(int(u)) * conf.cost.amount for u in billed["sum"]], _MONEY),
            "currency": pa.array([conf.cost.currency] * count, pa.string()),
            "clicks": pa.array(clicks, pa.int64()),
        }
    )


def _digests(records: pd.Series, source: str, kind: str) -> list[str]:
    return [digest(source, kind, record) for record in records]


def _by_month(days: list[date]) -> dict[tuple[int, int], list[date]]:
    out: dict[tuple[int, int], list[date]] = {}
    for day in days:
        out.setdefault((day.year, day.month), []).append(day)
    return out


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)
