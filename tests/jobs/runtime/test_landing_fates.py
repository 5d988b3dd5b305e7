"""Rows that repeat a key, part of which may be null: one of equal ones is let in, of different ones none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.contract import Column, Table
from jobs.runtime.landing_fates import decided

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DAYS = (date(2026, 1, 5), date(2026, 1, 6))
TABLE = Table(
    "somethings",
    "ingest",
    "Rows of a key one part of which may be null.",
    key=("name", "part"),
    columns=(
        Column("name", "string", "who", nullable=False),
        Column("part", "string", "of what"),
        Column("amount", "bigint", "how much"),
    ),
)
SCHEMA = (
    "day date, _file string, _row bigint, _reason string, _column string, _raw binary, _vault binary, "
    "name string, part string, amount bigint"
)
LANDED = st.tuples(
    st.sampled_from(DAYS),
    st.sampled_from(["a", "b"]),  # file
    st.sampled_from([None, None, None, "bad_value"]),
    st.sampled_from(["x", "y"]),
    st.sampled_from([None, "p", "q"]),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([None, b"v", b"w"]),  # what the vault holds of a row is part of it
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LANDED, max_size=24))
def test_of_a_keys_rows_the_first_of_equal_ones_is_let_in_and_contradictions_are_not(
    spark: SparkSession, make_shell: Callable[..., Any], landed: list[tuple[Any, ...]]
) -> None:
    rows = [
        (day, file, nth, reason, None, None, vault, name, part, amount)
        for nth, (day, file, reason, name, part, amount, vault) in enumerate(landed)
    ]
    found = decided(spark.createDataFrame(rows, SCHEMA), TABLE, make_shell()).collect()
    good: dict[Any, list[tuple[Any, ...]]] = {}
    for row in rows:
        if row[3] is None:
            good.setdefault((row[0], row[7], row[8]), []).append(row)
    wanted: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        if row[3] is not None:
            wanted[(*row[:3], "quarantined", row[3])] += 1
            continue
        same = good[row[0], row[7], row[8]]
        if len({other[6:] for other in same}) > 1:
            wanted[(*row[:3], "quarantined", "key_conflict")] += 1
        else:
            first = min(same, key=lambda other: other[1:3])
            wanted[(*row[:3], "out" if row is first else "duplicate", None)] += 1
    assert Counter((r["day"], r["_file"], r["_row"], r["_fate"], r["_reason"]) for r in found) == wanted
    assert {row["_row"]: row["amount"] for row in found} == {row[2]: row[9] for row in rows}
