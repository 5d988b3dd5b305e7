"""A tiny lender's landing folder, and rows for it that tell of days not yet come."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

DAY = date(2026, 5, 31)
WAVES = [date(2026, 1, 10), date(2026, 2, 10), date(2026, 3, 10)]
PEOPLE = 300
Row = dict[str, Any]


def write_lender(landing: Path, seed: int = 5) -> None:
    """Three waves of 300 people on two channels, with what followed, each row landed after it happened."""
    rng = np.random.default_rng(seed)
    for snapshot in (date(2026, 1, 1), date(2026, 3, 1)):
        land(landing, "prospects", snapshot, [person(n, float(rng.normal(5000, 1000))) for n in range(PEOPLE)])
    for wave, on in enumerate(WAVES):
        arm = rng.choice(["feed_a", "sms", "none"], PEOPLE, p=[0.4, 0.4, 0.2])
        clicks = [n for n in range(PEOPLE) if arm[n] != "none" and rng.random() < 0.4]
        asks = [n for n in range(PEOPLE) if rng.random() < (0.5 if n in clicks else 0.05)]
        land(landing, "assignments", on + timedelta(days=1), [listed(n, on, str(arm[n])) for n in range(PEOPLE)])
        touched = [touch(f"t{wave}-{n}", n, on, "click", str(arm[n])) for n in clicks]
        touched += [touch(f"s{wave}-{n}", n, on, "impression", str(arm[n])) for n in range(PEOPLE) if arm[n] != "none"]
        land(landing, "touches", on + timedelta(days=3), touched)
        land(landing, "spend", on + timedelta(days=1), [bill(on, channel, 50) for channel in ("feed_a", "sms")])
        applied = [application(wave, n, on + timedelta(days=2)) for n in asks]
        land(landing, "applications", on + timedelta(days=4), applied)
        won = [n for n in asks if n % 3]
        land(landing, "loans", on + timedelta(days=6), [loan(wave, n, on + timedelta(days=4)) for n in won])
        state = on + timedelta(days=40)
        land(landing, "repayments", state + timedelta(days=1), [repaid(wave, n, state, 1, 0) for n in won])


def write_future(landing: Path) -> dict[str, int]:
    """Rows dated after the day they land on, in files of their own beside honest ones; how many by table."""
    rows: dict[str, list[tuple[date, Row]]] = {}
    for wave, on in enumerate(WAVES):
        later, soon = on + timedelta(days=10), on + timedelta(days=7)
        planted = {
            "prospects": (
                date(2026, 3, 1),
                [person(1000 + 30 * wave + n, 1.0, later + timedelta(days=60)) for n in range(30)],
            ),
            "assignments": (on + timedelta(days=1), [listed(n, later, "feed_a") for n in range(30)]),
            "touches": (on + timedelta(days=3), [touch(f"f{wave}-{n}", n, soon, "click", "sms") for n in range(60)]),
            "spend": (on + timedelta(days=1), [bill(soon + timedelta(days=n), "feed_a", 9000) for n in range(5)]),
            "applications": (
                on + timedelta(days=4),
                [application(wave, 500 + n, soon) | {"id_phone": phone(n)} for n in range(30)]
                + [application(wave, 700 + n, on) | {"decided_at": moment(soon)} for n in range(20)],
            ),
            "loans": (on + timedelta(days=6), [loan(wave, 3 * n, soon) for n in range(30)]),
            "repayments": (
                on + timedelta(days=41),
                [repaid(wave, n, on + timedelta(days=100), 4, 120) for n in range(30) if n % 3],
            ),
        }
        for table, (day, content) in planted.items():
            rows.setdefault(table, []).extend((day, row) for row in content)
    return {table: _land_all(landing, table, content) for table, content in rows.items()}


def write_later(landing: Path) -> None:
    """What becomes known after DAY of the days before it: corrections, late touches, a new snapshot."""
    on, day = WAVES[-1], DAY + timedelta(days=1)
    land(landing, "prospects", day, [person(n, 1.0) for n in range(PEOPLE)])
    land(landing, "assignments", day, [listed(n, on + timedelta(days=1), "sms") for n in range(100)])
    land(landing, "touches", day, [touch(f"l{n}", n, on, "click", "feed_a") for n in range(PEOPLE)])
    land(landing, "spend", day, [bill(on, channel, 9000) for channel in ("feed_a", "sms")])
    land(landing, "applications", day, [application(2, n, on) for n in range(PEOPLE)])
    land(landing, "loans", day, [loan(2, n, on) for n in range(PEOPLE)])
    land(landing, "repayments", day, [repaid(2, n, on + timedelta(days=40), 1, 120) for n in range(PEOPLE)])


def _land_all(landing: Path, table: str, content: list[tuple[date, Row]]) -> int:
    for day in sorted({day for day, _ in content}):
        land(landing, table, day, [row for on, row in content if on == day], "future.parquet")
    return len(content)


def land(landing: Path, table: str, day: date, rows: list[Row], name: str = "a.parquet") -> None:
    """Write rows as one landing file."""
    folder = landing / table / f"day={day}"
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_parquet(folder / name, index=False)


def moment(day: date) -> datetime:
    """Ten o'clock UTC on that day."""
    return datetime(day.year, day.month, day.day, 10, tzinfo=UTC)


def phone(number: int) -> str:
    """The phone number of a person."""
    return f"+86139{number:08d}"


def person(number: int, income: float, since: date = date(2025, 6, 1)) -> Row:
    """A prospect of a snapshot."""
    city = ("north", "south")[number % 2]
    told = {"prospect_id": f"P{number}", "id_phone": phone(number), "registered_at": moment(since)}
    return {**told, "income": round(income, 2), "city": city}


def listed(number: int, day: date, channel: str) -> Row:
    """An assignment."""
    role = "holdout" if channel == "none" else "exploration"
    told = {"prospect_id": f"P{number}", "assigned_day": day, "channel": channel}
    return {**told, "role": role, "propensity": 0.2 if channel == "none" else 0.4}


def touch(name: str, number: int, day: date, kind: str, channel: str) -> Row:
    """A touch with the person's phone."""
    told = {"touch_id": name, "occurred_at": moment(day), "channel": channel, "campaign": "c"}
    return {**told, "kind": kind, "creative": f"{channel}-{number % 2}", "id_phone": phone(number)}


def bill(day: date, channel: str, cost: int) -> Row:
    """A day's spend of a channel's campaign."""
    told = {"spend_day": day, "channel": channel, "campaign": "c", "ad_group": None, "creative": None}
    return {**told, "cost": f"{cost}.00", "currency": "CNY", "clicks": 50, "impressions": 120}


def application(wave: int, number: int, day: date) -> Row:
    """An application, approved for two of three."""
    told = {"application_id": f"a{wave}-{number}", "applied_at": moment(day), "id_phone": phone(number)}
    return {**told, "decision": "approved" if number % 3 else "declined", "decided_at": moment(day + timedelta(days=1))}


def loan(wave: int, number: int, day: date) -> Row:
    """The loan of an application."""
    told = {"loan_id": f"l{wave}-{number}", "application_id": f"a{wave}-{number}", "funded_at": moment(day)}
    return {**told, "principal": "1000.00", "currency": "CNY"}


def repaid(wave: int, number: int, day: date, month: int, late: int) -> Row:
    """A loan's state."""
    told = {"loan_id": f"l{wave}-{number}", "as_of_day": day, "months_on_book": month, "days_past_due": late}
    return {**told, "balance": "900.00", "currency": "CNY"}
