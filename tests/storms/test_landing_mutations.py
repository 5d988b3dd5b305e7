"""Fifteen ways a landing file goes wrong: each is refused, quarantined or read past by a written rule."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jobs.ingest import INGEST
from jobs.runtime.conf import Conf
from jobs.runtime.errors import DataRefused
from jobs.runtime.keys import Keys
from jobs.runtime.shell import Shell
from jobs.tables.ingest import APPLICATIONS, COUNTS, QUARANTINES

KEYS = Keys(bytes(range(32)))
ROWS = 200
DAYS = [date(2026, 1, day) for day in range(1, 6)]
LAST = DAYS[-1]
PLANTED = [17, 60, 143]
Frame = pd.DataFrame


def clean(day: date) -> Frame:
    """A day's applications as text, ten of them approved, all of them in order."""
    numbers = range(ROWS)
    return pd.DataFrame(
        {
            "application_id": [f"{day.day}{n:04d}" for n in numbers],
            "applied_at": [f"2026-01-{day.day:02d}T10:{n % 60:02d}:00+08:00" for n in numbers],
            "id_phone": [f"+86138{day.day:02d}{n:06d}" for n in numbers],
            "amount": [f"{5000 + 25 * n}.00" for n in numbers],
            "currency": "CNY",
            "decision": ["approved" if n % 20 == 0 else "declined" for n in numbers],
            "product": [f"café {n % 3}" for n in numbers],
        }
    )


def planted(name: str, value: str | None) -> Callable[[Frame], Frame]:
    """Put a value into one column of the planted rows."""

    def change(rows: Frame) -> Frame:
        rows.loc[PLANTED, name] = value
        return rows

    return change


def flooded(rows: Frame) -> Frame:
    rows.loc[rows.index < 60, "applied_at"] = None
    return rows


def scaled(rows: Frame) -> Frame:
    return rows.assign(amount=[f"{float(value) * 100:.2f}" for value in rows["amount"]])


def as_csv(change: Callable[[Frame], Frame] = lambda rows: rows, encoding: str = "utf-8") -> Callable[[Path], None]:
    return lambda folder: change(clean(LAST)).to_csv(folder / "a.csv", index=False, encoding=encoding)


def as_parquet(change: Callable[[Frame], Frame]) -> Callable[[Path], None]:
    return lambda folder: change(clean(LAST)).to_parquet(folder / "a.parquet", index=False)


def naive(rows: Frame) -> Frame:
    return rows.assign(applied_at=pd.to_datetime(rows["applied_at"]).dt.tz_localize(None))


def retyped(rows: Frame) -> Frame:
    """Other storage types that say the same: integers for record numbers, floats for money, instants for text."""
    at = pd.to_datetime(rows["applied_at"], utc=True)
    return rows.assign(
        application_id=rows["application_id"].astype(int), amount=rows["amount"].astype(float), applied_at=at
    )


def header_twice(folder: Path) -> None:
    lines = clean(LAST).to_csv(index=False).splitlines(keepends=True)
    (folder / "a.csv").write_text("".join([*lines[:100], lines[0], *lines[100:]]), encoding="utf-8")


