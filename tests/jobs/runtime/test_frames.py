"""Doubles at their declared scale: the nearest one with so many digits, stable under a second pass."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from typing import Any

from jobs.contract import Column, Table
from jobs.runtime.frames import conform
from jobs.tables.ingest import key


def at_scale(spark: Any, values: list[float | None], scale: int) -> list[float | None]:
    table = Table("t", "link", "t", ("n",), (key("n", "bigint", "n"), Column("v", "double", "v", scale=scale)))
    frame = spark.createDataFrame(list(enumerate(values)), "n bigint, v double")
    return [row["v"] for row in conform(frame, table, job="j").sort("n").collect()]


def test_a_double_is_the_nearest_one_of_its_scale_and_stays_it(spark: Any) -> None:
    dice = random.Random(1)
    for scale in (2, 6, 12):
        values: list[float | None] = [dice.uniform(-1, 1) * 10 ** dice.uniform(-14, 3) for _ in range(2000)]
        found = at_scale(spark, values, scale)
        for value, got in zip(values, found, strict=True):
            assert value is not None
            assert got is not None
            step = Decimal(10) ** -scale
            assert got == float(Decimal(got).quantize(step)), "a number of that many digits"
            assert abs(Decimal(got) - Decimal(value)) <= step / 2 + Decimal(math.ulp(value))
            assert math.copysign(1.0, got) == 1.0 or got < 0.0, "no -0.0"
        assert at_scale(spark, found, scale) == found


def test_what_has_no_digits_there_is_left_alone(spark: Any) -> None:
    kept = [None, 1e300, -1e18, float("inf"), 0.0]
    assert at_scale(spark, kept, 6) == kept
    assert math.isnan(at_scale(spark, [float("nan")], 6)[0] or 0.0)
    assert [math.copysign(1.0, v or 0.0) for v in at_scale(spark, [-0.0, -1e-9], 6)] == [1.0, 1.0]
