"""What a dashboard may read, and that it reads what the pointer says."""

from __future__ import annotations

import ast
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from sample_tables import DAY, cost_row, publish

import dashboards
from dashboards.warehouse import READABLE, Warehouse, declared, readable
from jobs.contract import Column, Privacy, Table
from jobs.runtime.errors import PolicyRefused, UsageError
from jobs.runtime.store import Store


def test_every_table_with_a_person_in_it_is_refused(tmp_path: Path) -> None:
    house = Warehouse(tmp_path, DAY)
    refused = []
    for table in declared().values():
        if table.name in READABLE:
            assert all(column.privacy is Privacy.PLAIN for column in table.columns)
            assert house.read(table.name).is_empty
        else:
            with pytest.raises(PolicyRefused, match=table.name):
                house.read(table.name)
            refused.append(table.name)
    assert {"scores", "audiences", "people", "loans", "assignments", "stage_models"} <= set(refused)
    for name in ("vault_prospects", "quarantine_touches", "../state", "nothing"):
        with pytest.raises(PolicyRefused):
            house.read(name)


@pytest.mark.parametrize("privacy", [Privacy.PSEUDONYM, Privacy.VAULT])
def test_a_listed_table_is_refused_once_it_gains_a_personal_column(
    monkeypatch: pytest.MonkeyPatch, privacy: Privacy
) -> None:
    extra = Column("person_key", "string", "pseudonym", privacy)
    grown = Table("channel_costs", "measure", "d", (), (*declared()["channel_costs"].columns, extra))
    monkeypatch.setitem(declared(), "channel_costs", grown)
    with pytest.raises(PolicyRefused, match="person_key"):
        readable("channel_costs")


def test_only_the_warehouse_module_opens_files_of_the_store() -> None:
    doors = {"fastparquet", "pyarrow", "jobs.runtime.export", "jobs.runtime.keys", "sqlalchemy", "pyspark"}
    seen = 0
    for file in sorted(Path(dashboards.__file__).parent.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
        names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        opened = {name for name in names if any(name == door or name.startswith(f"{door}.") for door in doors)}
        assert opened <= ({"fastparquet"} if file.name == "warehouse.py" else set()), file.name
        seen += len(names)
    assert seen > 50


def test_the_version_in_force_is_read_and_no_later_day(tmp_path: Path) -> None:
    later = DAY + timedelta(days=1)
    publish(tmp_path, "channel_costs", [cost_row(channel="a", spend=1.0)])
    publish(tmp_path, "channel_costs", [cost_row(channel="a", spend=2.0), cost_row(channel="b", spend=3.0)], files=2)
    publish(tmp_path, "channel_costs", [cost_row(channel="a", spend=9.0)], later)
    reading = Warehouse(tmp_path, DAY).read("channel_costs")
    assert (reading.day, sorted(reading.frame["spend"])) == (DAY, [2.0, 3.0])
    assert Warehouse.at(tmp_path).as_of == later
    store = Store(tmp_path)
    pointer = store.pointer("channel_costs", DAY)
    assert pointer is not None
    store.rollback("channel_costs", pointer.earlier[0])
    assert Warehouse(tmp_path, DAY).read("channel_costs").frame["spend"].tolist() == [1.0]


def test_decimals_dates_nulls_and_empty_folders_keep_their_types(filled: Path, tmp_path: Path) -> None:
    ledger = Warehouse(filled, DAY).read("spend_ledger").frame
    assert ledger["rate"].eq(1.0).all()
    assert ledger["cost_raw"].sum() == pytest.approx(ledger["cost_minor"].sum() / 100)
    assert ledger["ad_group"].isna().all()
    assert ledger["impressions"].isna().all()
    assert ledger["spend_day"].min() == pd.Timestamp(date(2025, 6, 1))
    publish(tmp_path, "spend_ledger", [])
    empty = Warehouse(tmp_path, DAY).read("spend_ledger")
    assert empty.day == DAY
    assert list(empty.frame.columns) == list(ledger.columns)


def test_an_empty_warehouse_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="huoke run"):
        Warehouse.at(tmp_path)
