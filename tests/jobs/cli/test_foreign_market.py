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
    line = [HUOKE, *arguments]
    done = subprocess.run(line, env=environment(place), cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


# Several commands as one process runs them: each with its own words, exit code and output, one JVM for all of them.
SEVERAL = """
import contextlib, io, json, sys
from jobs.cli import main

told = []
for words in json.loads(sys.argv[1]):
    out, sys.argv, code = io.StringIO(), ["huoke", *words], 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
    told.append([code, out.getvalue()])
print(json.dumps(told))
"""


def environment(place: Path) -> dict[str, str]:
    names = {"HUOKE_CONF": "conf", "HUOKE_LANDING": "landing", "HUOKE_WAREHOUSE": "warehouse"}
    return {**os.environ, **LIGHT_JVM, **{key: str(place / name) for key, name in names.items()}}


def several(place: Path, *commands: tuple[str, ...]) -> list[tuple[int, str]]:
    """The exit code and the output of each."""
    line = [sys.executable, "-c", SEVERAL, json.dumps(commands)]
    done = subprocess.run(line, env=environment(place), cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return [(code, said) for code, said in json.loads(done.stdout.splitlines()[-1])]


def test_from_init_to_a_run(place: Path) -> None:
    (begun, said), (sound, _) = several(place, ("init", "--json"), ("validate",))
    assert (begun, sound) == (0, 0), said
    assert json.loads(said)["newest_day"] == "2025-06-07"
    assert (place / "conf" / "channels" / "kiosk.yaml").is_file()
    assert "tenure_years: numeric" in (place / "conf" / "base.yaml").read_text()
    assert "currency: HUF" in (place / "conf" / "base.yaml").read_text()
    huoke(place, "run", "--day", DAY)


# What leaves, and the columns that the contract says it has.
LEAVES = {
    "scores": "prospect_key channel p_apply p_organic p_approve p_fund p_good expected_cost expected_value band "
    "model_version",
    "audiences": "audience channel prospect_key partner creative band role propensity bid_multiplier expected_cost "
    "expected_good",
    "channel_plan": "channel currency budget budget_left audience_size expected_spend expected_good "
    "expected_late_rate expected_fraud_rate gap max_violation shadow_price",
    "channel_costs": "channel campaign ad_group band currency spend is_allocated applications approvals funded good",
}
# Asked wrongly: the exit code and what is said.
MISTAKES = {
    ("run",): (64, "--day"),
    ("run", "nonsense", "--day", DAY): (64, "there is no job"),
    ("run", "--day", "tomorrow"): (64, "write YYYY-MM-DD"),
    ("show", "vault_prospects"): (77, "vault"),
    ("fly",): (64, "No such command"),
    ("plan", "--budget", "kiosk=20%"): (64, "is not understood"),
}
RAISED = ("plan", "--budget", "kiosk=+20%", "--json")
TOO_MANY = ("plan", "--good", "100000")


@pytest.fixture(scope="module")
def asked(place: Path) -> dict[tuple[str, ...], tuple[int, str]]:
    """What each command that only reads said of the market that ran; none may touch a byte of the warehouse."""
    before = whole(place / "warehouse")
    shown = [("show", table, "--day", DAY, "--out", str(place / f"{table}.csv")) for table in LEAVES]
    files = [*shown, ("keys", "--out", str(place / "keys.csv")), ("report", "--out", str(place / "report.html"))]
    commands = [*files, RAISED, TOO_MANY, *MISTAKES]
    told = dict(zip(commands, several(place, *commands), strict=True))
    assert {told[one][0] for one in files} == {0}, told
    assert whole(place / "warehouse") == before
    return told


def whole(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.usefixtures("asked")
def test_what_leaves_is_as_the_contract_says(place: Path) -> None:
    assert "kiosk" in (place / "report.html").read_text(encoding="utf-8")
    for table, columns in LEAVES.items():
        with (place / f"{table}.csv").open(encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
        assert rows, table
        assert {"day", *columns.split()} <= set(rows[0]), table
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


def test_what_if_answers_beside_the_plan(asked: dict[tuple[str, ...], tuple[int, str]]) -> None:
    (done, answer), (unfit, refused) = asked[RAISED], asked[TOO_MANY]
    assert (done, unfit) == (0, 65)
    said = json.loads(answer)
    old, new = ({row["channel"]: row for row in said[name]} for name in ("published", "what_if"))
    assert new["kiosk"]["budget"] == pytest.approx(1.2 * old["kiosk"]["budget"])
    assert said["is_feasible"]
    assert not said["inputs_moved_on"]
    assert "100000 good customers cannot be won" in refused
    assert "→" in refused


def test_usage_errors_say_what_to_do(asked: dict[tuple[str, ...], tuple[int, str]]) -> None:
    for command, (code, words) in MISTAKES.items():
        ended, said = asked[command]
        assert ended == code
        assert words in said
