"""People of two files are found again under typing errors and moves, strangers are not, and only ids are written."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jobs.link.identity.names import match_names
from jobs.runtime.errors import DataRefused, UsageError

SYLLABLES = ("wang", "li", "zhang", "mei", "jun", "hao", "xin", "yan", "lei", "ping", "tao", "qing", "hong", "bo")


def person(dice: random.Random) -> dict[str, str]:
    birth = f"{dice.randrange(1955, 2006)}-{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}"
    name = f"{dice.choice(SYLLABLES)} {dice.choice(SYLLABLES)}{dice.choice(SYLLABLES)}"
    address = f"{dice.randrange(1, 400)} {dice.choice(SYLLABLES)}{dice.choice(SYLLABLES)} road"
    return {"name": name, "birth_date": birth, "address": address, "phone": f"1{dice.randrange(10**9, 10**10)}"}


def mistyped(text: str, dice: random.Random) -> str:
    at = dice.randrange(len(text) - 1)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def seen_again(known: dict[str, str], dice: random.Random) -> dict[str, str]:
    other = person(dice)
    told = {
        "name": mistyped(known["name"], dice) if dice.random() < 0.2 else known["name"].upper(),
        "birth_date": other["birth_date"] if dice.random() < 0.03 else known["birth_date"],
        "address": other["address"] if dice.random() < 0.25 else known["address"],
        "phone": other["phone"] if dice.random() < 0.3 else known["phone"],
    }
    return {name: "" if dice.random() < 0.03 else value for name, value in told.items()}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder, dice = tmp_path_factory.mktemp("names"), random.Random(4)
    people = [person(dice) for _ in range(3000)]
    ours = pd.DataFrame(people).assign(id=[f"o{i}" for i in range(3000)])
    known = [seen_again(people[i], dice) | {"id": f"t{i}"} for i in range(1500)]
    strangers = [person(dice) | {"id": f"s{i}"} for i in range(1000)]
    ours.to_csv(folder / "ours.csv", index=False)
    pd.DataFrame([*known, *strangers]).to_parquet(folder / "theirs.parquet")
    return folder


def test_people_come_back_and_strangers_do_not(files: Path) -> None:
    told = match_names(files / "ours.csv", files / "theirs.parquet", files / "out.csv")
    found = pd.read_csv(files / "out.csv")
    assert list(found.columns) == ["their_id", "our_id", "probability"]
    assert (told.ours, told.theirs, told.matched) == (3000, 2500, len(found))
    assert found["their_id"].is_unique
    assert found["our_id"].is_unique
    right = (found["their_id"].str[1:] == found["our_id"].str[1:]) & (found["their_id"].str[0] == "t")
    assert right.mean() >= 0.995
    assert right.sum() >= 0.95 * 1500


def test_what_cannot_be_matched_is_refused(files: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.csv"
    pd.DataFrame({"id": ["1"], "name": ["a"], "phone": ["2"]}).to_csv(bare, index=False)
    with pytest.raises(DataRefused, match=r"share name, phone; 3 of name"):
        match_names(files / "ours.csv", bare, tmp_path / "out.csv")
    pd.DataFrame({"id": ["1", "1"], "name": ["a", "b"]}).to_csv(bare, index=False)
    with pytest.raises(DataRefused, match="twice in some of 2 rows"):
        match_names(files / "ours.csv", bare, tmp_path / "out.csv")
    with pytest.raises(UsageError, match="is not a file"):
        match_names(files / "ours.csv", tmp_path / "none.csv", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
