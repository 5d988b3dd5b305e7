"""Spend is conserved: random bills in three currencies equal a plain reading of the rates, to the minor unit."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from jobs.measure.spend_ledger import spend_ledger
from jobs.runtime.errors import DataRefused
from jobs.tables.ingest import FX_RATES, SPEND

FIRST = date(2026, 1, 1)
CENT = Decimal("0.01")


def bill(number: int, on: date, currency: str, cost: str) -> dict[str, Any]:
    return {"spend_day": on, "channel": "feed_a", "campaign": f"c{number}", "cost": Decimal(cost), "currency": currency}


def test_random_bills_tie_with_a_plain_reading(rows: Any, conf: Any, make_shell: Any) -> None:
    chance = random.Random(4)
    rates = {
        (currency, FIRST + timedelta(days=n)): Decimal(chance.randrange(10**6, 10**9)).scaleb(-8)
        for currency in ("USD", "EUR")
        for n in (0, 3, 4, 9)
    }
    bills = [
        bill(
            n, FIRST + timedelta(days=chance.randrange(12)), chance.choice(["CNY", "USD", "EUR"]), f"{n}.{n % 100:02d}"
        )
        for n in range(200)
    ]
    expected = {}
    for row in bills:
        known = [day for currency, day in rates if currency == row["currency"] and day <= row["spend_day"]]
        rate = rates[(row["currency"], max(known))] if row["currency"] != "CNY" else Decimal(1)
        expected[row["campaign"]] = int((row["cost"] * rate).quantize(CENT, ROUND_HALF_UP) * 100)
    dated = [{"rate_day": day, "currency": currency, "rate": rate} for (currency, day), rate in rates.items()]
    found = spend_ledger(rows(SPEND, bills), rows(FX_RATES, dated), conf=conf, shell=make_shell()).toPandas()
    assert dict(zip(found["campaign"], found["cost_minor"], strict=True)) == expected


def test_a_bill_before_the_first_rate_is_refused(rows: Any, conf: Any, make_shell: Any) -> None:
    late = [{"rate_day": FIRST + timedelta(days=1), "currency": "USD", "rate": Decimal(7)}]
    with pytest.raises(DataRefused, match=r"1 rows of spend in USD from 2026-01-01"):
        spend_ledger(rows(SPEND, [bill(1, FIRST, "USD", "1")]), rows(FX_RATES, late), conf=conf, shell=make_shell())
