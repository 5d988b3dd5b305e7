"""Shared fixtures: one Spark session a run, a small configuration, frames with a table's schema, a real shell."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import settings

from jobs.contract import Table
from jobs.runtime.conf import Conf
from jobs.runtime.types import arrow_type
from support import make_conf

PARTITIONS = "spark.sql.shuffle.partitions"
SECRET = "00" * 31 + "01"

# A build that fails must fail again; the storms look for new examples on every run.
settings.register_profile("build", derandomize=True, deadline=None)
if "HUOKE_STORM" not in os.environ:
    settings.load_profile("build")


# Files and folders of minutes each: begun first, so that no core is left alone with one of them at the end. A core
# takes its second file before it has finished its first: short ones in third and fourth place wait behind the longest.
LONG = (
    *("test_engines.py", "test_foreign_market.py", "test_sender.py", "cli"),
    *("test_no_future.py", "storms", "dags", "model", "activate"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files before short ones."""
    items.sort(key=lambda item: min((LONG.index(p) for p in item.path.parts if p in LONG), default=len(LONG)))


@pytest.fixture(scope="session")
def conf() -> Conf:
    return make_conf()


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from jobs.runtime.session import spark_session

    session = spark_session(make_conf().base.spark, tmp_path_factory.mktemp("spark"))
    # A few rows a query: what several partitions may change is asked by tests that say so (`several_partitions`).
    session.conf.set(PARTITIONS, "1")
    yield session
    session.stop()


@pytest.fixture
def several_partitions(spark: Any) -> Iterator[None]:
    """Shuffle to three partitions, for tests that say that order and partitions change nothing."""
    spark.conf.set(PARTITIONS, "3")
    yield
    spark.conf.set(PARTITIONS, "1")


@pytest.fixture
def make_shell(spark: Any, tmp_path: Path) -> Callable[..., Any]:
    """A real shell on a fresh warehouse: make_shell(), make_shell(conf), make_shell(warehouse=…, landing=…)."""
    from jobs.runtime.keys import Keys
    from jobs.runtime.shell import Shell

    def make(conf: Conf | None = None, warehouse: Path | None = None, landing: Path | None = None) -> Shell:
        home, land = warehouse or tmp_path / "warehouse", landing or tmp_path / "landing"
        return Shell(home, land, conf or make_conf(), Keys(bytes.fromhex(SECRET)), spark)

    return make


@pytest.fixture(scope="session")
def rows(spark: Any) -> Callable[..., Any]:
    """A Spark frame with a table's schema: rows(TABLE, [{…}, …], day=…, conf=…); what is not given is null."""
    from jobs.runtime import frames

    def make(
        table: Table, content: Iterable[dict[str, Any]], day: date = date(2026, 1, 1), conf: Conf | None = None
    ) -> Any:
        resolved = frames.resolved(table, conf or make_conf())
        schema = frames.schema(resolved, with_day=True)
        known = set(schema.names)
        filled = []
        for row in content:
            assert not set(row) - known, f"{table.name} has no columns {set(row) - known}"
            filled.append({"day": day, **row})
        # As Arrow, Spark has the rows in its plan: from Python objects every query would begin with a job to read them.
        described = pa.schema([("day", pa.date32()), *[(c.name, arrow_type(c.type)) for c in resolved.columns]])
        return spark.createDataFrame(pa.Table.from_pylist(filled, schema=described), schema)

    return make


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; skips by name where it is not set."""
    folder = os.environ.get("HUOKE_REAL_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("HUOKE_REAL_DATA names no folder of real data sets")
    return Path(folder)
