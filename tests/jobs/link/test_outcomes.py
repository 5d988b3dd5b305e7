"""Touches, applications and assignments find their person; outcomes are told when known and not before."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from jobs.link.assignment_outcomes import assignment_outcomes
from jobs.link.linked_touches import linked_touches
from jobs.link.matured_outcomes import matured_outcomes
from jobs.runtime.errors import DataRefused
from jobs.tables.ingest import APPLICATIONS, ASSIGNMENTS, FX_RATES, LOANS, PROSPECTS, REPAYMENTS, TOUCHES
from jobs.tables.link import IDENTIFIER_OWNERS, LINKED_TOUCHES, MATURED_OUTCOMES, PEOPLE

DAY = date(2026, 6, 30)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def owner(kind: str, id_key: str, person: str | None) -> dict[str, Any]:
    key = {"prospect_key": person and f"{person}-row", "person_key": person}
    return {"kind": kind, "id_key": id_key, **key, "prospects": 1, "persons": 1 if person else 2}


OWNERS = [
    owner("national", "n-ann", "ann"),
    owner("phone", "p-ann", "ann"),
    owner("phone", "p-bob", "bob"),
    owner("device", "d-bob", "bob"),
    owner("device", "d-household", None),
    owner("cookie", "k-cat", "cat"),
]


def test_touches_link_by_the_strongest_owned_identifier_then_by_their_click(
    rows: Any, make_shell: Any, conf: Any
) -> None:
    plain = {"occurred_at": at("2026-06-01"), "channel": "feed_a", "campaign": "c", "kind": "click"}
    content = [
        {"touch_id": "phone-beats-cookie", "id_phone_key": "p-ann", "id_cookie_key": "k-cat"},
        {"touch_id": "shared-falls-to-cookie", "id_device_key": "d-household", "id_cookie_key": "k-cat"},
        {"touch_id": "shared-only", "id_device_key": "d-household"},
        {"touch_id": "carries-click", "id_device_key": "d-bob", "id_click_key": "c1"},
        {"touch_id": "same-click", "id_click_key": "c1"},
        {"touch_id": "two-people-1", "id_device_key": "d-bob", "id_click_key": "c2"},
        {"touch_id": "two-people-2", "id_cookie_key": "k-cat", "id_click_key": "c2"},
        {"touch_id": "two-people-click", "id_click_key": "c2"},
        {"touch_id": "nothing"},
    ]
    touches = rows(TOUCHES, [{**plain, **row} for row in content])
    found = (
        linked_touches(touches, rows(IDENTIFIER_OWNERS, OWNERS), conf=conf, shell=make_shell())
        .toPandas()
        .set_index("touch_id")
    )
    assert len(found) == len(content)
    assert found["person_key"].where(found["person_key"].notna(), None).to_dict() == {
        "phone-beats-cookie": "ann",
        "shared-falls-to-cookie": "cat",
        "shared-only": None,
        "carries-click": "bob",
        "same-click": "bob",
        "two-people-1": "bob",
        "two-people-2": "cat",
        "two-people-click": None,
        "nothing": None,
    }
    assert found.loc["same-click", "link_type"] == "click"
    assert found.loc["phone-beats-cookie", "prospect_key"] == "ann-row"


def application(
    name: str, applied: str, decision: str = "approved", decided: str | None = None, **ids: str
) -> dict[str, Any]:
    decided_at = at(decided) if decided else None
    return {"application_id": name, "applied_at": at(applied), "decision": decision, "decided_at": decided_at, **ids}


def loan(name: str, funded: str, currency: str = "CNY", principal: str = "1000.005") -> dict[str, Any]:
    money = Decimal(principal).quantize(Decimal("0.01"))
    return {
        "loan_id": f"L-{name}",
        "application_id": name,
        "funded_at": at(funded),
        "principal": money,
        "currency": currency,
    }


def state(name: str, months: int, dpd: int, balance: int = 500, is_fraud: bool = False) -> dict[str, Any]:
    return {
        "loan_id": f"L-{name}",
        "as_of_day": date(2025 + (months + 3) // 12, (months + 3) % 12 + 1, 28),
        "months_on_book": months,
        "days_past_due": dpd,
        "balance": Decimal(balance),
        "currency": "CNY",
        "is_confirmed_fraud": is_fraud,
    }


@pytest.fixture
def outcomes(rows: Any, make_shell: Any, conf: Any) -> Any:
    def run(applications: Any, loans: Any = (), repayments: Any = (), rates: Any = (), touches: Any = ()) -> Any:
        frame = matured_outcomes(
            rows(APPLICATIONS, applications),
            rows(LOANS, loans),
            rows(REPAYMENTS, repayments),
            rows(FX_RATES, rates),
            rows(IDENTIFIER_OWNERS, OWNERS),
            rows(LINKED_TOUCHES, touches),
            day=DAY,
            conf=conf,
            shell=make_shell(),
        )
        found = frame.toPandas().astype(object)
        return found.where(found.notna(), None).set_index("application_id")

    return run


def test_an_outcome_is_told_when_it_is_known_and_bad_before_good(outcomes: Any) -> None:
    old, new = "2025-04-20", "2026-06-10"
    applications = [
        application("declined", old, "declined", old, partner="bank", product="cash"),
        application("pending", new, "pending"),
        application("forgotten", old, "pending"),
        application("waits", new, decided=new),
        application("never-drew", old, decided=old),
        application("drew-late", old, decided=old),
        *[application(name, old, decided=old) for name in ("good", "young", "late", "late-after", "fraud", "repaid")],
    ]
    loans = [loan(name, "2025-04-25") for name in ("good", "young", "late", "late-after", "fraud", "repaid")]
    loans.append(loan("drew-late", "2025-05-28"))
    repayments = [
        *[state("good", month, 0) for month in range(1, 13)],
        *[state("young", month, 0) for month in range(1, 12)],
        state("late", 4, 91),
        state("late-after", 12, 90),
        state("late-after", 13, 91),
        state("fraud", 2, 10, is_fraud=True),
        state("repaid", 5, 0, balance=0),
    ]
    found = outcomes(applications, loans, repayments)
    assert len(found) == len(applications)
    assert found.loc["declined", ["partner", "product"]].tolist() == ["bank", "cash"]
    told = ["is_approved", "is_funded", "is_late", "is_good"]
    assert found[told].agg(list, axis=1).to_dict() == {
        "declined": [False, False, None, False],
        "pending": [None, None, None, None],
        "forgotten": [False, False, None, False],
        "waits": [True, None, None, None],
        "never-drew": [True, False, None, False],
        "drew-late": [True, False, None, False],
        "good": [True, True, False, True],
        "young": [True, True, None, None],
        "late": [True, True, True, False],
        "late-after": [True, True, False, True],
        "fraud": [True, True, None, False],
        "repaid": [True, True, False, True],
    }
    assert found.loc["good", "is_mature"]
    assert found.loc["good", "principal_minor"] == 100000


def test_a_young_repaid_loan_is_not_good_yet(outcomes: Any) -> None:
    found = outcomes(
        [application("a", "2026-01-01", decided="2026-01-02")], [loan("a", "2026-01-03")], [state("a", 4, 0, balance=0)]
    )
    assert found.loc["a", "is_good"] is None
    assert not found.loc["a", "is_mature"]


def test_applications_link_by_strength_and_by_click(outcomes: Any) -> None:
    touch = {"touch_id": "t", "prospect_key": "bob-row", "person_key": "bob", "id_click_key": "c1"}
    found = outcomes(
        [
            application("national-wins", "2026-06-01", id_national_key="n-ann", id_phone_key="p-bob"),
            application("unknown-falls", "2026-06-01", id_national_key="n-nobody", id_phone_key="p-bob"),
            application("click", "2026-06-01", id_click_key="c1", id_cookie_key="k-cat"),
            application("household", "2026-06-01", id_device_key="d-household"),
        ],
        touches=[touch],
    )
    assert found[["person_key", "link_type"]].agg(tuple, axis=1).to_dict() == {
        "national-wins": ("ann", "national"),
        "unknown-falls": ("bob", "phone"),
        "click": ("bob", "click"),
        "household": (None, None),
    }


def test_principal_uses_the_rate_of_its_day_and_a_missing_one_is_refused(outcomes: Any) -> None:
    rates = [
        {"rate_day": date(2026, 1, day), "currency": "USD", "rate": Decimal(rate)}
        for day, rate in ((1, "7.1"), (4, "9.0"))
    ]
    one = [application("a", "2026-01-01", decided="2026-01-02")]
    assert outcomes(one, [loan("a", "2026-01-03", "USD", "10.01")], rates=rates).loc["a", "principal_minor"] == 7107
    with pytest.raises(DataRefused, match="1 loans in EUR from 2026-01-03"):
        outcomes(one, [loan("a", "2026-01-03", "EUR")], rates=rates)


@pytest.fixture
def cohort(rows: Any, conf: Any) -> Any:
    def run(assigned: Any, touches: Any = (), applied: Any = (), snapshots: Any = ()) -> Any:
        known = [
            {"prospect_key": f"{p}{i}", "person_key": p, "is_sent": i == 1, "prospects": 2}
            for p in "ab"
            for i in (1, 2)
        ]
        frame = assignment_outcomes(
            rows(ASSIGNMENTS, [{"role": "policy", **row} for row in assigned]),
            rows(PROSPECTS, [{"day": day, "prospect_key": "a1"} for day in snapshots]),
            rows(PEOPLE, known),
            rows(LINKED_TOUCHES, touches),
            rows(MATURED_OUTCOMES, applied),
            day=DAY,
            conf=conf,
        )
        found = frame.toPandas().astype(object)
        return found.where(found.notna(), None).set_index(["prospect_key", "assigned_day", "channel"])

    return run


def test_each_assignment_sees_its_own_window_channel_and_person(cohort: Any) -> None:
    first, second, third = date(2026, 5, 1), date(2026, 5, 10), date(2026, 6, 20)
    assigned = [
        {"prospect_key": "a1", "assigned_day": first, "channel": "feed_a"},
        {"prospect_key": "a1", "assigned_day": second, "channel": "sms"},
        {"prospect_key": "b1", "assigned_day": first, "channel": "none", "role": "holdout"},
        {"prospect_key": "stranger", "assigned_day": first, "channel": "sms"},
        {"prospect_key": "b1", "assigned_day": third, "channel": "sms"},
    ]
    moments = ["2026-04-30T23:59:59", "2026-05-01T00:00:00", "2026-05-14T23:59:59", "2026-05-15T00:00:00"]
    touches = [
        {"touch_id": f"{kind}{moment}", "person_key": "a", "channel": "feed_a", "kind": kind, "occurred_at": at(moment)}
        for moment in moments
        for kind in ("click", "impression")
    ]
    applied = [
        {"application_id": name, "person_key": person, "applied_at": at(moment), "is_approved": name == "second"}
        for name, person, moment in (
            ("before", "a", "2026-04-30T12:00:00"),
            ("second", "a", "2026-05-12T12:00:00"),
            ("third", "a", "2026-05-13T12:00:00"),
            ("open", "b", "2026-06-21T12:00:00"),
            ("unlinked", None, "2026-05-02T12:00:00"),
        )
    ]
    found = cohort(assigned, touches, applied, snapshots=[date(2026, 4, 1), first, date(2026, 5, 11)])
    assert len(found) == len(assigned)
    told = found[["impressions", "clicks", "is_applied", "application_id", "is_approved", "snapshot_day"]]
    assert told.agg(list, axis=1).to_dict() == {
        ("a1", first, "feed_a"): [2, 2, True, "second", True, first],
        ("a1", second, "sms"): [0, 0, True, "second", True, first],
        ("b1", first, "none"): [0, 0, False, None, None, first],
        ("stranger", first, "sms"): [0, 0, False, None, None, first],
        ("b1", third, "sms"): [0, 0, None, None, None, date(2026, 5, 11)],
    }
    assert found["person_key"].notna().all()


def test_no_snapshot_known_and_nothing_assigned(cohort: Any) -> None:
    one = [{"prospect_key": "a1", "assigned_day": date(2026, 5, 1), "channel": "sms"}]
    assert cohort(one, snapshots=[date(2026, 5, 2)])["snapshot_day"].tolist() == [None]
    assert cohort([]).empty


def test_random_books_equal_a_plain_reading_and_nothing_is_good_before_its_time(outcomes: Any) -> None:
    chance = random.Random(9)
    applications, loans, repayments, expected, first_late = [], [], [], {}, {}
    for number in range(150):
        name = f"random-{number}"
        applications.append(application(name, "2025-04-20", decided="2025-04-20"))
        loans.append(loan(name, "2025-04-25"))
        seen = chance.randint(1, 13)
        is_fraud = chance.random() < 0.1
        states = [(month, chance.choice([0, 0, 0, 0, 0, 0, 31, 90, 91])) for month in range(1, seen + 1)]
        repayments += [state(name, month, dpd, is_fraud=is_fraud) for month, dpd in states]
        is_bad = is_fraud or any(dpd > 90 and month <= 12 for month, dpd in states)
        expected[name] = False if is_bad else True if seen >= 12 else None
        first_late[name] = min((month for month, dpd in states if dpd > 90 and month <= 12), default=None)
    chance.shuffle(repayments)
    found = outcomes(applications, loans, repayments)
    assert found["is_good"].to_dict() == expected
    assert found["late_month"].to_dict() == first_late
    assert set(expected.values()) == {True, False, None}
