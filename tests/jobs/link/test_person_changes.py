"""Merges and splits are told prospect by prospect; arrivals are not changes."""

from __future__ import annotations

import random
from typing import Any

from jobs.link.person_changes import person_changes
from jobs.tables.link import PEOPLE


def persons(rows: Any, told: dict[str, str]) -> Any:
    return rows(PEOPLE, [{"prospect_key": k, "person_key": v} for k, v in told.items()])


def test_merges_and_splits(rows: Any) -> None:
    before = {"a1": "A", "a2": "A", "b1": "B", "c1": "C", "gone": "G"}
    after = {"a1": "A", "a2": "A2", "b1": "A", "c1": "C", "new": "N"}
    told = person_changes(persons(rows, after), persons(rows, before)).toPandas().set_index("prospect_key")
    assert told["change"].to_dict() == {"a2": "split", "b1": "merged"}
    assert told["was_person_key"].to_dict() == {"a2": "A", "b1": "B"}
    assert told["person_key"].to_dict() == {"a2": "A2", "b1": "A"}


def test_the_changes_turn_the_people_before_into_those_after(rows: Any) -> None:
    dice = random.Random(8)
    before = {f"p{i}": f"P{dice.randrange(20)}" for i in range(60)}
    after = {
        f"p{i}": f"P{dice.randrange(30)}" if dice.random() < 0.3 else before.get(f"p{i}", "N") for i in range(5, 70)
    }
    told = person_changes(persons(rows, after), persons(rows, before)).toPandas().set_index("prospect_key")
    assert len(told) > 10
    stayed = {key: person for key, person in before.items() if key in after}
    assert stayed | told["person_key"].to_dict() == {key: person for key, person in after.items() if key in before}
    known = set(before.values())
    assert ((told["change"] == "merged") == told["person_key"].isin(known)).all()
