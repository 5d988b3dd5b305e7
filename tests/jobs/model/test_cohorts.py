"""What a training row may be taken for: an outcome whose time is not over is none, however it looks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from jobs.model.learners import Features
from jobs.model.training.cohorts import asked_rows, decided_rows, outside_rings
from jobs.runtime.settings import TrainingConf
from jobs.tables.ingest import PROSPECTS
from jobs.tables.link import ASSIGNMENT_OUTCOMES, MATURED_OUTCOMES, SHARED_IDENTITIES

DAY = date(2026, 6, 1)


def test_of_recent_approvals_the_drawn_alone_are_known_and_none_counts(rows: Any, make_shell: Any) -> None:
    def applied(name: str, ago: int, is_funded: bool | None, decided_after: int = 0) -> dict[str, Any]:
        at = datetime(2026, 6, 1, tzinfo=UTC) - timedelta(days=ago)
        told = {"application_id": name, "prospect_key": "p1", "person_key": "p1", "applied_at": at, "is_approved": True}
        return {**told, "decided_at": at + timedelta(days=decided_after), "is_funded": is_funded}

    book = [
        applied("drawn lately", 10, True),
        applied("open", 10, None),
        applied("last open day", 30, None),
        applied("just over", 31, False),
        applied("decided late", 40, True, decided_after=20),
        applied("old", 90, True),
    ]
    found = decided_rows(
        rows(MATURED_OUTCOMES, book, DAY),
        rows(PROSPECTS, [{"prospect_key": "p1"}], date(2026, 1, 1)),
        Features(),
        TrainingConf(),
        DAY,
        make_shell(),
    ).set_index("application_id")
    assert found["is_draw_over"].to_dict() == {
        "drawn lately": False,
        "open": False,
        "last open day": False,
        "just over": True,
        "decided late": False,
        "old": True,
    }


def test_what_rings_did_teaches_nothing_of_those_who_can_be_sent(rows: Any) -> None:
    book = [{"application_id": f"a-{name}", "person_key": name, "prospect_key": name} for name in ("ring", "pair")]
    book.append({"application_id": "a-nobody", "person_key": None})
    shared = [
        {"person_key": "ring", "kind": "device", "persons": 12, "is_fraud": True},
        {"person_key": "pair", "kind": "device", "persons": 2, "is_fraud": False},
    ]
    kept = outside_rings(rows(MATURED_OUTCOMES, book, DAY), rows(SHARED_IDENTITIES, shared, DAY), 3)
    assert sorted(row["application_id"] for row in kept.collect()) == ["a-nobody", "a-pair"]
    assert kept.columns == rows(MATURED_OUTCOMES, [], DAY).columns


def test_who_asked_unasked_is_told_by_applications_no_list_brought(rows: Any, make_shell: Any) -> None:
    at = datetime(2026, 5, 10, tzinfo=UTC)
    book = [{"application_id": f"a-{name}", "prospect_key": name} for name in ("own", "brought", "held", "both")]
    book += [{"application_id": "a-again", "prospect_key": "both"}, {"application_id": "a-unlinked"}]
    lists = [
        {"prospect_key": "brought", "channel": "feed", "application_id": "a-brought"},
        {"prospect_key": "held", "channel": "none", "application_id": "a-held"},
        {"prospect_key": "both", "channel": "feed", "application_id": "a-both"},
        {"prospect_key": "idle", "channel": "feed", "application_id": None},
    ]
    people = [{"prospect_key": name} for name in ("own", "brought", "held", "both", "idle")]
    before = rows(PROSPECTS, [{"prospect_key": "gone"}], date(2026, 1, 1))
    found = asked_rows(
        rows(MATURED_OUTCOMES, [{**one, "applied_at": at} for one in book], DAY),
        rows(ASSIGNMENT_OUTCOMES, lists, DAY),
        before.unionByName(rows(PROSPECTS, people, date(2026, 5, 1))),
        Features(),
        TrainingConf(),
        make_shell(),
    ).set_index("prospect_key")
    assert found["is_asked"].to_dict() == {"own": True, "brought": False, "held": True, "both": True, "idle": False}


def test_who_asked_unasked_is_seen_as_known_then_and_the_others_on_the_same_days(rows: Any, make_shell: Any) -> None:
    """Asking changes a feature from 1 to 5 in the next snapshot, and the feature drifts by 10 in May for everybody."""
    asked = {f"early{n}": datetime(2026, 2, 3, tzinfo=UTC) for n in range(30)}
    asked |= {f"later{n}": datetime(2026, 5, 10, tzinfo=UTC) for n in range(30)}
    idle = [f"idle{n}" for n in range(200)]
    seen = []
    for day, drift in ((date(2026, 1, 1), 0), (date(2026, 3, 1), 0), (date(2026, 5, 1), 10), (date(2026, 6, 1), 10)):
        told = [(name, 5 if at.date() <= day else 1) for name, at in asked.items()] + [(name, 1) for name in idle]
        people = [{"prospect_key": name, "score": value + drift} for name, value in told]
        schema = "prospect_key string, score int, day date"
        seen.append([(one["prospect_key"], one["score"], day) for one in people])
    shell = make_shell()
    prospects = shell.spark.createDataFrame([row for part in seen for row in part], schema)
    book = [{"application_id": name, "prospect_key": name, "applied_at": at} for name, at in asked.items()]
    found = asked_rows(
        rows(MATURED_OUTCOMES, book, DAY),
        rows(ASSIGNMENT_OUTCOMES, [], DAY),
        prospects,
        Features(numeric=("score",)),
        TrainingConf(),
        shell,
    )
    assert set(found.loc[found["is_asked"], "score"]) == {1.0, 11.0}
    others = found[~found["is_asked"]]
    assert others["score"].value_counts(normalize=True).to_dict() == pytest.approx({1.0: 0.5, 11.0: 0.5}, abs=0.1)
    assert set(others["known_day"]) == {date(2026, 2, 3), date(2026, 5, 10)}
    assert found["is_known"].all()
