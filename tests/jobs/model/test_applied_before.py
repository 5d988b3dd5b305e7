"""How often a prospect had applied: what is on the day itself or after it is not told, to models or to the referee."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F

from jobs.evaluate.seen import _applied_before
from jobs.model.applied_before import with_applied_before
from jobs.tables.link import MATURED_OUTCOMES

DAY = date(2026, 6, 1)


@pytest.fixture(scope="module")
def book() -> pd.DataFrame:
    """Applications of thirty prospects over a year, some of nobody known; prospect `none` never applied."""
    dice = np.random.default_rng(1)
    at = [datetime(2026, 6, 1, tzinfo=UTC) - timedelta(hours=int(h)) for h in dice.integers(0, 365 * 24, 120)]
    who = [f"p{n}" if n < 30 else None for n in dice.integers(0, 33, 120)]
    return pd.DataFrame({"application_id": [f"a{n}" for n in range(120)], "prospect_key": who, "applied_at": at})


def as_dicts(book: pd.DataFrame) -> list[dict[str, Any]]:
    columns = (book["application_id"], book["prospect_key"], book["applied_at"])
    return [
        {"application_id": name, "prospect_key": key, "applied_at": at.to_pydatetime()}
        for name, key, at in zip(*columns, strict=True)
    ]


def plain(book: pd.DataFrame, key: str, day: date) -> float:
    mine = book.loc[book["prospect_key"] == key, "applied_at"]
    return float(min(sum(at.date() < day for at in mine), 3))


def test_each_day_knows_its_past_alone(book: pd.DataFrame, rows: Any, spark: Any) -> None:
    asked = [
        (key, DAY - timedelta(days=days)) for key in [*(f"p{n}" for n in range(30)), "none"] for days in (0, 90, 400)
    ]
    frame = spark.createDataFrame(asked, "prospect_key string, assigned_day date")
    outcomes = rows(MATURED_OUTCOMES, as_dicts(book), DAY)
    found = with_applied_before(frame, outcomes, F.col("assigned_day")).toPandas()
    told = [plain(book, row.prospect_key, row.assigned_day) for row in found.itertuples()]
    assert found["applications_before"].tolist() == told
    assert len(found) == len(asked)
    assert {0.0, 1.0, 2.0, 3.0} <= set(told)
    seen = _applied_before(found[["prospect_key", "assigned_day"]], book.dropna(), "assigned_day")
    assert seen["applications_before"].tolist() == told
