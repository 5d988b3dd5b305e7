"""Planted rates of bands come back as lifts over the whole rate; totals tie; only who was put on an audience counts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from jobs.measure.band_lifts import band_lifts
from jobs.tables.activate import AUDIENCES
from jobs.tables.link import ASSIGNMENT_OUTCOMES, PEOPLE
from jobs.tables.measure.experiments import BAND_LIFTS

WAVE, DAY = date(2026, 1, 5), date(2026, 3, 31)


@pytest.fixture
def told(rows: Any, make_shell: Any) -> Any:
    def run(people: list[tuple[str, int, str | None, str, int]]) -> Any:
        """(name, count, band sent with, role, funded of them)."""
        each = [(f"{name}{i}", band, role, i < hits) for name, count, band, role, hits in people for i in range(count)]
        assigned = [
            {"prospect_key": who, "person_key": who, "assigned_day": WAVE, "channel": "sms", "role": role}
            | {"is_applied": True, "is_funded": hit}
            for who, _, role, hit in each
        ]
        sent = [
            {"day": WAVE, "prospect_key": who, "channel": "sms", "role": role, "band": band}
            for who, band, role, _ in each
            if band
        ]
        known = [{"prospect_key": who, "person_key": who} for who, *_ in each]
        frames = rows(ASSIGNMENT_OUTCOMES, assigned), rows(AUDIENCES, sent), rows(PEOPLE, known)
        found = band_lifts(*frames, day=DAY, shell=make_shell())
        assert list(found.columns) == [c.name for c in BAND_LIFTS.columns]
        return found.set_index(["outcome", "band"])

    return run


def test_a_lift_is_of_the_exposed_and_gains_add_up(told: Any) -> None:
    found = told(
        [
            ("a", 40, "A", "policy", 20),
            ("b", 60, "B", "exploration", 15),
            ("c", 100, "C", "policy", 5),
            ("held", 50, "A", "holdout", 50),
            ("early", 30, None, "policy", 30),
        ]
    )
    funded = found.loc["funded"]
    assert funded["exposed"].to_dict() == {"A": 40, "B": 60, "C": 100}
    assert funded["whole_rate"].tolist() == pytest.approx([0.2] * 3)
    assert funded["lift"].tolist() == pytest.approx([2.5, 1.25, 0.25])
    assert ((funded["lift_lo"] < funded["lift"]) & (funded["lift"] < funded["lift_hi"])).all()
    assert funded["gain"].tolist() == pytest.approx([0.5, 0.875, 1.0])
    assert funded["exposed_share"].tolist() == pytest.approx([0.2, 0.5, 1.0])
    assert (funded["lift"] * funded["exposed"]).sum() == pytest.approx(funded["exposed"].sum())
    assert "good" not in found.index.get_level_values("outcome"), "nobody is a year old"


def test_nothing_won_is_no_lift(told: Any) -> None:
    found = told([("a", 10, "A", "policy", 0), ("b", 10, "B", "policy", 0)]).loc["funded"]
    assert found["lift"].isna().all()
    assert set(found["reason"]) == {"no_outcome"}
    assert told([("early", 5, None, "policy", 1)]).empty