def truncated_gzip(folder: Path) -> None:
    packed = gzip.compress(clean(LAST).to_csv(index=False).encode())
    (folder / "a.csv.gz").write_bytes(packed[: len(packed) // 2])


def one_long_line(folder: Path) -> None:
    with (folder / "a.csv").open("wb") as handle:
        handle.write(",".join(clean(LAST).columns).encode() + b"\n")
        handle.seek(1 << 30, os.SEEK_CUR)
        handle.write(b"\n")


def link_to_file(folder: Path) -> None:
    outside = folder.parents[2] / "elsewhere.csv"
    clean(LAST).to_csv(outside, index=False)
    (folder / "a.csv").symlink_to(outside)


def link_to_folder(folder: Path) -> None:
    outside = folder.parents[2] / "elsewhere"
    outside.mkdir()
    as_csv()(outside)
    folder.rmdir()
    folder.symlink_to(outside)


@dataclass(frozen=True)
class Case:
    """A mutation of the last day's file and what must come of it: refused with these words, or these rows refused."""

    write: Callable[[Path], None]
    refused: str | None = None
    reasons: dict[str, int] | None = None
    note: str | None = None


SHOWN = f"applications/day={LAST}"
CASES = {
    "column lost": Case(
        as_csv(lambda rows: rows.drop(columns="applied_at")),
        rf"{SHOWN}/a.csv has 200 rows and lacks the required columns \['applied_at'\]",
    ),
    "column renamed": Case(
        as_csv(lambda rows: rows.rename(columns={"application_id": "app_no"})),
        rf"{SHOWN}/a.csv has 200 rows and lacks the required columns \['application_id'\]",
    ),
    "column retyped without loss": Case(as_parquet(retyped)),
    "column retyped": Case(
        as_parquet(
            lambda rows: rows.assign(applied_at=range(ROWS), application_id=rows["application_id"].astype(float))
        ),
        "application_id is double, not string; applied_at is int64, not timestamp",
    ),
    "column extra": Case(as_csv(lambda rows: rows.assign(shoe_size="42")), note="dropped: shoe_size"),
    "columns reordered": Case(as_csv(lambda rows: rows[sorted(rows.columns, reverse=True)])),
    "nulls flooding": Case(as_csv(flooded), r"60 of 200 rows refused \(missing_value:applied_at 60\)"),
    "unknown category": Case(as_csv(planted("decision", "perhaps")), reasons={"unknown_value:decision": 3}),
    "money scaled": Case(as_csv(scaled), f"{SHOWN}/a.csv: the median of amount CNY over 200 rows is 100 times"),
    "naive time stamps": Case(
        as_csv(planted("applied_at", "2026-01-05 10:00:00")), reasons={"naive_timestamp:applied_at": 3}
    ),
    "naive time stamps, all of them": Case(as_parquet(naive), "applied_at is timestamp without zone, not timestamp"),
    "dated after its day": Case(
        as_csv(planted("applied_at", "2026-01-06T10:00:00+08:00")), reasons={"after_its_day:applied_at": 3}
    ),
    "byte order mark": Case(as_csv(encoding="utf-8-sig")),
    "wrong encoding": Case(as_csv(encoding="latin-1"), f"{SHOWN}/a.csv is not UTF-8"),
    "truncated gzip": Case(truncated_gzip, f"{SHOWN}/a.csv.gz is cut off or damaged gzip"),
    "empty file": Case(lambda folder: (folder / "a.csv").touch(), f"{SHOWN}/a.csv is empty"),
    "header twice": Case(header_twice, reasons={"header_row": 1}),
    "a 1 GB single line": Case(one_long_line, f"{SHOWN}/a.csv has a line of over"),
    "a file outside the landing folder": Case(link_to_file, f"{SHOWN}/a.csv leaves the landing folder"),
    "a folder outside the landing folder": Case(link_to_folder, f"{SHOWN} leaves the landing folder"),
}


@pytest.fixture(scope="module")
def market(spark: Any, conf: Conf, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home whose clean first days are ingested, and the version the clean last day has."""
    home = tmp_path_factory.mktemp("market")
    for day in DAYS:
        folder = home / "landing" / "applications" / f"day={day}"
        folder.mkdir(parents=True)
        clean(day).to_csv(folder / "a.csv", index=False)
    shell = shell_at(home, conf, spark)
    shell.run_landing(INGEST["applications"], DAYS[-2])
    before = home.with_name("before")
    shutil.copytree(home, before)
    shell.run_landing(INGEST["applications"], LAST)
    for day in DAYS:
        published = shell.store.pointer("applications", day)
        assert published
        assert published.rows == ROWS
        assert shell.store.pointer("quarantine_applications", day) is None, "a clean market has an empty quarantine"
    version = shell.store.pointer("applications", LAST)
    assert version
    return before, version.version


def shell_at(home: Path, conf: Conf, spark: Any) -> Shell:
    return Shell(home / "warehouse", home / "landing", conf, KEYS, spark)


@pytest.mark.parametrize("name", CASES)
def test_each_mutation_meets_its_rule(
    name: str, market: tuple[Path, str], spark: Any, conf: Conf, tmp_path: Path
) -> None:
    case = CASES[name]
    before, clean_version = market
    home = tmp_path / "home"
    shutil.copytree(before, home)
    folder = home / "landing" / "applications" / f"day={LAST}"
    shutil.rmtree(folder)
    folder.mkdir()
    case.write(folder)
    shell = shell_at(home, conf, spark)
    if case.refused:
        tracemalloc.start()
        with pytest.raises(DataRefused, match=case.refused) as caught:
            shell.run_landing(INGEST["applications"], LAST)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
        tracemalloc.stop()
        assert "8613" not in str(caught.value)
        assert shell.store.days("applications") == DAYS[:-1]
        return
    shell.run_landing(INGEST["applications"], LAST)
    counted = shell.read(COUNTS["applications"], "day", LAST).toPandas().iloc[0]
    assert json.loads(counted["reasons"]) == (case.reasons or {})
    assert (counted["note"] or "").startswith(case.note or "absent")
    published = shell.store.pointer("applications", LAST)
    assert published
    if case.reasons is None:
        assert published.version == clean_version
        return
    refused = shell.read(QUARANTINES["applications"], "day", LAST).toPandas()
    told = {json.loads(KEYS.unseal(sealed))["application_id"] for sealed in refused["row_sealed"]}
    lines = {clean(LAST)["application_id"][n] for n in PLANTED}
    assert told == ({"application_id"} if name == "header twice" else lines)
    kept = {row["application_id"] for row in shell.read(APPLICATIONS, "day", LAST).collect()}
    assert kept == set(clean(LAST)["application_id"]) - told
