"""A rule segment is refused, with a reason, when it asks for what it may not know."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from jobs.runtime.errors import UsageError
from jobs.tables.ingest import PROSPECTS
from segments.rules import members

COLUMNS = ("region", "registered_at", "income", "city")
DAY = date(2026, 5, 1)


@pytest.fixture
def people(rows: Any) -> Any:
    """Three prospects; the third has no income."""
    when = datetime(2026, 4, 20, tzinfo=UTC)
    return rows(
        PROSPECTS,
        [
            {"prospect_key": "a", "income": 10.0, "city": "gender", "registered_at": when},
            {"prospect_key": "b", "income": 20.0, "city": "x", "region": "north"},
            {"prospect_key": "c", "city": "x"},
        ],
    )


@pytest.mark.parametrize(
    ("predicate", "keys"),
    [
        ("income > 5", ["a", "b"]),
        ("income > 5 and city = 'gender'", ["a"]),
        ("registered_at >= day - interval 30 days", ["a"]),
        ("income is null", ["c"]),
        ("city <> 'today' and city <> 'it''s' and income > 5", ["a", "b"]),
        ("region = 'north' or city in ('y')", ["b"]),
    ],
)
def test_members_are_those_the_rule_holds_for(people: Any, predicate: str, keys: list[str]) -> None:
    found = members(people, "s", predicate, COLUMNS, ["gender"], DAY).collect()
    assert sorted(row.prospect_key for row in found) == keys


@pytest.mark.parametrize(
    ("predicate", "says"),
    [
        ("income > 5 and gender = 'f'", "forbids gender"),
        ("Gender = 'f'", "forbids gender"),
        ("wealth > 5", "may use day, region"),
        ("id_phone_key is not null", "may use day, region"),
        ("income + 1", "yes-or-no"),
        ("income >", "cannot be read"),
        ("rand() < 0.5", "rand"),
        ("uniform(0, 10, 3) < 1", "uniform"),
        ("unix_timestamp(registered_at) > unix_timestamp() - 2592000", "unix_timestamp"),
        ("registered_at >= timestamp'yesterday'", "yesterday"),
        ('registered_at >= DATE "today"', "today"),
        ("city = \"it's\" and gender = 'f'", "forbids gender"),
        ("registered_at > current_timestamp()", "current_timestamp"),
    ],
)
def test_what_a_rule_may_not_know_is_refused(people: Any, predicate: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        members(people, "vip", predicate, COLUMNS, ["gender"], DAY)
    assert "segments/vip.yaml" in str(caught.value)
