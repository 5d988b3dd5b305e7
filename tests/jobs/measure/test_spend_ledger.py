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
    billed = rows(SPEND, bills)
    found = spend_ledger(billed, billed, rows(FX_RATES, dated), conf=conf, shell=make_shell()).toPandas()
    assert dict(zip(found["campaign"], found["cost_minor"], strict=True)) == expected


def test_a_bill_before_the_first_rate_is_refused(rows: Any, conf: Any, make_shell: Any) -> None:
    late = [{"rate_day": FIRST + timedelta(days=1), "currency": "USD", "rate": Decimal(7)}]
    billed = rows(SPEND, [bill(1, FIRST, "USD", "1")])
    with pytest.raises(DataRefused, match=r"1 rows of spend in USD from 2026-01-01"):
        spend_ledger(billed, billed, rows(FX_RATES, late), conf=conf, shell=make_shell())


def test_restatements_are_counted_and_names_cleaned_with_the_raw_one_kept(
    rows: Any, conf: Any, make_shell: Any
) -> None:
    place = {"ad_group": None, "creative": None}
    landed = [
        bill(1, FIRST, "CNY", "5.00") | place | {"day": FIRST + timedelta(days=1)},
        bill(1, FIRST, "CNY", "5.00") | place | {"day": FIRST + timedelta(days=2)},
        bill(1, FIRST, "CNY", "6.50") | place | {"day": FIRST + timedelta(days=3)},
        bill(1, FIRST, "CNY", "9.00") | place | {"ad_group": "g1", "day": FIRST + timedelta(days=3)},
        bill(2, FIRST, "CNY", "1.00") | {"campaign": " C2_20260101 ", "day": FIRST + timedelta(days=1)},
    ]
    rules = (("(?i)^c", "c"), (r"_\d{8}$", ""))
    measure = conf.base.measure.model_copy(update={"campaign_names": rules})
    named = conf.model_copy(update={"base": conf.base.model_copy(update={"measure": measure})})
    found = spend_ledger(
        rows(SPEND, landed[2:]), rows(SPEND, landed), rows(FX_RATES, []), conf=named, shell=make_shell()
    ).toPandas()
    assert sorted(found["cost_minor"]) == [100, 650, 900]
    told = found.set_index("cost_minor")
    assert told["restated"].to_dict() == {650: 1, 900: 0, 100: 0}, "landed again as it was is no restatement"
    assert told.loc[650, "first_day"] == FIRST + timedelta(days=1)
    assert told.loc[900, "first_day"] == FIRST + timedelta(days=3)
    assert told["campaign"].to_dict() == {650: "c1", 900: "c1", 100: "c2"}
    assert told.loc[100, "campaign_raw"] == " C2_20260101 "
