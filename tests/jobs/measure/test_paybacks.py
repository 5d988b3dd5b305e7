"""Customers pay back in the month in which what they earned so far reaches what was spent on them."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from jobs.measure.paybacks import paybacks
from jobs.tables.ingest import LOANS, REPAYMENTS
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES
from jobs.tables.measure.costs import SPEND_LEDGER

DAY = date(2025, 12, 31)


def customer(who: str, months: int, principal: int = 1200) -> dict[str, list[dict[str, Any]]]:
    touched, applied = datetime(2025, 1, 9, tzinfo=UTC), datetime(2025, 1, 20, tzinfo=UTC)
    loan = {"loan_id": f"l{who}", "application_id": f"a{who}"}
    told = {"is_approved": True, "is_funded": True, "applied_at": applied, "funded_at": applied, "is_fraud": False}
    state = {"loan_id": f"l{who}", "currency": "CNY", "days_past_due": 0, "balance": Decimal(principal)}
    return {
        "touches": [
            {
                "touch_id": who,
                "person_key": who,
                "occurred_at": touched,
                "kind": "click",
                "channel": "feed",
                "campaign": "c",
            }
        ],
        "outcomes": [
            {**loan, **told, "person_key": who, "principal_minor": principal * 100, "months_observed": months}
        ],
        "loans": [{**loan, "principal": Decimal(principal), "apr": 0.12, "currency": "CNY"}],
        "repayments": [
            {**state, "as_of_day": date(2025, 1 + k, 28), "months_on_book": k} for k in range(1, months + 1)
        ],
    }


@pytest.fixture
def told(rows: Any, make_shell: Any, conf: Any) -> Any:
    def run(people: list[dict[str, list[dict[str, Any]]]], cost_minor: int) -> Any:
        drop = {name: [row for one in people for row in one[name]] for name in people[0]}
        spend = [{"spend_day": date(2025, 1, 2), "channel": "feed", "campaign": "c", "cost_minor": cost_minor}]
        return paybacks(
            rows(MATURED_OUTCOMES, drop["outcomes"]),
            rows(LINKED_TOUCHES, drop["touches"]),
            rows(LOANS, drop["loans"]),
            rows(REPAYMENTS, drop["repayments"]),
            rows(SPEND_LEDGER, spend),
            day=DAY,
            conf=conf,
            shell=make_shell(),
        )

    return run


def test_it_is_paid_back_when_earned_and_no_month_is_told_that_a_loan_was_not_seen_to(told: Any) -> None:
    found = told([customer("p1", 6), customer("p2", 4)], 4000)
    feed = found[found["channel"] == "feed"]
    assert feed["months_on_book"].tolist() == [1, 2, 3, 4], "the younger loan was seen to month 4"
    # Each month two loans earn 1 % of 1,200 less 0.4 % of it for funding: 14.40.
    assert feed["contribution"].round(6).tolist() == [14.4, 28.8, 43.2, 57.6]
    assert feed["is_paid_back"].tolist() == [False, False, True, True]
    assert set(feed["spend"]) == {40.0}
    assert set(feed["maturity"]) == {"final"}
    assert found[found["channel"] == "(all)"]["contribution"].tolist() == feed["contribution"].tolist()


def test_random_customers_earn_what_a_plain_reading_says(told: Any) -> None:
    dice = random.Random(4)
    people, earned = [], [0.0] * 11
    for i in range(25):
        one = customer(f"p{i}", dice.randrange(3, 11), principal=dice.randrange(500, 5000))
        lost_before = Decimal(0)
        for row in one["repayments"]:
            row["days_past_due"] = dice.choice([0, 0, 40])
            row["charged_off"] = lost_before + dice.choice([0, 0, 7])
            owed = float(row["balance"])  # it stays what was lent
            earned[row["months_on_book"]] += owed * (0.01 * (row["days_past_due"] == 0) - 0.004)
            earned[row["months_on_book"]] -= float(row["charged_off"] - lost_before)
            lost_before = row["charged_off"]
        people.append(one)
    feed = told(people, 5000).query("channel == 'feed'")
    assert feed["months_on_book"].tolist() == list(range(1, min(len(one["repayments"]) for one in people) + 1))
    for row in feed.itertuples():
        assert row.contribution == pytest.approx(sum(earned[: row.months_on_book + 1]), abs=0.02 * 25)
        assert row.is_paid_back == (row.contribution >= 50.0)


def test_nobody_pays_back_nothing(rows: Any, make_shell: Any, conf: Any) -> None:
    frames = [rows(table, []) for table in (MATURED_OUTCOMES, LINKED_TOUCHES, LOANS, REPAYMENTS, SPEND_LEDGER)]
    assert paybacks(*frames, day=DAY, conf=conf, shell=make_shell()).empty
