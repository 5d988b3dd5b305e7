"""Typing, identifiers and line accounting of landing files, without Spark: golden values and properties."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.runtime.errors import DataRefused
from jobs.runtime.landing_blocks import blocks
from jobs.runtime.landing_contract import Source
from jobs.runtime.landing_files import inspect
from jobs.runtime.landing_people import canonical
from jobs.runtime.landing_types import Marks, typed

DAY = date(2026, 1, 1)
BAD = object()
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GOLDEN: list[tuple[str, str, Any]] = [
    ("timestamp", "2026-01-01T12:00:00Z", NOON),
    ("timestamp", " 2026-01-01 20:00+08:00 ", NOON),
    ("timestamp", "2026-01-01T12:00:00.1234567Z", NOON.replace(microsecond=123456)),
    ("timestamp", "2026-01-01T12:00:00", "naive_timestamp"),
    ("timestamp", "2026-13-01T12:00:00Z", "bad_type"),
    ("timestamp", "1767268800", "bad_type"),
    ("timestamp", "0001-01-01T00:00:00Z", "bad_value"),
    ("date", "2026-01-31", date(2026, 1, 31)),
    ("date", "2026-02-30", "bad_type"),
    ("date", "31.01.2026", "bad_type"),
    ("bigint", "12.0", 12),
    ("bigint", "12.5", "bad_type"),
    ("bigint", "1e3", "bad_type"),
    ("double", "-1.5E3", -1500.0),
    ("double", "1,5", "bad_type"),
    ("double", "nan", "bad_type"),
    ("double", "1e999", "bad_value"),
    ("decimal(18,2)", "10.005", Decimal("10.00")),
    ("decimal(18,2)", "+7", Decimal("7.00")),
    ("decimal(18,2)", "1,000.00", "bad_type"),
    ("decimal(18,2)", "12345678901234567890", "bad_value"),
    ("boolean", "TRUE", True),
    ("boolean", "yes", "bad_type"),
    ("string", "\ufeff x\u00a0", "x"),
    ("string", "   ", None),
]


@pytest.mark.parametrize(("kind", "text", "wanted"), GOLDEN)
def test_text_is_read_as_written_or_refused_with_its_reason(kind: str, text: str, wanted: Any) -> None:
    marks = Marks(2)
    values = typed(pa.array([text, None]), kind, "c", marks)
    reason = marks.reasons[marks.found[0]][0]
    if isinstance(wanted, str) and kind != "string":
        assert reason == wanted
    else:
        assert (reason, values[0].as_py()) == ("", wanted)
    assert marks.found[1] == 0


@given(st.lists(st.none() | st.decimals(-(10**12), 10**12, places=4, allow_nan=False), min_size=1))
def test_money_is_exact_from_text_and_from_decimals(amounts: list[Decimal | None]) -> None:
    wanted = [a if a is None else a.quantize(Decimal("0.01"), ROUND_HALF_EVEN) for a in amounts]
    for stored in (
        pa.array([a if a is None else f"{a:f}" for a in amounts], pa.string()),
        pa.array(amounts, pa.decimal128(20, 4)),
    ):
        marks = Marks(len(amounts))
        assert typed(stored, "decimal(18,2)", "c", marks).to_pylist() == wanted
        assert not marks.is_bad.any()


@given(st.lists(st.none() | st.floats(allow_infinity=False), min_size=1))
def test_reals_survive_text_and_not_a_number_is_null(reals: list[float | None]) -> None:
    wanted = [None if r is None or math.isnan(r) else r for r in reals]
    text = pa.array([None if r is None else repr(r) for r in wanted], pa.string())
    marks = Marks(len(reals))
    assert typed(text, "double", "c", marks).to_pylist() == wanted
    assert typed(pa.array(reals, pa.float64()), "double", "c", marks).to_pylist() == wanted
    assert not marks.is_bad.any()


@pytest.mark.parametrize(
    ("kind", "raw", "region", "wanted"),
    [
        ("phone", "+86 139-1234 5678", None, "+8613912345678"),
        ("phone", "008613912345678", None, "+8613912345678"),
        ("phone", "13912345678", "CN", "+8613912345678"),
        ("phone", "07400 123456", "GB", "+447400123456"),
        ("phone", "13912345678", None, BAD),
        ("email", "Ann@Example.ORG", None, "ann@example.org"),
        ("email", "ann at example", None, BAD),
        ("device", "ab-cd", None, "AB-CD"),
        ("cookie", "aB", None, "aB"),
    ],
)
def test_identifiers_have_one_canonical_form(kind: str, raw: str, region: str | None, wanted: Any) -> None:
    marks = Marks(1)
    found = canonical(kind, pa.array([raw]), f"id_{kind}", marks, region)[0].as_py()
    assert marks.is_bad[0] if wanted is BAD else (found, marks.is_bad[0]) == (wanted, False)


SOURCES = {name: Source(name, "string", True, False) for name in ("a", "b")}
CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELL, max_size=4).map(",".join), max_size=30), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_every_line_is_a_row_or_a_broken_row(tmp_path: Path, lines: list[str], end: str, is_ended: bool) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes((end.join(["a,b", *lines]) + (end if is_ended else "")).encode())
    file = inspect(path, "t/day/a.csv", DAY, SOURCES)
    found = list(blocks(file, frozenset(SOURCES), ()))
    assert file.rows == sum(1 for line in lines if line)
    assert sum(block.rows + len(block.broken) for block in found) == file.rows


def test_a_parquet_file_damaged_inside_is_refused_and_not_read_short(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    values = [f"value {n * 7919 % 10007}" for n in range(20_000)]
    pq.write_table(pa.table({"a": values, "b": values}), path, compression="zstd", use_dictionary=False)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    path.write_bytes(content)
    file = inspect(path, "t/day/a.parquet", DAY, SOURCES)
    with pytest.raises(DataRefused, match=r"t/day/a\.parquet is damaged inside"):
        list(blocks(file, frozenset(SOURCES), (0,)))
