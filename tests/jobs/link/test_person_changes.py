"""Merges and splits are told prospect by prospect; arrivals are not changes."""

from __future__ import annotations

from typing import Any

from jobs.link.person_changes import person_changes
from jobs.tables.link import PEOPLE


def test_merges_and_splits(rows: Any) -> None:
    def persons(told: dict[str, str]) -> Any:
        return rows(PEOPLE, [{"prospect_key": k, "person_key": v} for k, v in told.items()])

    before = {"a1": "A", "a2": "A", "b1": "B", "c1": "C", "gone": "G"}
    after = {"a1": "A", "a2": "A2", "b1": "A", "c1": "C", "new": "N"}
    told = person_changes(persons(after), persons(before)).toPandas().set_index("prospect_key")
    assert told["change"].to_dict() == {"a2": "split", "b1": "merged"}
    assert told["was_person_key"].to_dict() == {"a2": "A", "b1": "B"}
    assert told["person_key"].to_dict() == {"a2": "A2", "b1": "A"}
