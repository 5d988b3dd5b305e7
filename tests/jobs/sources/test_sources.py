"""Raw files to landing tables: days derived, leaks refused, every row accounted for, the same bytes every time."""

from __future__ import annotations

import gzip
import os
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jobs.runtime.errors import DataRefused, UsageError
from jobs.sources.conf import SourceConf, load_source
from jobs.sources.days import MONTHS, WEEKDAYS, walk
from jobs.sources.land import land
from jobs.sources.parse import parse

CONF = Path(__file__).parents[3] / "conf"
SMALL: dict[str, Any] = {
    "doc": "A source made by hand.",
    "consent": "assumed",
    "record": "lead",
    "day": {"rule": "date", "column": "when", "format": "%d/%m/%y"},
    "label": {"column": "ok", "positive": "1", "negative": "0", "word": "approvals"},
    "channel": "src",
    "touch": "click",
    "applications": "every_row",
    "cost": {"unit": "lead", "amount": "2.50", "currency": "EUR", "is_assumed": True},
    "snapshots": "daily",
    "numeric": {"income": {"column": "inc", "nulls": ["999"], "min": 0, "max": 1000}},
    "categorical": {"city": {"column": "town"}},
    "refused": {
        "called": {"why": "after_contact", "because": "it is the contact"},
        "sex": {"why": "protected", "because": "sex"},
    },
}
HEAD = "lead,when,src,inc,town,called,sex,ok,extra\n"
GOOD = "a1,02/07/16,s1,10,x,Y,f,1,?\na2,01/07/16,s2,,,N,m,0,?\na3,02/07/16,s1,999,y,N,f,0,?\n"
BAD = {
    ",02/07/16,s1,10,x,Y,f,1,?": ("record_missing", "lead"),
    "b1,31/02/16,s1,10,x,Y,f,1,?": ("day_unreadable", "when"),
    "b2,02/07/16,,10,x,Y,f,1,?": ("channel_missing", "src"),
    "b3,02/07/16,s1,10,x,Y,f,maybe,?": ("label_unknown", "ok"),
    "b4,02/07/16,s1,ten,x,Y,f,1,?": ("not_a_number", "inc"),
    "b5,02/07/16,s1,inf,x,Y,f,1,?": ("not_a_number", "inc"),
    "b6,02/07/16,s1,1001,x,Y,f,1,?": ("out_of_range", "inc"),
    "a1,03/07/16,s1,10,x,Y,f,1,?": ("record_repeats", "lead"),
}


def small(**changes: Any) -> SourceConf:
    return SourceConf.model_validate({"name": "small", **SMALL, **changes})


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    file = tmp_path / "raw.csv"
    file.write_text(HEAD + GOOD, encoding="utf-8")
    return file


def test_rows_are_typed_and_in_time_order(raw: Path) -> None:
    parsed = parse(small(), [raw])
    assert parsed.rows["record"].tolist() == ["a2", "a1", "a3"]
    assert parsed.rows["day"].tolist() == [date(2016, 7, 1), date(2016, 7, 2), date(2016, 7, 2)]
    assert parsed.rows["label"].tolist() == [0, 1, 0]
    assert parsed.rows["income"].isna().tolist() == [True, False, True]
    assert parsed.rows["city"].tolist() == [None, "x", "y"]
    assert parsed.dropped_columns == ("extra",)


