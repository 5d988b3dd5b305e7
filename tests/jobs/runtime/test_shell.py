"""The shell: what is published, when, under which version; what is refused; what an unchanged re-run does."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import functions as F

from jobs.contract import Column, Table, job
from jobs.registry import tables
from jobs.runtime import frames
from jobs.runtime.errors import DataRefused, Fault

DAY = date(2026, 3, 1)
NEXT = date(2026, 3, 2)
EVERY_TYPE = Table(
    "every_type",
    "link",
    "one column of every declared type",
    ("name",),
    (
        Column("name", "string", "text", nullable=False),
        Column("price", "double", "a double", scale=6),
        Column("count", "bigint", "an integer"),
        Column("ok", "boolean", "a flag"),
        Column("on", "date", "a date"),
        Column("at", "timestamp", "a time"),
        Column("money", "decimal(18,2)", "money"),
        Column("bytes", "binary", "bytes"),
        Column("vector", "array<double>", "numbers"),
    ),
)
ROWS = pd.DataFrame(
    {
        "name": ["a", "b"],
        "price": [1.25, None],
        "count": [1, 2],
        "ok": [True, False],
        "on": [date(2026, 1, 1), None],
        "at": [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)],
        "money": [Decimal("1.00"), Decimal("2.00")],
        "bytes": [b"x", b""],
        "vector": [[1.0, 2.0], []],
    }
)
ONE_UNIT = {
    "name": "aa",
    "price": 1.250001,
    "count": 3,
    "ok": False,
    "on": date(2026, 1, 2),
    "at": datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
    "money": Decimal("1.01"),
    "bytes": b"y",
    "vector": [1.0, 2.000000001],
}


@job(reads={}, writes=EVERY_TYPE)
def every_type() -> pd.DataFrame:
    return ROWS


DOUBLED = Table(
    "doubled",
    "link",
    "prices doubled",
    ("name",),
    (Column("name", "string", "n"), Column("price", "double", "p", scale=6)),
)


@job(reads={"source": EVERY_TYPE, "past": EVERY_TYPE.before()}, writes=DOUBLED)
def doubled(source: Any, past: Any) -> Any:
    return source.select("name", (F.col("price") * 2).alias("price"))


def hash_of(shell: Any, pdf: pd.DataFrame, partitions: int = 1) -> str:
    frame = frames.conform(shell.frame(pdf, EVERY_TYPE).repartition(partitions), EVERY_TYPE, job="test")
    return frames.version(frames.profile(frame, EVERY_TYPE, by_day=False)[None], EVERY_TYPE)


def test_one_cell_changed_by_one_unit_in_any_column_changes_the_version(make_shell: Any) -> None:
    shell = make_shell()
    versions = {"as it was": hash_of(shell, ROWS)}
    for name, value in ONE_UNIT.items():
        changed = ROWS.astype(object).copy()
        changed.at[0, name] = value
        versions[name] = hash_of(shell, changed)
        emptied = ROWS.astype(object).copy()
        if name != "name":
            emptied.at[0, name] = None
            versions[f"{name} null"] = hash_of(shell, emptied)
    assert len(set(versions.values())) == len(versions), versions


@pytest.mark.usefixtures("several_partitions")
def test_order_and_partitioning_do_not_change_the_version(make_shell: Any) -> None:
    shell = make_shell()
    assert hash_of(shell, ROWS) == hash_of(shell, ROWS.iloc[::-1], partitions=2)


def test_run_publishes_once_then_nothing(make_shell: Any) -> None:
    shell = make_shell()
    first = shell.run(every_type, DAY)
    assert [(p.table, p.rows, p.is_new) for p in first] == [("every_type", 2, True)]
    assert [p.is_new for p in shell.run(every_type, DAY)] == [False]
    forced = shell.run(every_type, DAY, force=True)
    assert [(p.version, p.is_new) for p in forced] == [(first[0].version, False)]
    events = [e["event"] for e in shell.log.read()]
    assert events.count("published") == 1
    assert "unchanged" in events
    assert "same" in events
    assert not (shell.store.root / "staging" / shell.run_id).exists()


def test_a_job_reads_its_declared_days_and_reruns_when_they_change(make_shell: Any) -> None:
    shell = make_shell()
    with pytest.raises(DataRefused, match="every_type has no such day"):
        shell.run(doubled, DAY)
    shell.run(every_type, DAY)
    shell.run(every_type, NEXT)
    shell.run(doubled, NEXT)
    pointer = shell.store.pointer("doubled", NEXT)
    assert sorted(pointer.inputs) == ["every_type@2026-03-01", "every_type@2026-03-02"]
    prices = shell.read(DOUBLED, "day", NEXT).toPandas().set_index("name")["price"]
    assert prices["a"] == 2.5


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (pd.concat([ROWS, ROWS.head(1)]), "1 rows repeat a key"),
        (ROWS.assign(name=[None, "b"]), "null in required name"),
        (ROWS.assign(price=[float("nan"), 1.0]).astype({"price": object}), "not a number in price"),
    ],
)
def test_what_breaks_its_declaration_is_not_published(make_shell: Any, rows: pd.DataFrame, complaint: str) -> None:
    shell = make_shell()

    @job(reads={}, writes=EVERY_TYPE)
    def broken() -> Any:
        frame = shell.frame(ROWS, EVERY_TYPE)
        if "number" in complaint:
            return frame.withColumn("price", F.lit(float("nan")))
        return shell.frame(rows, EVERY_TYPE)

    with pytest.raises(Fault, match=complaint):
        shell.run(broken, DAY)
    assert shell.store.pointer("every_type", DAY) is None


def test_undeclared_and_missing_columns_are_our_fault(make_shell: Any) -> None:
    shell = make_shell()

    @job(reads={}, writes=DOUBLED)
    def wrong() -> Any:
        return shell.frame(ROWS, EVERY_TYPE).select("name", "count")

    with pytest.raises(Fault, match=r"missing \['price'\], undeclared \['count'\]"):
        shell.run(wrong, DAY)


def test_what_is_brought_over_is_whole_and_bounded(make_shell: Any) -> None:
    shell = make_shell()
    frame = shell.cut(shell.frame(ROWS, EVERY_TYPE))
    for bring in (shell.small, shell.sample):
        assert list(bring(frame, 2, ["name"])["name"]) == ["a", "b"]
        with pytest.raises(Fault, match="over 1 rows"):
            bring(frame, 1, ["name"])
    shell.tidy()


def test_every_declared_type_has_an_arrow_type() -> None:
    from jobs.runtime.types import arrow_type

    declared = {column.type for table in tables().values() for column in table.columns}
    assert all(arrow_type(kind) is not None for kind in declared)
