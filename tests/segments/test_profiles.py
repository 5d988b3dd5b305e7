"""A number is told by the quarter it lies in, ties and all."""

from __future__ import annotations

from typing import Any

import pytest

from segments.profiles import level


@pytest.mark.parametrize(
    ("cuts", "told"),
    [
        ([1.0, 2.0, 3.0], ["quarter 1", "quarter 2", "quarter 3", "quarter 4", "(null)"]),
        ([0.0, 0.0, 3.0], ["quarter 3", "quarter 3", "quarter 3", "quarter 4", "(null)"]),
        ([], ["quarter 1", "quarter 1", "quarter 1", "quarter 1", "(null)"]),
    ],
)
def test_the_quarter_is_the_one_that_quartiles_tell(spark: Any, cuts: list[float], told: list[str]) -> None:
    numbers = spark.createDataFrame([(0.5,), (1.0,), (2.5,), (3.0,), (None,)], "visits double")
    found = [row[0] for row in numbers.select(level("visits", "numeric", cuts)).collect()]
    assert [word.removeprefix("visits ") for word in found] == told
