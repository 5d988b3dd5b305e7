"""Pages of attribution and credit quality tell nothing of a handful of people, neither alone nor by a difference."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from sample_tables import fill, vintage_rows

from dashboards.credit import awaited, by_model, moved
from dashboards.loans import aged, earned, rolled
from dashboards.warehouse import Warehouse


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    root: Path = tmp_path_factory.mktemp("house")
    fill(root)
    return Warehouse.at(root)


def test_no_two_points_of_a_vintage_tell_of_fewer_than_eleven_loans() -> None:
    points = aged(pd.DataFrame(vintage_rows()))
    first = points[(points["vintage"] == "2025-01") & points["is_final"]]
    assert (first["value"] * 600).round().tolist() == [0, 0, 0, 14, 26, 40, 52]
    for _, mine in points[points["is_final"]].groupby("vintage"):
        late = (mine["value"] * mine["loans"]).round()
        assert all(not b or b - a >= 11 for a, b in pairwise([0, *late]))
    ahead = points[~points["is_final"]]
    assert (ahead["vintage"].tolist(), ahead["age"].tolist()) == (["2025-06", "2025-12"], [12, 12])
    few = pd.DataFrame(vintage_rows()).assign(loans=3)
    assert aged(few).empty


def test_months_too_small_to_tell_of_are_pooled_and_a_cohort_with_a_handful_late_is_left_out() -> None:
    def month(vintage: str, late: list[int]) -> list[dict[str, object]]:
        base = {"vintage": vintage, "channel": "(all)", "days_past_due": 90, "loans": 50, "lo": 0.0, "hi": 0.2}
        return [
            {**base, "months_on_book": at + 10, "late": n, "rate": n / 50, "maturity": "observed"}
            for at, n in enumerate(late)
        ]

    rows = [row for vintage in ("2025-01", "2025-02", "2025-03") for row in month(vintage, [0, 2, 5])]
    rows += [row for vintage in ("2025-04", "2025-05") for row in month(vintage, [0, 6, 6])]
    told = aged(pd.DataFrame(rows))
    assert told[["vintage", "age"]].values.tolist() == [
        ["2025 Q1", 10],
        ["2025 Q1", 12],
        ["2025 Q2", 10],
        ["2025 Q2", 11],
    ]
    assert told["value"].tolist() == pytest.approx([0, 0.1, 0, 0.12])
    assert told["lo"].isna().all(), "intervals of months do not add up"
    young = [{**rows[2], "vintage": "2025-06", "late": None, "rate": 0.2, "maturity": "developed"}]
    ahead = aged(pd.DataFrame(rows + young)).set_index(["vintage", "is_final"])
    assert ahead.loc[("2025 Q2", False), "value"].item() == pytest.approx((6 + 6 + 10) / 150)
    assert aged(pd.DataFrame(month("2025-01", [0, 0, 4]))).empty


def test_a_row_of_balances_with_a_small_cell_is_hidden_whole(house: Warehouse) -> None:
    rows, month = rolled(house.read("roll_rates").frame)
    assert month == "2026-05"
    told = rows.set_index("state")
    assert told.loc["current", ["current", "M1", "repaid"]].tolist() == [0.9, 0.1, 0.0]
    assert told.loc["M1", ["current", "M2"]].isna().all()
    assert told.loc["M1", "current_status"] == "hidden"
    assert rolled(pd.DataFrame(columns=["month"]))[1] is None


def test_a_month_of_spend_is_told_when_it_was_paid_back(house: Warehouse) -> None:
    told = earned(house.read("paybacks").frame)
    assert told[["months_on_book", "contribution", "paid_back"]].values.tolist() == [[8, 7200.0, 6.0]]


def test_models_stand_beside_each_other_and_small_credits_are_hidden(house: Warehouse) -> None:
    frame = house.read("channel_attributions").frame
    rows, stage = by_model(frame)
    assert stage == "fund"
    feed = rows.set_index("channel").loc["feed_a"]
    assert (feed["last"], feed["markov_1"]) == (pytest.approx(186), pytest.approx(148.8))
    assert feed["last_lo"] < feed["last"] < feed["last_hi"]
    scarce = frame.assign(conversions=frame["conversions"].where(frame["channel"] != "own_sms", 5.0))
    sms = by_model(scarce)[0].set_index("channel").loc["own_sms"]
    assert (sms["last_status"], pd.isna(sms["last"])) == ("hidden", True)
    hidden = by_model(scarce)[0].set_index("channel")["last_status"] == "hidden"
    assert hidden.sum() == 2, "a blank alone could be worked out from the total"
    assert by_model(frame.assign(conversions=5.0))[1] is None
    assert by_model(frame.iloc[:0])[1] is None


def test_a_month_adds_up_and_open_weeks_wait(house: Warehouse) -> None:
    month = moved(house.read("cost_moves").frame).iloc[0]
    effects = month[["cost_before", "price", "mix", "conversion", "approval"]].sum()
    assert effects == pytest.approx(month["cost"])
    weeks = awaited(house.read("nowcasts").frame).set_index("week")
    assert weeks["total_status"].tolist() == ["final", "hidden", "hidden", "early"], "a blank alone gives itself away"
    assert pd.isna(weeks.loc["2026-06-08", "observed"])
