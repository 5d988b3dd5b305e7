"""The store: pointers move in one step, versions are content, rollback and sweep keep what is in force."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.runtime.errors import UsageError
from jobs.runtime.store import Pointer, Store

DAY = date(2026, 3, 1)


def publish(store: Store, version: str, cause: str = "c", run: str = "r") -> bool:
    staged = store.staging(run, "t")
    staged.mkdir(parents=True)
    pq.write_table(pa.table({"x": [1, 2, 3]}), staged / "part-0.parquet")
    return store.publish(staged, Pointer("t", str(DAY), version, 3, "x:bigint", {}, cause, run))


def test_publish_same_content_twice_is_one_version(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert publish(store, "aaaa")
    assert not publish(store, "aaaa")
    assert store.days("t") == [DAY]
    assert not (tmp_path / "staging" / "r" / "t").exists()


def test_same_content_from_another_cause_moves_only_the_cause(tmp_path: Path) -> None:
    store = Store(tmp_path)
    publish(store, "aaaa")
    assert not publish(store, "aaaa", cause="d")
    pointer = store.pointer("t", DAY)
    assert pointer is not None
    assert pointer.cause == "d"


def test_rollback_puts_an_earlier_version_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    publish(store, "aaaa")
    publish(store, "bbbb", cause="d")
    assert store.rollback("t", "aa").version == "aaaa"
    pointer = store.pointer("t", DAY)
    assert pointer is not None
    assert pointer.version == "aaaa"
    assert pointer.earlier == ("bbbb",)
    with pytest.raises(UsageError, match="0 kept versions start with 'zz'"):
        store.rollback("t", "zz")


def test_sweep_keeps_what_is_in_force_and_one_before(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for version in ("aaaa", "bbbb", "cccc"):
        publish(store, version, cause=version)
    (tmp_path / "staging" / "dead" / "t").mkdir(parents=True)
    removed = store.sweep(keep_versions=1)
    assert removed == ["staging/dead", "staging/r", "t/day=2026-03-01/v=aaaa"]
    assert {p.name for p in store.folder("t", DAY).glob("v=*")} == {"v=bbbb", "v=cccc"}
