"""A market folder this project did not write runs from `init` to `report` without touching code."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import foreign

from support import LIGHT_JVM

HUOKE = str(Path(sys.executable).parent / "huoke")
DAY = foreign.LAST.isoformat()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("foreign")
    foreign.write_foreign(folder / "landing")
    return folder


def huoke(place: Path, *arguments: str, code: int = 0) -> str:
    names = {"HUOKE_CONF": "conf", "HUOKE_LANDING": "landing", "HUOKE_WAREHOUSE": "warehouse"}
    env = {**os.environ, **LIGHT_JVM, **{key: str(place / name) for key, name in names.items()}}
    done = subprocess.run([HUOKE, *arguments], env=env, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


def test_from_init_to_report(place: Path) -> None:
    said = json.loads(huoke(place, "init", "--json"))
    assert said["newest_day"] == "2025-06-14"
    assert (place / "conf" / "channels" / "kiosk.yaml").is_file()
    assert "tenure_years: numeric" in (place / "conf" / "base.yaml").read_text()
    assert "currency: HUF" in (place / "conf" / "base.yaml").read_text()
    huoke(place, "validate")
    huoke(place, "run", "--day", DAY)
    huoke(place, "report", "--out", str(place / "report.html"))
    assert "kiosk" in (place / "report.html").read_text(encoding="utf-8")


def test_what_leaves_is_as_the_contract_says(place: Path) -> None:
    wanted = {
        "scores": "prospect_key channel p_apply p_organic p_approve p_fund p_good expected_cost expected_value band "
        "model_version",
        "audiences": "audience channel prospect_key partner creative band role propensity bid_multiplier expected_cost "
        "expected_good",
        "channel_plan": "channel currency budget budget_left audience_size expected_spend expected_good "
        "expected_late_rate expected_fraud_rate gap max_violation shadow_price",
        "channel_costs": "channel campaign ad_group band currency spend is_allocated applications approvals "
        "funded good",
    }
    for table, columns in wanted.items():
        huoke(place, "show", table, "--day", DAY, "--out", str(place / f"{table}.csv"))
        with (place / f"{table}.csv").open(encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
        assert rows, table
        assert {"day", *columns.split()} <= set(rows[0]), table
    huoke(place, "keys", "--out", str(place / "keys.csv"))
    with (place / "keys.csv").open(encoding="utf-8") as handle:
        keys = {row["prospect_key"]: row["prospect_id"] for row in csv.DictReader(handle)}
    assert len(keys) == 1200
    with (place / "audiences.csv").open(encoding="utf-8") as handle:
        sent = list(csv.DictReader(handle))
    assert {row["prospect_key"] for row in sent} <= set(keys)
    assert {row["role"] for row in sent} >= {"policy", "holdout"}


def test_no_identifier_of_a_person_lies_outside_the_vault(place: Path) -> None:
    canary = [b"+36200000007", b"K000007", b"36200000007"]
    for file in (place / "warehouse").rglob("*"):
        if file.is_file() and "vault_" not in str(file) and "quarantine_" not in str(file):
            content = file.read_bytes()
            assert not any(word in content for word in canary), file


def test_the_same_day_again_publishes_nothing(place: Path) -> None:
    lines = [
        json.loads(line)
        for line in huoke(place, "run", "--day", DAY, "--no-send", "--json").splitlines()
        if line.startswith("{")
    ]
    assert lines
    assert not any(line["is_new"] for line in lines)


def test_what_if_answers_beside_the_plan_and_writes_nothing(place: Path) -> None:
    before = {file: file.read_bytes() for file in (place / "warehouse").rglob("*") if file.is_file()}
    said = json.loads(huoke(place, "plan", "--budget", "kiosk=+20%", "--json"))
    old, new = ({row["channel"]: row for row in said[name]} for name in ("published", "what_if"))
    assert new["kiosk"]["budget"] == pytest.approx(1.2 * old["kiosk"]["budget"])
    assert said["is_feasible"]
    assert not said["inputs_moved_on"]
    refused = huoke(place, "plan", "--good", "100000", code=65)
    assert "100000 good customers cannot be won" in refused
    assert "→" in refused
    assert {file: file.read_bytes() for file in (place / "warehouse").rglob("*") if file.is_file()} == before
    assert "is not understood" in huoke(place, "plan", "--budget", "kiosk=20%", code=64)


def test_usage_errors_say_what_to_do(place: Path) -> None:
    assert "--day" in huoke(place, "run", code=64)
    assert "there is no job" in huoke(place, "run", "nonsense", "--day", DAY, code=64)
    assert "write YYYY-MM-DD" in huoke(place, "run", "--day", "tomorrow", code=64)
    assert "vault" in huoke(place, "show", "vault_prospects", code=77)
    assert "No such command" in huoke(place, "fly", code=64)
