"""The gates never open without a valid statement, over random histories and against a plain reading of the rule."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from jobs.activate.eligibility import eligibility
from jobs.runtime.settings import PolicyConf
from jobs.tables.activate import ELIGIBILITY
from jobs.tables.ingest import CONSENTS, PROSPECTS, SUPPRESSIONS
from jobs.tables.link import PEOPLE, SHARED_IDENTITIES
from segments import gates
from support import make_conf, to_pandas

DAY = date(2026, 1, 10)
END = datetime(2026, 1, 11, tzinfo=UTC)
CHANNELS = ("feed_a", "sms")
NO_HOLDOUT = PolicyConf(holdout_share=0.0, min_audience=0)


def statement(number: int, who: dict[str, str], **changes: Any) -> dict[str, Any]:
    common = {"purpose": "marketing", "channel": "*", "is_granted": True, "from_at": datetime(2026, 1, 1, tzinfo=UTC)}
    return {"consent_key": f"c{number}", **who, **common, **changes}


def suppression(number: int, who: dict[str, str], **changes: Any) -> dict[str, Any]:
    common = {"reason": "opt_out", "from_at": datetime(2026, 1, 1, tzinfo=UTC)}
    return {"suppression_key": f"s{number}", **who, **common, **changes}


@pytest.fixture
def decide(rows: Any, make_shell: Any) -> Any:
    """decide(prospects, consents, suppressions, people=…, policy=…) -> {(prospect, channel): reason}."""

    def run(
        prospects: list[dict[str, Any]],
        consents: list[dict[str, Any]] = (),
        suppressions: list[dict[str, Any]] = (),
        persons: dict[str, str] | None = None,
        before: list[dict[str, Any]] = (),
        policy: PolicyConf = NO_HOLDOUT,
        shared: list[dict[str, Any]] = (),
    ) -> Any:
        persons = persons or {}
        first: dict[str, str] = {}
        people = []
        for row in prospects:
            key = row["prospect_key"]
            person = persons.get(key, key)
            is_sent = first.setdefault(person, key) == key
            people.append({"prospect_key": key, "person_key": person, "is_sent": is_sent, "prospects": 1})
        frame = eligibility(
            rows(PROSPECTS, prospects, DAY),
            rows(PEOPLE, people, DAY),
            rows(CONSENTS, consents, DAY),
            rows(SUPPRESSIONS, suppressions, DAY),
            rows(SHARED_IDENTITIES, shared, DAY),
            rows(ELIGIBILITY, before, DAY - timedelta(days=1)),
            day=DAY,
            conf=make_conf(policy=policy),
            shell=make_shell(),
        )
        return to_pandas(frame, "prospect_key", "channel")

    return run


def reasons(frame: Any) -> dict[tuple[str, str], str | None]:
    return {(r.prospect_key, r.channel): r.reason or None for r in frame.itertuples()}


def test_random_histories_never_open_a_gate_without_consent(decide: Any) -> None:
    """10^4 random histories of statements: the answer equals a plain reading of the rule, row by row."""
    dice = random.Random(11)
    prospects, consents, expected = [], [], {}
    for number in range(10_000):
        key, phone = f"p{number}", f"phone{number}"
        prospects.append({"prospect_key": key, "id_phone_key": phone})
        history = []
        for _ in range(dice.randrange(4)):
            start = END + timedelta(hours=dice.choice([-900, -300, -300, -30, -1, 0, 5]))
            until = dice.choice([None, None, END + timedelta(hours=dice.choice([-20, -1, 0, 1, 400]))])
            one = {
                "channel": dice.choice(["*", *CHANNELS, "other"]),
                "is_granted": dice.random() < 0.7,
                "purpose": "marketing" if dice.random() < 0.85 else "service",
                "from_at": start,
                "until_at": until,
            }
            history.append(one)
            consents.append(statement(len(consents), {"id_phone_key": phone}, **one))
        for channel in CHANNELS:
            expected[key, channel] = plain_reading(history, channel)
    found = reasons(decide(prospects, consents))
    opened = {key for key, reason in found.items() if reason is None}
    assert opened == {key for key, is_open in expected.items() if is_open}
    assert 500 < len(opened) < len(found) / 2
    assert set(found.values()) == {None, "no_consent"}


def plain_reading(history: list[dict[str, Any]], channel: str) -> bool:
    said = [s for s in history if s["purpose"] == "marketing" and s["channel"] in ("*", channel) and s["from_at"] < END]
    if not said:
        return False
    newest = max(s["from_at"] for s in said)
    return all(
        s["is_granted"] and (s["until_at"] is None or s["until_at"] >= END) for s in said if s["from_at"] == newest
    )


def test_no_consents_table_means_nobody_and_assumed_says_so(decide: Any) -> None:
    prospects = [{"prospect_key": "a", "id_phone_key": "1"}, {"prospect_key": "b", "id_phone_key": "2"}]
    assert set(reasons(decide(prospects)).values()) == {"no_consent"}
    refusal = [statement(0, {"id_phone_key": "2"}, is_granted=False)]
    assumed = decide(prospects, refusal, policy=PolicyConf(consent="assumed", holdout_share=0.0))
    assert assumed["is_consent_assumed"].all()
    assert reasons(assumed)["a", "sms"] is None
    assert reasons(assumed)["b", "sms"] == "no_consent"


def test_a_grant_from_a_shared_identifier_opens_nothing_but_a_refusal_shuts_all(decide: Any) -> None:
    prospects = [
        {"prospect_key": "a", "id_phone_key": "1", "id_device_key": "shared"},
        {"prospect_key": "b", "id_phone_key": "2", "id_device_key": "shared"},
    ]
    granted = statement(0, {"id_phone_key": "1", "id_device_key": "shared"})
    found = reasons(decide(prospects, [granted]))
    assert found["a", "sms"] is None
    assert found["b", "sms"] == "no_consent"
    refused = statement(1, {"id_device_key": "shared"}, is_granted=False, from_at=datetime(2026, 1, 5, tzinfo=UTC))
    assert set(reasons(decide(prospects, [granted, refused])).values()) == {"no_consent"}


def test_a_suppression_of_one_row_by_any_identifier_shuts_the_person(decide: Any) -> None:
    prospects = [
        {"prospect_key": "a", "id_phone_key": "1"},
        {"prospect_key": "b", "id_email_key": "2", "id_national_key": "n"},
        {"prospect_key": "c", "id_phone_key": "3"},
    ]
    consents = [statement(n, {"id_phone_key": phone}) for n, phone in enumerate(["1", "3"])]
    over = suppression(1, {"id_phone_key": "3"}, until_at=datetime(2026, 1, 10, tzinfo=UTC))
    persons = {"a": "pa", "b": "pa"}
    found = reasons(decide(prospects, consents, [suppression(0, {"id_national_key": "n"}), over], persons))
    assert found["a", "feed_a"] == found["b", "sms"] == "suppressed:opt_out"
    assert found["c", "feed_a"] is None
    ends_today = suppression(
        2, {"id_phone_key": "3"}, reason="complaint", until_at=datetime(2026, 1, 10, 1, tzinfo=UTC)
    )
    begins_today = suppression(
        3, {"id_phone_key": "3"}, reason="arrears", from_at=datetime(2026, 1, 10, 23, tzinfo=UTC)
    )
    found = reasons(decide(prospects, consents, [ends_today, begins_today], persons))
    assert found["c", "sms"] == "suppressed:arrears"


def test_one_row_a_person_with_an_identifier_the_channel_takes(decide: Any) -> None:
    prospects = [
        {"prospect_key": "a", "id_email_key": "1"},
        {"prospect_key": "b", "id_phone_key": "2"},
    ]
    consents = [statement(0, {"id_email_key": "1"})]
    found = reasons(decide(prospects, consents, persons={"a": "pa", "b": "pa"}))
    assert found == {
        ("a", "feed_a"): None,
        ("a", "sms"): "no_identifier",
        ("b", "feed_a"): "not_sent_row",
        ("b", "sms"): "not_sent_row",
    }


def test_held_out_wins_when_people_merge_and_the_draw_has_its_share(decide: Any) -> None:
    policy = PolicyConf(holdout_share=0.10, min_audience=0)
    prospects = [{"prospect_key": f"p{n}", "id_phone_key": f"{n}"} for n in range(4000)]
    consents = [statement(n, {"id_phone_key": f"{n}"}) for n in range(4000)]
    first = decide(prospects, consents, policy=policy)
    held = set(first.loc[first["is_holdout"], "prospect_key"])
    assert 0.08 < len(held) / 4000 < 0.12
    assert set(first.loc[first["is_holdout"], "reason"]) == {"holdout"}
    out = sorted(held)[0]
    free = next(f"p{n}" for n in range(4000) if f"p{n}" not in held)
    before = first.drop(columns="day", errors="ignore").to_dict("records")
    pair = [row for row in prospects if row["prospect_key"] in (out, free)]
    merged = {out: free, free: free}
    again = decide(pair, consents, persons=merged, before=before, policy=policy)
    assert set(again["is_holdout"]) == {True}
    rotated = PolicyConf(holdout_share=0.10, min_audience=0, holdout_salt="holdout-2")
    after = decide(pair, consents, persons={out: "q", free: "q"}, before=before, policy=rotated)
    expected = gates_uniform("holdout-2", "q") < 0.10
    assert set(after["is_holdout"]) == {expected}


def gates_uniform(salt: str, key: str) -> float:
    return (
        int(hashlib.sha256(f"{salt}:holdout:{key}".encode()).hexdigest()[: gates.HEX_DIGITS], 16) / 16**gates.HEX_DIGITS
    )


def test_rings_and_a_known_frauds_company_are_shut_out(decide: Any) -> None:
    prospects = [{"prospect_key": name, "id_phone_key": name} for name in "abcd"]
    consents = [statement(n, {"id_phone_key": name}) for n, name in enumerate("abcd")]
    told = {"a": (4, False), "b": (3, False), "c": (2, True)}
    shared = [
        {"person_key": name, "kind": "device", "persons": persons, "is_fraud": fraud}
        for name, (persons, fraud) in told.items()
    ]
    found = reasons(decide(prospects, consents, shared=shared))
    assert {name: found[name, "sms"] for name in "abcd"} == {
        "a": "shared_identity",
        "b": None,
        "c": "shared_identity",
        "d": None,
    }
    strict = PolicyConf(holdout_share=0.0, min_audience=0, max_persons_per_identity=2)
    assert reasons(decide(prospects, consents, shared=shared, policy=strict))["b", "sms"] == "shared_identity"


def test_stale_consents_open_nothing(decide: Any, rows: Any) -> None:
    prospects = [{"prospect_key": "a", "id_phone_key": "1"}]
    consents = [{**statement(0, {"id_phone_key": "1"}), "day": date(2026, 1, 7)}]
    day_old = PolicyConf(holdout_share=0.0, max_consent_age_hours=24)
    assert set(reasons(decide(prospects, consents, policy=day_old)).values()) == {"no_consent"}
    week = PolicyConf(holdout_share=0.0, max_consent_age_hours=168)
    assert set(reasons(decide(prospects, consents, policy=week)).values()) == {None}


def test_nobody_at_all_is_an_empty_answer(decide: Any) -> None:
    assert len(decide([])) == 0
