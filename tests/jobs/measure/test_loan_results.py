"""Random books equal a plain reading of what each month added; early forms say bad at once and good in time."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from jobs.measure.loan_results import loan_results
from jobs.tables.ingest import LOANS, REPAYMENTS
from jobs.tables.link import MATURED_OUTCOMES

DAY = date(2026, 6, 30)


def book(seed: int) -> dict[str, list[dict[str, Any]]]:
    dice = random.Random(seed)
    outcomes, loans, repayments = [], [], []
    for i in range(150):
        loan, principal = f"l{i}", Decimal(dice.randrange(1, 10**6)) / 100
        months = dice.randrange(0, 14)
        outcomes.append(
            {
                "application_id": f"a{i}",
                "loan_id": loan,
                "applied_at": datetime(2025, 1, 1, tzinfo=UTC),
                "principal_minor": int(principal * 100) * dice.choice([1, 7]),
                "months_observed": months,
                "is_fraud": dice.random() < 0.1,
            }
        )
        apr = dice.choice([None, 0.1, 0.24])
        loans.append(
            {"loan_id": loan, "application_id": f"a{i}", "principal": principal, "apr": apr, "currency": "USD"}
        )
        off = Decimal(0)
        for month in range(1, months + 1):
            if dice.random() < 0.2:
                continue
            off += Decimal(dice.choice([*[0] * 11, 5]))
            repayments.append(
                {
                    "loan_id": loan,
                    "as_of_day": date(2025 + (month // 12), month % 12 + 1, 1),
                    "months_on_book": month,
                    "days_past_due": dice.choice([*[0] * 14, 5, 31, 95]),
                    "balance": principal * (24 - month) / 24 // Decimal("0.01") * Decimal("0.01"),
                    "charged_off": dice.choice([off, None]) if off == 0 else off,
                    "recovered": off / 5 if off else None,
                    "currency": "USD",
                }
            )
    for outcome in outcomes:
        mine = [row for row in repayments if row["loan_id"] == outcome["loan_id"] and row["months_on_book"] <= 12]
        outcome["late_month"] = min((row["months_on_book"] for row in mine if row["days_past_due"] > 90), default=None)
    return {"outcomes": outcomes, "loans": loans, "repayments": repayments}


def late_by_12(outcomes: list[dict[str, Any]], month: int) -> float:
    """Chance of a loan that is not late by a month, by counting month after month."""
    good = 1.0
    for k in range(month + 1, 13):
        reached = [row for row in outcomes if (row["late_month"] or row["months_observed"]) >= k]
        good *= 1 - sum(row["late_month"] == k for row in reached) / len(reached)
    return 1 - good


def alive_after(months: list[dict[str, Any]]) -> dict[int, bool]:
    """Whether a loan is alive at the end of each reported month."""
    worst, told = 0, {}
    for row in sorted(months, key=lambda row: row["months_on_book"]):
        worst = max(worst, row["days_past_due"])
        told[row["months_on_book"]] = row["balance"] > 0 and not row["charged_off"] and worst <= 90
    return told


def yet_earned(drop: dict[str, list[dict[str, Any]]], month: int) -> dict[str, float]:
    """What a unit of principal alive at a month yet earns, by walking on month after month with those alive before."""
    loans = {row["loan_id"]: row for row in drop["loans"]}
    began, stayed = [0.0] * 13, [0.0] * 13
    earned = {name: [0.0] * 13 for name in ("interest_ahead_minor", "balance_months_ahead_minor")}
    for outcome in drop["outcomes"]:
        mine = [row for row in drop["repayments"] if row["loan_id"] == outcome["loan_id"]]
        lives, is_alive, seen = alive_after(mine), True, 0
        rate = outcome["principal_minor"] / float(loans[outcome["loan_id"]]["principal"])
        balance = loans[outcome["loan_id"]]["principal"]
        for row in sorted(mine, key=lambda row: row["months_on_book"]):
            at = row["months_on_book"]
            if at > 12 or not is_alive:
                break
            owed = float(balance) * (at - seen) * rate
            began[at] += outcome["principal_minor"]
            earned["balance_months_ahead_minor"][at] += owed
            if not row["days_past_due"]:
                earned["interest_ahead_minor"][at] += owed * (loans[outcome["loan_id"]]["apr"] or 0) / 12
            is_alive, seen, balance = lives[at], at, row["balance"]
            stayed[at] += outcome["principal_minor"] * is_alive
    told = dict.fromkeys(earned, 0.0)
    alive, worth = 1.0, 1.0
    for at in range(month + 1, 13):
        worth *= 1.1 ** (-1 / 12)
        for name in told:
            told[name] += alive * worth * earned[name][at] / began[at]
        alive *= stayed[at] / began[at]
    return told


def by_hand(
    outcome: dict[str, Any], loan: dict[str, Any], months: list[dict[str, Any]], drop: dict[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    rate = outcome["principal_minor"] / float(loan["principal"])
    balance, seen, lost_so_far = loan["principal"], 0, Decimal(0)
    sums = dict.fromkeys(("lost_minor", "interest_minor", "balance_months_minor"), 0)
    half_up = lambda value: int(value + 0.5) if value >= 0 else -int(-value + 0.5)  # noqa: E731
    for row in sorted(months, key=lambda row: row["months_on_book"]):
        gap = row["months_on_book"] - seen
        lost = (row["charged_off"] or 0) - (row["recovered"] or 0)
        sums["lost_minor"] += half_up(float(lost - lost_so_far) * rate)
        sums["balance_months_minor"] += half_up(float(balance * gap) * rate)
        if not row["days_past_due"]:
            sums["interest_minor"] += half_up(float(balance * gap) * (loan["apr"] or 0) / 12 * rate)
        balance, seen, lost_so_far = row["balance"], row["months_on_book"], lost

    def late(days: int, by: int) -> bool | None:
        if any(row["days_past_due"] > days for row in months if row["months_on_book"] <= by):
            return True
        return False if outcome["months_observed"] >= by else None

    early = late(30, 3)
    good = False if outcome["is_fraud"] else None if early is None else not early
    owed = (
        float(balance) * rate if not (months and lost_so_far) and months else outcome["principal_minor"] * (not months)
    )
    is_bad = outcome["late_month"] is not None or outcome["is_fraud"]
    chance = 1.0 if is_bad else late_by_12(drop["outcomes"], min(outcome["months_observed"], 12))
    sums["expected_loss_minor"] = half_up(owed * chance * 0.75)
    lives = list(alive_after(months).values())
    is_alive = not outcome["is_fraud"] and (not lives or lives[-1])
    for name, share in yet_earned(drop, min(outcome["months_observed"], 12)).items():
        sums[name] = half_up(outcome["principal_minor"] * share) if is_alive else 0
    return {"is_good_30_3": good, "is_first_late": late(30, 2), **sums}


@pytest.mark.parametrize("seed", [1, 2])
def test_random_books_equal_a_plain_reading(rows: Any, make_shell: Any, conf: Any, seed: int) -> None:
    drop = book(seed)
    frames = (
        rows(MATURED_OUTCOMES, drop["outcomes"]),
        rows(LOANS, drop["loans"]),
        rows(REPAYMENTS, drop["repayments"]),
    )
    results, _ = loan_results(*frames, day=DAY, conf=conf, shell=make_shell())
    found = {row["loan_id"]: row.asDict() for row in results.collect()}
    assert len(found) == len(drop["outcomes"])
    for outcome, loan in zip(drop["outcomes"], drop["loans"], strict=True):
        mine = [row for row in drop["repayments"] if row["loan_id"] == outcome["loan_id"]]
        told = by_hand(outcome, loan, mine, drop)
        for name, value in told.items():
            if name.endswith("_minor"):  # a half may fall either way in floating point
                close = pytest.approx(value, abs=2, rel=1e-5)
                assert found[outcome["loan_id"]][name] == close, (outcome["loan_id"], name)
            else:
                assert found[outcome["loan_id"]][name] is value, (outcome["loan_id"], name)
    assert {found[key]["is_good_30_3"] for key in found} == {True, False, None}
    ahead = [found[key]["interest_ahead_minor"] for key in found]
    assert min(ahead) == 0 < max(ahead)


def test_a_month_reported_twice_counts_once_and_what_is_ahead_of_the_day_not_at_all(
    rows: Any, make_shell: Any, conf: Any
) -> None:
    outcome = {"application_id": "a", "loan_id": "l", "principal_minor": 12_000, "months_observed": 1}
    loan = {"loan_id": "l", "application_id": "a", "principal": Decimal(120), "apr": 0.1, "currency": "CNY"}
    state = {"loan_id": "l", "days_past_due": 0, "balance": Decimal(60), "currency": "CNY"}
    reports = [
        {**state, "as_of_day": date(2026, 1, 20), "months_on_book": 1},
        {**state, "as_of_day": date(2026, 1, 31), "months_on_book": 1, "charged_off": Decimal(1)},
        {**state, "as_of_day": date(2026, 7, 31), "months_on_book": 7, "charged_off": Decimal(50)},
    ]
    frames = (rows(MATURED_OUTCOMES, [outcome]), rows(LOANS, [loan]), rows(REPAYMENTS, reports))
    results, rolls = loan_results(*frames, day=DAY, conf=conf, shell=make_shell())
    row = results.collect()[0]
    assert rolls.count() == 0
    assert (row["interest_minor"], row["balance_months_minor"], row["lost_minor"]) == (100, 12_000, 100)
    assert row["interest_ahead_minor"] is None, "no loan has twelve months on book: nothing is extrapolated"
