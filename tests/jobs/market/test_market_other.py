"""A differently shaped market: other channels, features, currency, country, CSV files, most identifiers hashed."""

from __future__ import annotations

import csv
import gzip
from datetime import date, datetime
from pathlib import Path

import pytest
import yaml
from market_fixtures import digest, everybody
from pydantic import ValidationError

from jobs.market.conf import MarketConf
from jobs.market.history import new_market
from jobs.market.play import play

OTHER = Path(__file__).parent / "other_market.yaml"


def other(**changes: object) -> MarketConf:
    return MarketConf.model_validate({**yaml.safe_load(OTHER.read_text(encoding="utf-8")), **changes})


def read(path: Path) -> list[dict[str, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("file_format", ["csv", "csv.gz"])
def test_its_files_are_csv_as_the_contract_words_it(tmp_path: Path, file_format: str) -> None:
    conf = other(file_format=file_format)
    landing, truth = tmp_path / "landing", tmp_path / "truth"
    new_market(conf, landing, truth, lambda line: None)
    files = [path for path in landing.rglob("*") if path.is_file()]
    assert files
    assert all(path.name.endswith("." + file_format) for path in files)
    touches = [row for path in (landing / "touches").rglob("*.csv*") for row in read(path)]
    assert {row["channel"] for row in touches} <= {channel.name for channel in conf.channels}
    for row in touches[:200]:
        moment = datetime.fromisoformat(row["occurred_at"])
        assert moment.utcoffset() is not None
    spend = [row for path in (landing / "spend").rglob("*.csv*") for row in read(path)]
    assert {row["currency"] for row in spend} == {"EUR", "GBP"}
    assert all(len(row["cost"].partition(".")[2]) == 2 for row in spend)
    assert all(date.fromisoformat(row["spend_day"]) <= conf.history_end for row in spend)
    prospects = read(next((landing / "prospects").glob("day=2025-03-01/*")))
    assert {"savings", "device_age", "household"} <= set(prospects[0])
    assert "bureau_score" not in prospects[0]
    digests = [row["id_phone_sha256"] for row in prospects if row["id_phone_sha256"]]
    raw = [row["id_phone"] for row in prospects if row["id_phone"]]
    assert len(digests) > len(raw) > 0
    assert all(phone.startswith("+999") for phone in raw)


def test_it_plays_too(tmp_path: Path) -> None:
    conf = other()
    landing, truth = tmp_path / "landing", tmp_path / "truth"
    new_market(conf, landing, truth, lambda line: None)
    before = digest(landing)
    play(conf, landing, truth, everybody(truth, conf.history_end), lambda line: None, months=2)
    assert len(digest(landing)) > len(before)


def test_a_conf_with_mistakes_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="lacks a rate for"):
        other(fx={})
    with pytest.raises(ValidationError, match="last day of a month"):
        other(history_end="2025-03-30")
    with pytest.raises(ValidationError, match="peple"):
        other(peple=3)
