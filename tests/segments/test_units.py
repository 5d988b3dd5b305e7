"""A snapshot in another unit is found and taken back; what may be a change of the people is left as it is."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segments.units import Change, in_usual_units, quartiles_of, unit_changes

DAYS = [date(2026, month, 1) for month in range(1, 6)]
PEOPLE = 2_000


def quartiles(*snapshots: np.ndarray) -> pd.DataFrame:
    """Of a feature `f`, a snapshot a day."""
    rows = [
        ("f", day, len(values), *np.quantile(values, [0.25, 0.5, 0.75]))
        for day, values in zip(DAYS, snapshots, strict=False)
    ]
    return pd.DataFrame(rows, columns=["feature", "snapshot_day", "people", "lower", "middle", "upper"])


def drawn(seed: int, spread: float = 0.8, people: int = PEOPLE) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).normal(0.0, spread, people))


@given(st.sampled_from([100.0, 1000.0, 12.0, 0.01, 1 / 7.8]), st.integers(1, 4), st.integers(0, 50))
def test_every_snapshot_from_the_change_on_is_told_with_its_factor(factor: float, first: int, seed: int) -> None:
    told = [drawn(seed + n) * (factor if n >= first else 1.0) for n in range(5)]
    found = unit_changes(quartiles(*told).sample(frac=1.0, random_state=seed))
    assert [change.snapshot_day for change in found] == DAYS[first:]
    assert [change.factor for change in found] == pytest.approx([factor] * (5 - first), rel=0.15)


def test_a_unit_that_comes_back_is_the_usual_one_again() -> None:
    told = [drawn(n) * (100.0 if n == 2 else 1.0) for n in range(5)]
    assert [change.snapshot_day for change in unit_changes(quartiles(*told))] == [DAYS[2]]


def test_slow_drift_another_shape_and_few_people_are_no_change_of_unit() -> None:
    slow = [drawn(n) * 2.0**n for n in range(5)]
    assert unit_changes(quartiles(*slow)) == []
    assert unit_changes(quartiles(drawn(0), drawn(1, spread=2.0) * 100.0)) == []
    assert unit_changes(quartiles(drawn(0), drawn(1, people=150) * 100.0)) == []
    assert unit_changes(quartiles(drawn(0) - 1.0, (drawn(1) - 1.0) * 100.0)) == []


def test_drift_before_a_change_is_not_taken_for_it() -> None:
    told = [drawn(n) * 2.0**n * (100.0 if n == 4 else 1.0) for n in range(5)]
    (change,) = unit_changes(quartiles(*told))
    assert change.factor == pytest.approx(200.0, rel=0.15)  # against the snapshot before, which it is read like


def test_quartiles_of_snapshots_and_back(spark: Any) -> None:
    values = [(day, f"p{n}", float(v * (50.0 if day == DAYS[1] else 1.0)), n) for day in DAYS[:2] for n, v in
              enumerate(drawn(3, people=400))]  # fmt: skip
    frame = spark.createDataFrame([*values, (DAYS[0], "null", None, 0)], "day date, key string, f double, n bigint")
    told = quartiles_of(frame, ("f", "n")).toPandas()
    assert len(told) == 4
    assert told.loc[told["feature"] == "f", "people"].tolist() == [400, 400]
    found = unit_changes(told)
    assert found == [Change("f", DAYS[1], pytest.approx(50.0), 400)]
    back = in_usual_units(frame, {(c.feature, c.snapshot_day): c.factor for c in found}).toPandas()
    pivot = back.pivot(index="key", columns="day", values="f").dropna()
    assert np.allclose(pivot[DAYS[0]], pivot[DAYS[1]])
    assert len(pivot) == 400
    assert back.columns.tolist() == frame.columns
