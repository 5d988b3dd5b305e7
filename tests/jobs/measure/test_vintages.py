"""Curves count what a loop counts, never fall, and what is to come is marked and holds what came."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jobs.measure.vintages import vintages
from jobs.tables.ingest import LOANS, REPAYMENTS
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES
from jobs.tables.measure.loans import VINTAGES

MONTHS, DAY = 16, date(2026, 6, 1)


@pytest.fixture(scope="module")
def book() -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]], pd.DataFrame]:
    """Loans of sixteen months, seen until the end of the sixteenth, half by way of a click; and what became of all."""
    rng, outcomes, touches, repayments, truth = np.random.default_rng(6), [], [], [], []
    for vintage in range(MONTHS):
        funded = datetime(2025 + vintage // 12, vintage % 12 + 1, 10, tzinfo=UTC)
        for number in range(60):
            name, person = f"l{vintage}-{number}", f"p{vintage}-{number}"
            first = int(rng.geometric(0.02))  # month on book when first over 0 days
            seen = min(12, MONTHS - vintage)
            outcomes.append(
                {
                    "application_id": f"a{name}",
                    "person_key": person,
                    "applied_at": funded,
                    "is_funded": True,
                    "loan_id": name,
                    "funded_at": funded,
                    "principal_minor": 100_000,
                    "months_observed": seen,
                }
            )
            if number % 2:
                touches.append(
                    {
                        "touch_id": f"t{name}",
                        "person_key": person,
                        "occurred_at": funded,
                        "channel": "feed",
                        "kind": "click",
                    }
                )
            for month in range(1, seen + 1):
                repayments.append(
                    {
                        "loan_id": name,
                        "as_of_day": (funded + pd.DateOffset(months=month)).date(),
                        "months_on_book": month,
                        "days_past_due": max(0, 31 * (month - first) + 1) if month >= first else 0,
                        "balance": Decimal(1000 - 50 * min(month, first)),
                    }
                )
            truth.append((vintage, number % 2, first))
    return outcomes, touches, repayments, pd.DataFrame(truth, columns=["vintage", "is_feed", "first"])


def lent(rows: Any, outcomes: list[dict[str, Any]]) -> Any:
    told = [{"loan_id": row["loan_id"], "principal": Decimal(row["principal_minor"]) / 100} for row in outcomes]
    return rows(LOANS, told)


def test_curves_are_those_of_a_loop_and_what_is_to_come_is_marked(
    book: Any, rows: Any, make_shell: Any, conf: Any
) -> None:
    outcomes, touches, repayments, truth = book
    frames = (rows(MATURED_OUTCOMES, outcomes), rows(LINKED_TOUCHES, touches), lent(rows, outcomes))
    found = vintages(*frames, rows(REPAYMENTS, repayments), day=DAY, conf=conf, shell=make_shell())
    assert list(found.columns) == [c.name for c in VINTAGES.columns]
    seen = found[found["maturity"] == "observed"]
    for row in seen.itertuples():
        vintage = (int(row.vintage[:4]) - 2025) * 12 + int(row.vintage[5:]) - 1
        mine = truth[truth["vintage"] == vintage]
        if row.channel != "(all)":
            mine = mine[mine["is_feed"] == (row.channel == "feed")]
        late = (mine["first"] + row.days_past_due // 31 + (row.days_past_due > 0) <= row.months_on_book).sum()
        assert (row.loans, row.late) == (len(mine), late), row
        over = mine[mine["first"] + row.days_past_due // 31 + (row.days_past_due > 0) <= row.months_on_book]
        owed = 100 * (1000 - 50 * over["first"]).sum()
        told = (row.principal_minor, row.late_minor, row.owed_minor, row.net_minor)
        assert told == (100_000 * len(mine), 100_000 * late, owed, owed), row
        assert row.lo <= row.rate <= row.hi
    assert set(found["channel"]) == {"(all)", "feed", "(unattributed)"}
    curves = seen.sort_values("months_on_book").groupby(["vintage", "channel", "days_past_due"])["rate"]
    assert curves.apply(lambda rate: rate.is_monotonic_increasing).all()
    ahead = found[found["maturity"] == "developed"]
    assert (ahead["months_on_book"] == 12).all()
    young = {f"{2025 + v // 12}-{v % 12 + 1:02d}" for v in range(MONTHS) if MONTHS - v < 12}
    assert set(ahead["vintage"]) == young
    assert not set(seen.loc[seen["months_on_book"] == 12, "vintage"]) & young, "what is to come is not among the seen"
    whole = ahead[(ahead["channel"] == "(all)") & (ahead["days_past_due"] == 0)].set_index("vintage")
    came = truth.groupby("vintage")["first"].apply(lambda first: (first <= 12).mean())
    held = [row.lo <= came[(int(v[:4]) - 2025) * 12 + int(v[5:]) - 1] <= row.hi for v, row in whole.iterrows()]
    assert np.mean(held) >= 0.8


def test_money_of_a_cured_a_charged_off_and_an_unreported_loan(rows: Any, make_shell: Any, conf: Any) -> None:
    funded = datetime(2025, 1, 10, tzinfo=UTC)
    one = {"applied_at": funded, "is_funded": True, "funded_at": funded, "principal_minor": 100_000}
    names = ("cured", "written_off", "unreported", "prompt")
    outcomes = [{"application_id": name, "loan_id": name, "months_observed": 4, **one} for name in names]
    told = [  # loan, month, days past due, balance, charged off, recovered
        *[("cured", month, late, 900 - 100 * month, 0, 0) for month, late in ((1, 0), (2, 95), (3, 5), (4, 0))],
        ("written_off", 1, 31, 950, 0, 0),
        ("written_off", 2, 62, 950, 0, 0),
        ("written_off", 3, 93, 950, 950, 100),
        ("written_off", 4, 124, 950, 950, 300),
        ("unreported", 2, 93, 800, 0, 0),
        *[("prompt", month, 0, 1000 - 80 * month, 0, 0) for month in range(1, 5)],
    ]
    names = ("loan_id", "months_on_book", "days_past_due", "balance", "charged_off", "recovered")
    reports = [dict(zip(names, (*row[:3], *map(Decimal, row[3:])), strict=True)) for row in told]
    for row in reports:
        row["as_of_day"] = date(2025, 1 + int(row["months_on_book"]), 10)
    found = vintages(
        rows(MATURED_OUTCOMES, outcomes),
        rows(LINKED_TOUCHES, []),
        lent(rows, outcomes),
        rows(REPAYMENTS, reports),
        day=DAY,
        conf=conf,
        shell=make_shell(),
    )
    mine = found[(found["channel"] == "(all)") & (found["days_past_due"] == 90) & (found["maturity"] == "observed")]
    money = mine.set_index("months_on_book")[["late", "principal_minor", "late_minor", "owed_minor", "net_minor"]]
    assert money.to_numpy().tolist() == [
        [0, 400_000, 0, 0, 0],
        [2, 400_000, 200_000, 150_000, 150_000],
        [3, 400_000, 300_000, 80_000, 80_000 + 60_000 + 85_000],
        [3, 400_000, 300_000, 80_000, 80_000 + 50_000 + 65_000],
    ]


def test_no_loans_no_curves(rows: Any, make_shell: Any, conf: Any) -> None:
    frames = [rows(table, []) for table in (MATURED_OUTCOMES, LINKED_TOUCHES, LOANS, REPAYMENTS)]
    assert vintages(*frames, day=DAY, conf=conf, shell=make_shell()).empty
