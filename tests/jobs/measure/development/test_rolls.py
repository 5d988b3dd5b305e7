"""Balances roll into states whose shares add up to 1, whatever the book, and nothing leaves unseen."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date
from typing import Any

import pytest
from pyspark.sql import types as T

from jobs.measure.development.rolls import roll_rates

SCHEMA = T.StructType(
    [
        T.StructField("loan_id", T.StringType()),
        T.StructField("months_on_book", T.LongType()),
        T.StructField("as_of_day", T.DateType()),
        T.StructField("days_past_due", T.LongType()),
        T.StructField("is_charged_off", T.BooleanType()),
        T.StructField("balance_minor", T.LongType()),
    ]
)


def month_end(month: int) -> date:
    return date(2025 + (month - 1) // 12, (month - 1) % 12 + 1, 28)


def named(row: tuple[Any, ...]) -> str:
    _, _, _, days, is_off, balance = row
    if is_off:
        return "charged_off"
    if balance == 0 and days == 0:
        return "repaid"
    return next((name for most, name in ((0, "current"), (30, "M1"), (60, "M2"), (90, "M3")) if days <= most), "M4+")


def test_random_books_equal_a_plain_reading_and_rows_add_up_to_one(spark: Any) -> None:
    dice = random.Random(3)
    book = []
    for loan in range(80):
        for month in range(1, dice.randrange(2, 9)):
            if month > 1 and dice.random() < 0.1:
                continue
            state = (dice.choice([0, 0, 0, 5, 45, 75, 100]), dice.random() < 0.05, dice.choice([0, 100, 2500]))
            book.append((f"l{loan}", month, month_end(month), *state))
    found = roll_rates(spark.createDataFrame(book, SCHEMA)).toPandas()
    newest = max(row[2] for row in book)
    seen = {(row[0], row[1]): row for row in book}
    counted: Counter[tuple[str, str, str]] = Counter()
    for row in book:
        if named(row) in ("repaid", "charged_off"):
            continue
        later = seen.get((row[0], row[1] + 1))
        due = month_end(row[1] + 1)
        if later is not None or due <= newest:
            key = (due.strftime("%Y-%m"), named(row), named(later) if later else "not_reported")
            counted[key] += 1
    told = {(r.month, r.state, r.next_state): r.loans for r in found.itertuples()}
    assert told == dict(counted)
    owed = found[found["rate"].notna()]
    assert owed.groupby(["month", "state"])["rate"].sum().tolist() == pytest.approx(
        [1.0] * owed.groupby(["month", "state"]).ngroups
    )
    assert {"not_reported", "charged_off", "current", "M4+"} <= set(found["next_state"])
