"""Customers pay back in the month in which what they earned so far reaches what was spent on them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from jobs.measure.paybacks import paybacks
from jobs.tables.ingest import LOANS, REPAYMENTS
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES
from jobs.tables.measure import SPEND_LEDGER

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


def test_it_is_paid_back_when_earned_and_no_month_is_told_that_a_loan_was_not_seen_to(
    rows: Any, make_shell: Any, conf: Any
) -> None:
    people = [customer("p1", 6), customer("p2", 4)]
    drop = {name: [row for one in people for row in one[name]] for name in people[0]}
    spend = [{"spend_day": date(2025, 1, 2), "channel": "feed", "campaign": "c", "cost_minor": 4000}]
    found = paybacks(
        rows(MATURED_OUTCOMES, drop["outcomes"]),
        rows(LINKED_TOUCHES, drop["touches"]),
        rows(LOANS, drop["loans"]),
        rows(REPAYMENTS, drop["repayments"]),
        rows(SPEND_LEDGER, spend),
        day=DAY,
        conf=conf,
        shell=make_shell(),
    )
    told = found[found["channel"] == "feed"]
    assert told["months_on_book"].tolist() == [1, 2, 3, 4], "the younger loan was seen to month 4"
    # Each month two loans earn 1 % of 1,200 less 0.4 % of it for funding: 14.40.
    assert told["contribution"].round(6).tolist() == [14.4, 28.8, 43.2, 57.6]
    assert told["is_paid_back"].tolist() == [False, False, True, True]
    assert set(told["spend"]) == {40.0}
    assert set(told["maturity"]) == {"final"}
    assert found[found["channel"] == "(all)"]["contribution"].tolist() == told["contribution"].tolist()


def test_nobody_pays_back_nothing(rows: Any, make_shell: Any, conf: Any) -> None:
    frames = [rows(table, []) for table in (MATURED_OUTCOMES, LINKED_TOUCHES, LOANS, REPAYMENTS, SPEND_LEDGER)]
    assert paybacks(*frames, day=DAY, conf=conf, shell=make_shell()).empty