def test_no_refused_column_gets_anywhere(raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "landing"
    report = land(small(), [raw], out)
    assert set(report.refused_columns) == {"called", "sex"}
    for file in out.rglob("*.parquet"):
        assert not {"called", "sex", "extra"} & set(pq.read_schema(file).names)
    assert not {"called", "sex"} & set(parse(small(), [raw]).rows.columns)


@pytest.mark.parametrize("use", ["numeric", "categorical"])
def test_a_refused_column_cannot_be_declared_an_input(use: str) -> None:
    with pytest.raises(ValueError, match="refused columns are used: called"):
        small(**{use: {"was_called": {"column": "called"}}})


def test_every_bad_row_is_quarantined_with_its_reason_and_nothing_is_lost(raw: Path, tmp_path: Path) -> None:
    repeat = GOOD.splitlines()[1]
    raw.write_text(HEAD + GOOD + "\n".join([repeat, *BAD]) + "\n", encoding="utf-8")
    report = land(small(), [raw], tmp_path / "landing")
    assert report.rows_in == 12 == report.rows_out + sum(report.refused_rows.values()) + report.duplicates
    assert (report.rows_out, report.duplicates) == (3, 1)
    assert report.quarantine is not None
    found = pd.read_csv(report.quarantine, dtype=str)
    assert list(zip(found["reason"], found["column"], strict=True)) == list(BAD.values())
    assert found["line"].tolist() == [str(n) for n in range(6, 14)]
    clean = land(small(), [_file(tmp_path / "clean.csv", HEAD + GOOD)], tmp_path / "clean")
    for table in ("prospects", "touches", "applications", "spend"):
        files = sorted((tmp_path / "clean" / table).rglob("*.parquet"))
        assert files
        for file in files:
            assert file.read_bytes() == (tmp_path / "landing" / file.relative_to(tmp_path / "clean")).read_bytes()
    assert clean.refused_rows == {}


def test_landing_tables_say_what_the_file_said(raw: Path, tmp_path: Path) -> None:
    land(small(), [raw], tmp_path)
    spend = pq.read_table(tmp_path / "spend/day=2016-07-02/small.parquet").to_pylist()
    assert [(str(r["cost"]), r["currency"], r["clicks"], r["channel"]) for r in spend] == [("5.00", "EUR", 2, "s1")]
    first = pq.read_table(tmp_path / "prospects/day=2016-07-01/small.parquet").to_pandas()
    second = pq.read_table(tmp_path / "prospects/day=2016-07-02/small.parquet").to_pandas()
    assert (len(first), len(second)) == (1, 3)
    applications = pq.read_table(tmp_path / "applications/day=2016-07-02/small.parquet").to_pandas()
    assert applications["decision"].tolist() == ["approved", "declined"]
    shown = set(second["prospect_id"]) | set(applications["application_id"])
    assert not shown & {"a1", "a2", "a3"}
    assert set(applications["id_account"]) <= set(second["id_account"])


def test_landing_again_writes_nothing_and_a_cut_run_is_completed(raw: Path, tmp_path: Path) -> None:
    first = land(small(), [raw], tmp_path / "l")
    assert land(small(), [raw], tmp_path / "l").files_written == 0
    before = {f: f.read_bytes() for f in (tmp_path / "l").rglob("*.parquet")}
    lost = sorted(before)[1]
    lost.unlink()
    again = land(small(), [raw], tmp_path / "l")
    assert (again.files_written, again.files_unchanged) == (1, first.files_written - 1)
    assert {f: f.read_bytes() for f in (tmp_path / "l").rglob("*.parquet")} == before


def test_a_landed_day_is_never_edited(raw: Path, tmp_path: Path) -> None:
    land(small(), [raw], tmp_path / "l")
    before = {f: f.read_bytes() for f in (tmp_path / "l").rglob("*") if f.is_file()}
    changed = _file(tmp_path / "changed.csv", HEAD + GOOD.replace("a1,02/07/16,s1,10", "a1,02/07/16,s1,11"))
    with pytest.raises(DataRefused, match=r"1 landed files hold other content, first prospects day=2016-07-02"):
        land(small(), [changed], tmp_path / "l")
    assert {f: f.read_bytes() for f in (tmp_path / "l").rglob("*") if f.is_file()} == before


def test_a_disk_fault_leaves_no_half_file(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, fired = os.replace, []

    def full(source: Any, target: Any) -> None:
        if "applications" in str(target):
            fired.append(target)
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        land(small(), [raw], tmp_path / "l")
    assert fired
    monkeypatch.undo()
    land(small(), [raw], tmp_path / "l")
    land(small(), [raw], tmp_path / "whole")
    seen = {f.relative_to(tmp_path / "l"): f.read_bytes() for f in (tmp_path / "l").rglob("*.parquet")}
    assert seen == {f.relative_to(tmp_path / "whole"): f.read_bytes() for f in (tmp_path / "whole").rglob("*.parquet")}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"lead,when\n1,2\n", "columns inc, ok, src, town are missing"),
        (b"", "not readable as CSV"),
        (gzip.compress((HEAD + GOOD).encode())[:-20], "not readable as CSV"),
        (HEAD.encode() + b"a1,02/07/16,s1,10,\xff\xfe,Y,f,1,?\n", "not readable as CSV"),
        (HEAD.encode() + b"a1,02/07/16,s1,10,x,Y,f,1,?,more\na,b,c,d,e,f,g,h,i,j,k\n", "not readable as CSV"),
    ],
    ids=["columns lost", "empty", "truncated gzip", "wrong encoding", "ragged"],
)
def test_a_file_that_is_not_this_sources_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / ("raw.csv.gz" if content.startswith(b"\x1f\x8b") else "raw.csv")
    file.write_bytes(content)
    with pytest.raises(DataRefused, match=message):
        parse(small(), [file])


