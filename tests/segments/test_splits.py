"""Largest remainder: parts tie to the unit, stay within one unit of their share, and do not depend on row order."""

from __future__ import annotations

import random
from typing import Any

from segments.splits import largest_remainder


def test_parts_tie_and_are_fair_and_repeatable(spark: Any) -> None:
    dice = random.Random(11)
    cells = {f"c{i:03d}": dice.choice([0, 1, 7, -5, dice.randrange(10**9), 10**13 + i]) for i in range(120)}
    rows = [
        (cell, f"b{j}", amount, dice.choice([1, 1, 2, dice.randrange(1, 10**6)]))
        for cell, amount in cells.items()
        for j in range(dice.randrange(1, 9))
    ]

    def split(content: list[tuple[str, str, int, int]]) -> dict[tuple[str, str], tuple[int, int]]:
        frame = spark.createDataFrame(content, "cell string, part string, amount long, weight long")
        told = largest_remainder(frame, ["cell"], ["part"], "amount", "weight", "share")
        assert told.columns == [*frame.columns, "share"]
        return {(row["cell"], row["part"]): (row["share"], row["weight"]) for row in told.collect()}

    found = split(rows)
    assert len(found) == len(rows)
    for cell, amount in cells.items():
        parts = [value for key, value in found.items() if key[0] == cell]
        total = sum(weight for _, weight in parts)
        assert sum(share for share, _ in parts) == amount
        assert all(abs(share * total - amount * weight) < total for share, weight in parts)
    assert split(rows[::-1]) == found
    equal = split([("x", "b", 10, 1), ("x", "a", 10, 1), ("x", "c", 10, 1)])
    assert {part: share for (_, part), (share, _) in equal.items()} == {"a": 4, "b": 3, "c": 3}
