"""On random drops daily_costs equals a plain Python reading of the rule, and conserves spend and outcomes."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from jobs.measure.daily_costs import daily_costs
from jobs.tables.activate import AUDIENCES
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES, PEOPLE
from jobs.tables.measure.costs import SPEND_LEDGER
from jobs.tables.measure.loans import LOAN_RESULTS

START, DAY = date(2026, 1, 1), date(2026, 3, 20)
PERSONS = [f"p{i}" for i in range(12)]
COUNTED = (
    *("applications", "approvals", "funded", "good", "undecided", "leads", "decisions", "viewed"),
    *("decided_30_3", "good_30_3", "undecided_30_3", "due", "first_late"),
    *("principal_minor", "fraud_minor", "lost_minor", "interest_minor", "balance_months_minor"),
    *("priced", "expected_loss_minor", "projected", "interest_ahead_minor", "balance_months_ahead_minor"),
    *("approved_7", "funded_7", "approved_30", "funded_30"),
)


def world(seed: int) -> dict[str, list[dict[str, Any]]]:
    dice = random.Random(seed)
    day = lambda: START + timedelta(days=dice.randrange(60))  # noqa: E731
    moment = lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=dice.randrange(60 * 86400))  # noqa: E731
    place = lambda: {  # noqa: E731
        "channel": dice.choice(["feed_a", "sms"]),
        "campaign": dice.choice(["c1", "c2"]),
        "ad_group": dice.choice([None, "g1", "g2"]),
    }
    spend = {}
    for number in range(80):
        at, where = day(), place()
        row = {"spend_day": at, **where, "creative": str(number), "cost_minor": dice.randrange(10**5)}
        spend[tuple(map(str, (at, *where.values(), number)))] = row
    touches = [
        {
            "touch_id": f"t{i}",
            "person_key": dice.choice([*PERSONS, None]),
            "id_click_key": dice.choice([None, f"k{i}"]),
            "occurred_at": moment(),
            "kind": dice.choice(["click", "click", "call", "impression"]),
            **place(),
        }
        for i in range(150)
    ]
    sent = {
        (dice.choice(PERSONS), START + timedelta(days=10 + dice.randrange(40))): {
            "channel": dice.choice(["feed_a", "sms"]),
            "band": dice.choice(["A", "B", None]),
            "role": dice.choice(["policy", "exploration"]),
        }
        for _ in range(30)
    }
    outcomes, results = [], []
    for i in range(60):
        approved = dice.choice([True, True, False, None])
        funded = dice.choice([True, False, None]) if approved else approved
        applied, decided = moment(), dice.choice([None, moment()])
        outcomes.append(
            {
                "application_id": f"a{i}",
                "decided_at": decided,
                "funded_at": (decided or applied) + timedelta(days=dice.randrange(12)) if funded else None,
                "person_key": dice.choice([*PERSONS, None]),
                "id_click_key": dice.choice([None, f"k{dice.randrange(150)}"]),
                "applied_at": applied,
                "is_approved": approved,
                "is_funded": funded,
                "is_good": dice.choice([True, None]) if funded else funded,
                "loan_id": f"l{i}" if funded else None,
                "principal_minor": dice.randrange(10**6) if funded else None,
                "is_fraud": dice.random() < 0.2 if funded else None,
            }
        )
        if funded:
            money = {f"{name}_minor": dice.randrange(10**4) for name in ("lost", "interest", "balance_months")}
            told = {name: dice.choice([True, False, None]) for name in ("is_good_30_3", "is_first_late")}
            expected = dice.choice([None, dice.randrange(10**4)])
            ahead = dice.choice([None, dice.randrange(10**4)])
            yet = {"interest_ahead_minor": ahead, "balance_months_ahead_minor": ahead and 3 * ahead}
            results.append({"loan_id": f"l{i}", **told, **money, "expected_loss_minor": expected, **yet})
    audiences = [{"prospect_key": f"{who}-row", "day": at, **row} for (who, at), row in sent.items()]
    told = {"spend": list(spend.values()), "touches": touches, "outcomes": outcomes, "audiences": audiences}
    return told | {"results": results}


def booked(row: dict[str, Any], loan: dict[str, Any]) -> dict[str, int]:
    """What an application adds beside the counts of the contract."""
    early = loan.get("is_good_30_3")
    told = {
        "decisions": row["is_approved"] is not None,
        "undecided_30_3": early is None and row["is_funded"] is not False,
    }
    if row["is_approved"]:
        at = row["decided_at"] or row["funded_at"] or row["applied_at"]
        for days in (7, 30):
            is_over = at.date() + timedelta(days=days) < DAY
            in_time = row["funded_at"] is not None and row["funded_at"] <= at + timedelta(days=days)
            told |= {f"approved_{days}": is_over, f"funded_{days}": is_over and in_time}
    if row["is_funded"]:
        told |= {"decided_30_3": early is not None, "good_30_3": early is True}
        told |= {"due": loan["is_first_late"] is not None, "first_late": loan["is_first_late"] is True}
        told |= {"principal_minor": row["principal_minor"], "fraud_minor": row["principal_minor"] * row["is_fraud"]}
        told |= {name: loan[name] for name in ("lost_minor", "interest_minor", "balance_months_minor")}
        expected = loan["expected_loss_minor"]
        told |= {"priced": expected is not None, "expected_loss_minor": expected or 0}
        told |= {"projected": loan["interest_ahead_minor"] is not None}
        told |= {name: loan[name] or 0 for name in ("interest_ahead_minor", "balance_months_ahead_minor")}
    return {name: int(value) for name, value in told.items()}


def by_hand(
    drop: dict[str, list[dict[str, Any]]], click_days: int = 30, view_days: int = 1, view_through: bool = False
) -> dict[tuple[Any, ...], Counter[str]]:
    billed: Counter[tuple[Any, ...]] = Counter()
    for row in drop["spend"]:
        billed[(row["spend_day"], row["channel"], row["campaign"], row["ad_group"])] += row["cost_minor"]

    def cell(touch: dict[str, Any]) -> tuple[Any, ...]:
        at = touch["occurred_at"].date()
        own = (at, touch["channel"], touch["campaign"], touch["ad_group"])
        place = (*own[:3], None) if own not in billed and (*own[:3], None) in billed else own
        sent = [
            (row["day"], row["band"])
            for row in drop["audiences"]
            if touch["person_key"] and row["prospect_key"] == f"{touch['person_key']}-row"
            if row["channel"] == touch["channel"] and row["day"] <= at
        ]
        return (*place, (max(sent, key=lambda one: one[0])[1] if sent else None) or "(none)")

    acted = [touch for touch in drop["touches"] if touch["kind"] != "impression"]
    cells: defaultdict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for touch in acted:
        cells[cell(touch)]["clicks"] += 1
    clicks = {key: count["clicks"] for key, count in cells.items()}
    for place, amount in billed.items():
        parts = {key: count for key, count in clicks.items() if key[:4] == place} or {(*place, "(none)"): 1}
        total = sum(parts.values())
        left = amount - sum(amount * count // total for count in parts.values())
        for rank, key in enumerate(sorted(parts, key=lambda key: (-(amount * parts[key] % total), key[4]))):
            cells[key]["spend_minor"] += amount * parts[key] // total + (rank < left)
    who = lambda row: row["person_key"] or (row["id_click_key"] and f"click|{row['id_click_key']}")  # noqa: E731
    firsts: dict[tuple[Any, ...], dict[str, Any]] = {}
    for touch in sorted(acted, key=lambda touch: (touch["occurred_at"], touch["touch_id"])):
        month = touch["occurred_at"].strftime("%Y-%m")
        firsts.setdefault((who(touch) or touch["touch_id"], touch["channel"], month), touch)
    for touch in firsts.values():
        cells[cell(touch)]["leads"] += 1
    results = {row["loan_id"]: row for row in drop["results"]}
    came = {(who(row), row["id_click_key"]) for row in drop["outcomes"] if row["id_click_key"]}
    for row in drop["outcomes"]:
        seen = [
            touch
            for touch in drop["touches"]
            if who(row) and (who(touch) == who(row) or (who(row), touch["id_click_key"]) in came)
            if row["applied_at"] - timedelta(days=click_days if touch in acted else view_days) < touch["occurred_at"]
            if touch["occurred_at"] <= row["applied_at"]
        ]
        latest = lambda touch: (touch in acted, touch["occurred_at"], touch["touch_id"])  # noqa: E731
        last = max(seen, key=latest, default=None)
        if last and last not in acted:
            cells[cell(last)]["viewed"] += 1
            last = last if view_through else None
        key = cell(last) if last else (row["applied_at"].date(), "(unattributed)", None, None, "(none)")
        cells[key]["applications"] += 1
        cells[key]["approvals"] += row["is_approved"] is True
        cells[key]["funded"] += row["is_funded"] is True
        cells[key]["good"] += row["is_good"] is True
        cells[key]["undecided"] += row["is_good"] is None
        cells[key].update(booked(row, results.get(row["loan_id"], {})))
    return cells


@pytest.fixture
def told(rows: Any, make_shell: Any, conf: Any) -> Any:
    def run(drop: dict[str, list[dict[str, Any]]], **measure: Any) -> list[Any]:
        base = conf.base.model_copy(update={"measure": conf.base.measure.model_copy(update=measure)})
        people = [{"prospect_key": f"{who}-row", "person_key": who} for who in PERSONS]
        return daily_costs(
            rows(SPEND_LEDGER, drop["spend"]),
            rows(LINKED_TOUCHES, drop["touches"]),
            rows(MATURED_OUTCOMES, drop["outcomes"]),
            rows(LOAN_RESULTS, drop["results"]),
            rows(PEOPLE, people),
            rows(AUDIENCES, drop["audiences"]),
            day=DAY,
            conf=conf.model_copy(update={"base": base}),
            shell=make_shell(),
        ).collect()

    return run


@pytest.mark.parametrize(
    "views", [{}, {"click_days": 3, "view_days": 20}, {"click_days": 3, "view_days": 20, "view_through": True}]
)
def test_it_is_what_the_rule_says_and_ties(told: Any, views: dict[str, Any]) -> None:
    drop = world(1)
    found = told(drop, **views)
    truth = by_hand(drop, **views)
    keys = [(row["cost_day"], row["channel"], row["campaign"], row["ad_group"], row["band"]) for row in found]
    assert len(keys) == len(set(keys))
    assert set(keys) == set(truth)
    for key, row in zip(keys, found, strict=True):
        assert {name: row[name] for name in ("spend_minor", "clicks", *COUNTED)} == {
            name: truth[key][name] for name in ("spend_minor", "clicks", *COUNTED)
        }, key
    assert sum(row["spend_minor"] for row in found) == sum(row["cost_minor"] for row in drop["spend"])
    assert sum(row["applications"] for row in found) == len(drop["outcomes"])
    assert sum(row["good"] for row in found) == sum(row["is_good"] is True for row in drop["outcomes"])
    whole = {name: sum(row[name] for row in found) for name in ("approved_7", "funded_7", "approved_30", "funded_30")}
    assert 0 < whole["funded_7"] < whole["approved_7"] > whole["approved_30"] > whole["funded_30"] > 0
    assert (sum(row["viewed"] for row in found) > 2) == bool(views)
    first = min(row["day"] for row in drop["audiences"])
    assert all((row["period"] == "campaign") == (row["cost_day"] > first) for row in found)
    assert {row["band"] for row in found} >= {"A", "B", "(none)"}


def test_an_empty_day_and_a_world_without_audiences(told: Any) -> None:
    assert told({"spend": [], "touches": [], "outcomes": [], "results": [], "audiences": []}) == []
    found = told(world(3) | {"audiences": []})
    assert {row["period"] for row in found} == {"history"}
    assert {row["band"] for row in found} == {"(none)"}


def test_a_touch_counts_on_the_day_its_account_bills_it(rows: Any, make_shell: Any, conf: Any) -> None:
    channel = next(iter(conf.channels.values()))
    west = channel.model_copy(update={"time_zone": "America/Los_Angeles"})
    zoned = conf.model_copy(update={"channels": {"feed_a": west, "sms": channel}})
    at = datetime(2026, 1, 5, 3, tzinfo=UTC)
    place = {"campaign": "c1", "kind": "click", "occurred_at": at}
    touches = [
        {"touch_id": "t1", "person_key": "p1", "channel": "feed_a", **place},
        {"touch_id": "t2", "person_key": "p2", "channel": "sms", **place},
    ]
    spend = [
        {"spend_day": date(2026, 1, 4), "channel": "feed_a", "campaign": "c1", "cost_minor": 100},
        {"spend_day": date(2026, 1, 5), "channel": "sms", "campaign": "c1", "cost_minor": 70},
    ]
    frames = (rows(SPEND_LEDGER, spend), rows(LINKED_TOUCHES, touches), rows(MATURED_OUTCOMES, []))
    frames = (*frames, rows(LOAN_RESULTS, []))
    found = daily_costs(
        *frames, rows(PEOPLE, []), rows(AUDIENCES, []), day=DAY, conf=zoned, shell=make_shell()
    ).toPandas()
    told = found.set_index("channel")
    assert told["cost_day"].to_dict() == {"feed_a": date(2026, 1, 4), "sms": date(2026, 1, 5)}
    assert told["spend_minor"].to_dict() == {"feed_a": 100, "sms": 70}
    assert (told["clicks"] == 1).all(), "a click and the money for it are of one day"
