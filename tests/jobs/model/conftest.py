"""A small planted market: what drives each stage is known, so that a model can be held against it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from jobs.contract import Table
from jobs.runtime.conf import Conf
from jobs.tables.ingest import CREATIVES, FX_RATES, PROSPECTS, SPEND
from jobs.tables.link import ASSIGNMENT_OUTCOMES, LINKED_TOUCHES, MATURED_OUTCOMES, SHARED_IDENTITIES
from jobs.tables.model import FEATURE_UNITS, STAGE_MODELS

DAY = date(2026, 6, 1)
WAVES = [date(2025, m, 2) for m in range(8, 13)] + [date(2026, m, 2) for m in range(1, 6)]
SNAPSHOT = date(2025, 8, 1)
PEOPLE = 2500
UNIT_COST = {"feed_a": 2.0, "sms": 0.5}


def chance(z: Any) -> Any:
    """The logistic function."""
    return 1 / (1 + np.exp(-z))


@dataclass
class Planted:
    """Frames by table, and the truth: z is a prospect's standardised income, which drives every stage."""

    frames: dict[str, Any]
    key: list[str]
    z: np.ndarray

    def click(self, channel: str) -> np.ndarray:
        """P(click): on feed_a the well-paid click, on sms the others."""
        return chance(-1.2 + 1.2 * self.z) if channel == "feed_a" else chance(-1.5 - 1.0 * self.z)

    def apply(self) -> np.ndarray:
        """P(apply | click)."""
        return chance(-1.2 + 0.8 * self.z)


def at(day: date, hours: int = 10) -> datetime:
    """A UTC moment of that day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours)


def draw() -> tuple[Planted, dict[str, list[dict[str, Any]]]]:
    """The market's rows by table name; seeded."""
    rng = np.random.default_rng(11)
    z = rng.normal(size=PEOPLE)
    key = [f"p{i:05d}" for i in range(PEOPLE)]
    planted = Planted({}, key, z)
    city = rng.choice(["north", "south", "west"], PEOPLE)
    prospects = [
        {"prospect_key": k, "income": float(round(5000 + 1000 * v, 3)), "city": str(c), "region": "r1"}
        for k, v, c in zip(key, z, city, strict=True)
    ]
    assignments: list[dict[str, Any]] = []
    touches: list[dict[str, Any]] = []
    spend: list[dict[str, Any]] = []
    clicks = {channel: planted.click(channel) for channel in UNIT_COST}
    apply, organic = planted.apply(), 0.01
    for wave in WAVES:
        arm = rng.choice(["feed_a", "sms", "none"], PEOPLE, p=[0.4, 0.4, 0.2])
        billed = {"feed_a": 0, "sms": 0}
        for i in range(PEOPLE):
            channel = str(arm[i])
            is_held = channel == "none"
            clicked = not is_held and bool(rng.random() < clicks[channel][i])
            applied = bool(rng.random() < (apply[i] if clicked else 0.0)) or bool(rng.random() < organic)
            assignments.append(
                {
                    "prospect_key": key[i],
                    "person_key": key[i],
                    "assigned_day": wave,
                    "channel": channel,
                    "role": "holdout" if is_held else "exploration",
                    "propensity": 0.2 if is_held else 0.4,
                    "snapshot_day": SNAPSHOT,
                    "impressions": 0 if is_held else 1,
                    "clicks": int(clicked),
                    "is_applied": applied,
                }
            )
            if is_held:
                continue
            creative = f"{channel}-{'even' if i % 2 else 'odd'}"
            for kind in ["click"] * clicked + ["impression" if channel == "feed_a" else "message"]:
                moment = at(wave)
                touches.append(
                    {
                        "touch_id": f"t{len(touches)}",
                        "prospect_key": key[i],
                        "occurred_at": moment,
                        "channel": channel,
                        "campaign": "c",
                        "kind": kind,
                        "creative": creative,
                    }
                )
            billed[channel] += clicked if channel == "feed_a" else 1
        for channel, units in billed.items():
            cost = Decimal(f"{units * UNIT_COST[channel]:.2f}")
            spend.append({"spend_day": wave, "channel": channel, "campaign": "c", "cost": cost, "currency": "CNY"})
    outcomes = _book(rng, key, z)
    creatives = [
        {"creative": f"{c}-{kind}", "channel": c, "placement": "p", "format": "f", "features": "{}"}
        for c in UNIT_COST
        for kind in ("odd", "even")
    ]
    tables = {
        "prospects": prospects,
        "assignment_outcomes": assignments,
        "linked_touches": touches,
        "spend": spend,
        "matured_outcomes": outcomes,
        "creatives": creatives,
        "fx_rates": [],
    }
    return planted, tables


def _book(rng: np.random.Generator, key: list[str], z: np.ndarray) -> list[dict[str, Any]]:
    """Applications over 24 months: the well-paid are approved more and late less; young loans may be open."""
    found: list[dict[str, Any]] = []
    for n in range(4000):
        i = int(rng.integers(PEOPLE))
        age = int(rng.integers(20, 720))
        applied = DAY - timedelta(days=age)
        approved = bool(rng.random() < chance(0.3 + 1.0 * z[i]))
        funded = approved and bool(rng.random() < 0.6)
        late = funded and bool(rng.random() < chance(-2.0 - 0.8 * z[i]))
        months = min(12, age // 30)
        shows = late and months >= 4
        decided = funded and (months >= 12 or shows)
        found.append(
            {
                "application_id": f"a{n:05d}",
                "prospect_key": key[i],
                "person_key": key[i],
                "applied_at": at(applied),
                "partner": ("first", "second")[n % 2],
                "product": "cash",
                "is_approved": approved,
                "decided_at": at(applied, 12),
                "is_funded": funded,
                "funded_at": at(applied, 14) if funded else None,
                "loan_id": f"l{n}" if funded else None,
                "months_observed": months if funded else None,
                "is_fraud": False if funded else None,
                "is_late": shows if decided else None,
                "late_month": 4 if decided and shows else None,
                "is_good": (not shows) if decided else (False if not funded else None),
            }
        )
    return found


@pytest.fixture(scope="session")
def market(spark: Any, conf: Conf, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """The planted market as Spark frames with the declared schemas, read from Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyspark.sql.pandas.types import to_arrow_schema

    from jobs.runtime import frames

    planted, content = draw()
    folder = tmp_path_factory.mktemp("planted")

    def frame(table: Table, day: date = DAY) -> Any:
        schema = frames.schema(frames.resolved(table, conf), with_day=True)
        filled = [{"day": day, **row} for row in content.get(table.name, [])]
        file = folder / f"{table.name}.parquet"
        pq.write_table(pa.Table.from_pylist(filled, schema=to_arrow_schema(schema, timezone="UTC")), file)
        return spark.read.schema(schema).parquet(str(file))

    planted.frames = {
        "prospects": frame(PROSPECTS, SNAPSHOT),
        "assignments": frame(ASSIGNMENT_OUTCOMES),
        "outcomes": frame(MATURED_OUTCOMES),
        "touches": frame(LINKED_TOUCHES),
        "shared": frame(SHARED_IDENTITIES),
        "creatives": frame(CREATIVES),
        "spend": frame(SPEND),
        "rates": frame(FX_RATES),
        "earlier": frame(STAGE_MODELS),
        "units": frame(FEATURE_UNITS),
    }
    return planted
