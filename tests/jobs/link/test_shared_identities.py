"""Planted rings show by what they share, households and strangers' defaults do not count as more than they are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.link.shared_identities import PLACEHOLDER, shared_identities
from jobs.tables.ingest import APPLICATIONS, PROSPECTS
from jobs.tables.link import MATURED_OUTCOMES, PEOPLE

DAY = date(2026, 2, 1)
Named = tuple[str, str | None, str | None, bool]  # applicant, device, background, confirmed fraud


@pytest.fixture(scope="module")
def told(spark: Any) -> Any:
    """told({person: device}, [(applicant, device, background, fraud)]) -> {person: (kind, persons, is_fraud)}."""
    from jobs.runtime import frames
    from support import make_conf

    def rows(table: Any, content: list[dict[str, Any]]) -> Any:
        schema = frames.schema(frames.resolved(table, make_conf()), with_day=True)
        return spark.createDataFrame(
            [tuple({"day": DAY, **row}.get(n) for n in schema.names) for row in content], schema
        )

    def run(prospects: dict[str, str | None], applied: list[Named] = ()) -> dict[str, tuple[str, int, bool]]:
        applications, outcomes = [], []
        for number, (person, device, background, fraud) in enumerate(applied):
            known = person in prospects
            applications.append(
                {
                    "application_id": f"a{number}",
                    "applied_at": datetime(2026, 1, 2, tzinfo=UTC),
                    "id_device_key": device,
                    "id_national_key": f"n-{person}",
                    "background_hash": background,
                }
            )
            outcomes.append(
                {"application_id": f"a{number}", "person_key": person if known else None, "is_fraud": fraud or None}
            )
        found = shared_identities(
            rows(PROSPECTS, [{"prospect_key": p, "id_device_key": d} for p, d in prospects.items()]),
            rows(PEOPLE, [{"prospect_key": p, "person_key": p, "is_sent": True, "prospects": 1} for p in prospects]),
            rows(APPLICATIONS, applications),
            rows(MATURED_OUTCOMES, outcomes),
        ).toPandas()
        return {r.person_key: (r.kind, int(r.persons), bool(r.is_fraud)) for r in found.itertuples()}

    return run


def test_a_hotel_of_borrowed_identities_is_seen_whole(told: Any) -> None:
    guests = [(f"g{n}", None, f"{0xABCDEF0123456700 + n % 5:016x}", n == 0) for n in range(300)]
    found = told({f"g{n}": None for n in range(40)} | {"x": "own"}, guests)
    assert found == {f"g{n}": ("background", 300, True) for n in range(40)}


def test_a_person_who_applies_often_is_one_person_and_a_default_is_nobodys(told: Any) -> None:
    often = [("p", "mine", None, False)] * 5
    assert told({"p": "mine", "q": None}, often) == {}
    crowd = {f"c{n}": "0000" for n in range(PLACEHOLDER + 1)}
    assert told(crowd) == {}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(["d1", "d2", "d3", None]), min_size=1))
def test_persons_counts_who_has_the_device(told: Any, held: dict[str, str | None]) -> None:
    sizes = pd.Series({k: v for k, v in held.items() if v}, dtype=object).value_counts()
    expected = {p: ("device", int(sizes[d]), False) for p, d in held.items() if d and sizes[d] > 1}
    assert told(held) == expected