def test_a_byte_order_mark_is_no_part_of_a_column_name(tmp_path: Path) -> None:
    assert len(parse(small(), [_file(tmp_path / "raw.csv", "\ufeff" + HEAD + GOOD)]).rows) == 3


def test_unknown_keys_and_unknown_sources_are_refused(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    _file(tmp_path / "sources/odd.yaml", yaml.safe_dump({**SMALL, "colour": "red", "touch": "smell"}))
    with pytest.raises(UsageError, match=r"(?s)touch.*colour"):
        load_source(tmp_path, "odd")
    with pytest.raises(UsageError, match="sources declared there: odd"):
        load_source(tmp_path, "absent")


@given(st.lists(st.booleans(), min_size=30, max_size=400), st.integers(0, 11))
def test_true_days_come_back_from_month_and_weekday_names(kept: list[bool], start: int) -> None:
    """Weekday runs determine the day whenever no more than six days pass between two days with rows."""
    month = date(2008, start + 1, 1)
    days = [
        d.date() for d in pd.date_range(month, periods=len(kept)) if kept[d.dayofyear % len(kept)] or d.day % 5 == 1
    ]
    frame = pd.DataFrame(
        {"month": [MONTHS[d.month - 1] for d in days], "weekday": [WEEKDAYS[d.weekday()] for d in days]}
    )
    assert walk(frame["month"], frame["weekday"], days[0].replace(day=1)).tolist() == days


def test_walked_days_keep_order_month_and_weekday_even_when_rows_contradict_the_calendar() -> None:
    weekdays = ["mon", "fri"] * 10 + ["tue"]
    found = walk(pd.Series(["dec"] * 21 + ["mar"]), pd.Series([*weekdays, "mon"]), date(2008, 5, 1))
    assert [WEEKDAYS[d.weekday()] for d in found] == [*weekdays, "mon"]
    assert [d.month for d in found] == [12] * 21 + [3]
    assert found.iloc[-1] == date(2009, 3, 2)
    assert walk(pd.Series(["may", "foo"]), pd.Series(["moo", "mon"]), date(2008, 5, 1)).tolist() == [None, None]


@pytest.mark.parametrize("name", ["bank_loan_leads", "bank_marketing"])
def test_shipped_sources_refuse_what_they_must(name: str) -> None:
    conf = load_source(CONF, name)
    must = {
        "bank_loan_leads": {"Contacted", "Interest_Rate", "EMI", "Gender", "DOB"},
        "bank_marketing": {"duration", "age"},
    }
    assert must[name] <= set(conf.refused)
    assert any("assumed" in note for note in conf.all_notes)


REAL = {"bank_loan_leads": (43_980, 674, date(2016, 8, 31)), "bank_marketing": (41_188, 4_640, date(2010, 11, 26))}


@pytest.mark.real_data
@pytest.mark.parametrize("name", list(REAL))
def test_real_files_are_read_whole(name: str) -> None:
    folder = os.environ.get("HUOKE_REAL_DATA")
    if not folder:
        pytest.skip("HUOKE_REAL_DATA is not set; it names the folder of the real files")
    parsed = parse(load_source(CONF, name), [Path(folder) / f"{name}.csv.gz"])
    rows = parsed.rows
    assert (len(rows), int(rows["label"].sum()), rows["day"].iloc[-1]) == REAL[name]
    assert (parsed.reasons, parsed.duplicates) == ({}, 0)
    assert rows["day"].is_monotonic_increasing
    if name == "bank_marketing":  # the calendar agrees: the feasts of 22 May and 10 June 2008 have no calls
        assert {date(2008, 5, 21), date(2008, 5, 23)} <= set(rows["day"])
        assert not {date(2008, 5, 22), date(2008, 6, 10)} & set(rows["day"])


def _file(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
