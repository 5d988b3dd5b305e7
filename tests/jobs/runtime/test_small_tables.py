"""Small results are stored as Spark would store them, and their hash tells any two contents apart."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.contract import Column, Table
from jobs.runtime import frames, small_tables
from jobs.runtime.errors import Fault
from jobs.tables.ingest import key

DAYS = (date(2026, 1, 1), date(2026, 1, 2))
KINDS = {
    "share": "double",
    "rows": "bigint",
    "nth": "int",
    "is_new": "boolean",
    "on_day": "date",
    "at": "timestamp",
    "money": "decimal(18,2)",
    "sealed": "binary",
    "words": "array<string>",
    "note": "string",
}
COLUMNS = tuple(Column(name, kind, name, scale=6) for name, kind in KINDS.items())
TABLE = Table("small", "model", "small", ("name",), (key("name", "string", "name"), *COLUMNS))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "share": st.floats(allow_nan=False, width=32),
    "rows": st.integers(-(2**63), 2**63 - 1),
    "nth": st.integers(-(2**31), 2**31 - 1),
    "is_new": st.booleans(),
    "on_day": st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    "at": st.integers(0, 2**52).map(lambda us: datetime.fromtimestamp(0, UTC) + timedelta(microseconds=us)),
    "money": st.decimals(-(10**12), 10**12, places=2),
    "sealed": st.binary(max_size=8),
    "words": st.lists(st.text(max_size=3), max_size=3),
    "note": st.text(max_size=5),
}
ROW_OF_ANY = st.fixed_dictionaries(
    {"name": st.text("abc", min_size=1, max_size=4), "day": st.sampled_from(DAYS)}
    | {name: st.none() | values for name, values in VALUES.items()}
)
ROWS = st.lists(ROW_OF_ANY, max_size=6, unique_by=lambda row: (row["day"], row["name"]))
MANY = st.lists(ROW_OF_ANY, min_size=20, max_size=40, unique_by=lambda row: (row["day"], row["name"]))


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame({n: pd.Series([row[n] for row in rows], dtype=object) for n in ("day", "name", *KINDS)})


def staged(rows: list[dict[str, Any]], folder: Path) -> dict[str | None, dict[str, Any]]:
    return small_tables.stage(frame(rows), TABLE, folder, DAYS, "j")


ROW = {"name": "a", "day": DAYS[0], **dict.fromkeys(KINDS)}


def version(rows: list[dict[str, Any]], folder: Path) -> str:
    return frames.version(staged(rows, folder)[DAYS[0].isoformat()], TABLE)


def test_spark_reads_what_it_would_have_written(spark: Any, tmp_path: Path) -> None:
    nth = iter(range(100))

    @settings(max_examples=5)
    @given(MANY)
    def holds(rows: list[dict[str, Any]]) -> None:
        place = tmp_path / str(next(nth))
        mine, its = place / "mine", place / "its"
        figures = staged(rows, mine)
        schema = frames.schema(TABLE, with_day=True)
        arrow = small_tables.as_arrow(frame(rows), TABLE, "j")
        conformed = frames.conform(spark.createDataFrame(arrow, schema=schema), TABLE, job="j", keep_day=True)
        conformed.write.partitionBy("day").parquet(str(its))
        found = [spark.read.schema(schema).parquet(str(p)).sort("day", "name").collect() for p in (mine, its)]
        assert found[0] == found[1]
        told = frames.profile(spark.read.schema(schema).parquet(str(its)), TABLE, by_day=True)
        assert {d: (f["rows"], f["keys"]) for d, f in figures.items()} == {
            d: (f["rows"], f["keys"]) for d, f in told.items()
        }

    holds()


@given(rows=ROWS, change=st.data())
def test_the_hash_tells_contents_apart_and_nothing_else(
    rows: list[dict[str, Any]], change: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("small")
    first = [{**row, "day": DAYS[0]} for row in [ROW, *(row for row in rows if row["name"] != "a")]]
    first = list({row["name"]: row for row in first}.values())
    was = version(first, folder / "was")
    assert version(first[::-1], folder / "turned") == was, "order is nothing"
    name = change.draw(st.sampled_from(sorted(VALUES)))
    value = change.draw(VALUES[name])
    assert version([{**first[0], name: value}, *first[1:]], folder / "changed") != was, (name, value)


def test_a_double_is_stored_at_its_scale(tmp_path: Path) -> None:
    values = [0.1234565, -1e-9, None, 1e300, float("inf"), 2.5e-6]
    rows = [{**ROW, "name": str(n), "share": value} for n, value in enumerate(values)]
    staged(rows, tmp_path / "s")
    found = pd.read_parquet(tmp_path / "s" / f"day={DAYS[0]}")["share"].tolist()
    assert found[0] == round(found[0], 6)
    assert math.copysign(1.0, found[1]) == 1.0
    assert math.isnan(found[2])
    assert found[3:5] == [1e300, float("inf")]
    assert found[5] in (2e-6, 3e-6)


def test_what_breaks_the_declaration_is_told(tmp_path: Path) -> None:
    rows = [ROW, {**ROW, "rows": 2}, {**ROW, "name": None, "money": Decimal("1.00")}]
    figures = small_tables.stage(frame(rows), TABLE, tmp_path / "s", None, "j")[None]
    assert sorted(frames.complaints(figures, TABLE)) == [
        "1 rows repeat a key of (name)",
        "1 rows: null in required name",
    ]
    with pytest.raises(Fault, match=r"job j, table small: columns missing \['share'\]"):
        small_tables.stage(frame([ROW]).drop(columns="share"), TABLE, tmp_path / "t", DAYS, "j")
