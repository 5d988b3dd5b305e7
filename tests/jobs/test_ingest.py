"""Ingest through the real shell: pseudonyms meet, nothing raw leaves the vault, every row has one fate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jobs.ingest import INGEST
from jobs.runtime.errors import DataRefused
from jobs.tables.ingest import APPLICATIONS, COUNTS, LANDED, PROSPECTS, QUARANTINES, VAULTS

ONE, TWO, RUN = date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 31)
CANARIES = {
    "prospect_id": "CANARY-P-77",
    "id_phone": "+8613912345678",
    "id_email": "canary@example.org",
    "id_device": "AAAA-CANARY-0001",
    "id_national": "110101CANARY",
    "ip": "203.0.113.77",
}
Land = Callable[..., Path]


@pytest.fixture
def land(tmp_path: Path) -> Land:
    """Write rows as a landing file: land(table, day, rows, name=…)."""

    def write(table: str, day: date, rows: list[dict[str, Any]], name: str = "a.csv") -> Path:
        folder = tmp_path / "landing" / table / f"day={day}"
        folder.mkdir(parents=True, exist_ok=True)
        frame = pd.DataFrame(rows)
        if name.endswith(".parquet"):
            frame.to_parquet(folder / name, index=False)
        else:
            frame.to_csv(folder / name, index=False)
        return folder / name

    return write


def application(number: int, **changes: Any) -> dict[str, Any]:
    at = f"2026-01-01T09:{number % 60:02d}:00Z"
    return {"application_id": f"a{number}", "applied_at": at, "id_phone": f"+86139{number:08d}", **changes}


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def test_raw_and_hashed_rows_of_one_person_meet_and_nothing_raw_leaves_the_vault(
    land: Land, make_shell: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    c = CANARIES
    messy = {
        "id_phone": "0086 139-1234 5678",
        "id_email": f" {c['id_email'].upper()} ",
        "id_device": c["id_device"].lower(),
    }
    hashed = {f"{name}_sha256": digest(c[name]) for name in ("id_phone", "id_email", "id_device")}
    raw = {name: c[name] for name in ("prospect_id", "id_national")} | messy
    land(
        "prospects",
        ONE,
        [{**raw, "income": 9.5, "city": "east"}, {"prospect_id": "P2", **hashed, "income": 1, "city": ""}],
    )
    land("applications", ONE, [application(n) for n in range(60)] + [application(99, ip=c["ip"], **messy)])
    land("applications", TWO, [application(n) for n in range(60)] + [application(98, **messy) | {"applied_at": "then"}])
    shell = make_shell()
    for name in ("prospects", "applications"):
        shell.run_landing(INGEST[name], RUN)
    people = shell.read(PROSPECTS, "latest", RUN).orderBy("income").toPandas()
    for kind in ("phone", "email", "device"):
        assert people[f"id_{kind}_key"].notna().all()
        assert people[f"id_{kind}_key"].nunique() == 1
    assert people["prospect_key"].nunique() == 2
    assert people["city"].tolist() == [None, "east"]
    applied = shell.read(APPLICATIONS, "day", ONE).where("application_id = 'a99'").toPandas().iloc[0]
    assert applied["id_email_key"] == people["id_email_key"][0]
    sealed = shell.read(VAULTS["prospects"], "latest", RUN).toPandas().set_index("record_key")["sealed"]
    told = json.loads(shell.keys.unseal(sealed[people["prospect_key"][1]]))
    assert told == {name: c[name] for name in ("prospect_id", "id_phone", "id_email", "id_device", "id_national")}
    forbidden = [word for value in c.values() for word in (value, value.lower(), value.upper(), digest(value))]
    forbidden += [hashlib.md5(value.encode()).hexdigest() for value in c.values()] + ["0086 139-1234 5678"]
    seen = 0
    for file in shell.store.root.rglob("*"):
        if file.is_file() and file.name != "secret":
            content = pd.read_parquet(file).to_csv().encode() if file.suffix == ".parquet" else file.read_bytes()
            seen += len(content)
            assert not [word for word in forbidden if word.encode() in content], file.name
    assert seen > 10_000
    assert not [word for word in forbidden if word in caplog.text]


@pytest.mark.usefixtures("several_partitions")
def test_every_row_has_one_fate_however_often_and_in_whatever_order_it_is_landed(
    land: Land, make_shell: Callable[..., Any], tmp_path: Path
) -> None:
    rows = [application(n, amount="10.50", currency="CNY") for n in range(300)]
    twice, contradicted, bad = (
        rows[10:14],
        {**rows[20], "amount": "11.50"},
        {**application(400), "amount": "-1", "currency": "CNY"},
    )
    everything = [*rows, *twice, contradicted, bad]
    land("applications", ONE, everything)
    shell = make_shell()
    shell.run_landing(INGEST["applications"], RUN)
    counted = shell.read(COUNTS["applications"], "day", ONE).toPandas().iloc[0]
    assert (counted["rows_in"], counted["rows_out"], counted["quarantined"], counted["duplicates"]) == (306, 299, 3, 4)
    assert json.loads(counted["reasons"]) == {"bad_value:amount": 1, "key_conflict": 2}
    refused = shell.read(QUARANTINES["applications"], "day", ONE).toPandas()
    told = [json.loads(shell.keys.unseal(sealed)) for sealed in refused["row_sealed"]]
    assert sorted((row["application_id"], float(row["amount"])) for row in told) == [
        ("a20", 10.5),
        ("a20", 11.5),
        ("a400", -1),
    ]
    assert all(row["id_phone"].startswith("+86139") for row in told)
    version = shell.store.pointer("applications", ONE).version
    assert shell.run_landing(INGEST["applications"], RUN) == []
    assert not any(item.is_new for item in shell.run_landing(INGEST["applications"], RUN, force=True))
    shuffled = pd.DataFrame(everything).sample(frac=1, random_state=3).to_dict("records")
    land("applications", ONE, shuffled[:100], "a.csv")
    land("applications", ONE, shuffled[100:], "b.parquet")
    shell.run_landing(INGEST["applications"], RUN)
    assert shell.store.pointer("applications", ONE).version == version


def test_later_knowledge_is_in_force_and_not_before_it_landed(land: Land, make_shell: Callable[..., Any]) -> None:
    land("applications", ONE, [application(1, decision="pending"), application(2, decision="pending")])
    land("applications", TWO, [application(1, decision="approved")])
    shell = make_shell()
    shell.run_landing(INGEST["applications"], ONE)
    assert shell.store.days("applications") == [ONE]
    shell.run_landing(INGEST["applications"], RUN)

    def decisions(day: date) -> dict[str, str]:
        rows = shell.read(APPLICATIONS, "in_force", day).collect()
        return {row["application_id"]: row["decision"] for row in rows}

    assert decisions(ONE) == {"a1": "pending", "a2": "pending"}
    assert decisions(TWO) == {"a1": "approved", "a2": "pending"}


def test_nothing_landed_publishes_nothing_and_a_lost_feature_is_refused(
    land: Land, make_shell: Callable[..., Any]
) -> None:
    shell = make_shell()
    assert [shell.run_landing(INGEST[table.name], RUN) for table in LANDED] == [[]] * len(LANDED)
    land("prospects", ONE, [{"prospect_id": "P1", "income": 1.0}])
    with pytest.raises(DataRefused, match=r"lacks the declared features \['city'\]"):
        shell.run_landing(INGEST["prospects"], RUN)
    assert shell.store.days("prospects") == []
