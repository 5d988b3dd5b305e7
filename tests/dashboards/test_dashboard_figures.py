"""The numbers a dashboard works out itself, against numbers worked out by hand."""

from __future__ import annotations

from math import isnan

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_tables import cohort_row, cost_row

from dashboards.cells import SMALLEST, blank_with, cost, decided_periods, hide_small, rate, totals
from dashboards.channels import channel_rows, funnel
from dashboards.cohorts import cohorts, without_repeats
from dashboards.intervals import poisson, wilson
from dashboards.parts import Show, csv_text
from dashboards.words import speak


def rows() -> pd.DataFrame:
    """Two channels over two months, the second month open; 20 + 30 funded of a, 12 of b."""
    made = [
        cost_row(channel="a", spend=100.1, applications=60, approvals=40, funded=20, matured=20, good=15, late=5),
        cost_row(channel="a", band="B", spend=50.2, applications=30, approvals=20, funded=10, matured=10, good=10),
        cost_row(channel="a", period="2025-06", spend=300.0, applications=50, approvals=35, funded=30, is_mature=False),
        cost_row(channel="b", spend=80.0, applications=25, approvals=14, funded=12, matured=12, good=0, late=12),
        cost_row(channel="b", period="2025-06", spend=0.3, applications=1, is_mature=True),
        cost_row(
            channel="(unattributed)", campaign=None, applications=40, approvals=20, funded=15, matured=15, good=14
        ),
    ]
    return pd.DataFrame(made)


def test_costs_are_sums_divided_at_the_grain_asked_for() -> None:
    frame, months = channel_rows(rows())
    told = frame.set_index("channel")
    assert months == ["2025-05"]
    assert told.at["a", "spend"] == 450.3
    assert told.at["a", "cost_per_funded"] == pytest.approx(450.3 / 60)
    assert told.at["a", "cost_per_good"] == pytest.approx(150.3 / 25)
    assert told.at["a", "late_rate"] == pytest.approx(5 / 30)
    assert told.at["(all)", "cost_per_funded"] == pytest.approx((450.3 + 80.3) / 72)
    assert told.at["(all)", "cost_per_good"] == pytest.approx((150.3 + 80.0) / 25)
    low, high = poisson(25)
    assert told.at["a", "cost_per_good_lo"] == pytest.approx(150.3 / high)
    assert told.at["a", "cost_per_good_hi"] == pytest.approx(150.3 / low)


def test_no_denominator_gives_a_reason_and_never_a_zero_or_an_infinity() -> None:
    told = channel_rows(rows())[0].set_index("channel")
    assert isnan(told.at["b", "cost_per_good"])
    assert told.at["b", "cost_per_good_status"] == "no_outcome"
    assert told.at["(unattributed)", "cost_per_funded_status"] == "not_billed"
    figures = told[[c for c in told.columns if c.startswith("cost_per") and told[c].dtype == "float64"]]
    assert not (figures == 0).any(axis=None)
    assert not figures.isin([float("inf")]).any(axis=None)


def test_nothing_is_called_good_cost_before_a_month_is_decided() -> None:
    told, months = channel_rows(rows().assign(is_mature=False))
    assert months == []
    assert set(told.loc[told["spend"] > 0, "cost_per_good_status"]) == {"immature"}
    assert told["cost_per_good"].isna().all()
    assert funnel(rows())[0] == {"applications": 115, "approvals": 74, "funded": 42, "good": 25}


def test_a_month_is_decided_for_all_channels_or_for_none() -> None:
    frame = rows()
    assert decided_periods(frame) == ["2025-05"]
    assert decided_periods(frame[frame["channel"] == "b"]) == ["2025-05", "2025-06"]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8))
def test_no_small_count_is_shown_or_can_be_worked_out_from_the_total(counts: list[int]) -> None:
    frame = hide_small(pd.DataFrame({"n": counts, "spend": 1.0}), ["n"])
    hidden = [count for count, shown in zip(counts, frame["n"], strict=True) if pd.isna(shown)]
    assert all(count in hidden for count in counts if 0 < count < SMALLEST)
    assert frame["n"].dropna().tolist() == [c for c, s in zip(counts, frame["n"], strict=True) if not pd.isna(s)]
    if hidden and sum(1 for count in counts if count > 0) > 1:
        assert len(hidden) >= 2


def test_a_cost_is_hidden_with_the_count_it_would_give_away() -> None:
    frame = pd.DataFrame({"n": [5.0, 20.0, 30.0], "cost": 2.0, "cost_lo": 1.0, "cost_hi": 3.0, "cost_status": "final"})
    told = blank_with(hide_small(frame, ["n"]), "cost", "n")
    assert told["cost"].isna().tolist() == [True, True, False]
    assert told["cost_lo"].isna().tolist() == [True, True, False]


def test_cohorts_flag_what_is_not_final_and_hide_what_is_small() -> None:
    made = [
        cohort_row(channel=name, spend=900.0, funded=funded, spend_mature=800.0, good_mature=good, is_mature=mature)
        for name, funded, good, mature in (
            ("a", 90, 70, True),
            ("b", 60, 40, False),
            ("c", 30, 5, True),
            ("d", 9, 0, False),
        )
    ]
    made[3]["reason"] = "immature"
    told = cohorts(pd.DataFrame(made).reindex(columns=[*made[0], "reason"])).set_index("channel")
    assert told["cost_per_good_status"].to_dict() == {"a": "final", "b": "hidden", "c": "hidden", "d": "immature"}
    assert told["late_rate_status"].to_dict() == {"a": "final", "b": "not_final", "c": "hidden", "d": "hidden"}
    assert told.loc[["b", "c"], "good_mature"].isna().all()
    assert set(told["band"]) == {"(all bands)"}


@given(st.integers(1, 400), st.integers(0, 400))
def test_intervals_hold_their_value(trials: int, extra: int) -> None:
    low, high = wilson(trials, trials + extra)
    assert 0 <= low <= trials / (trials + extra) <= high + 1e-12 <= 1 + 1e-12
    low, high = poisson(trials)
    assert low < trials < high


def test_intervals_match_published_values() -> None:
    assert poisson(10) == pytest.approx((4.795389, 18.390356), abs=1e-6)
    assert poisson(0) == pytest.approx((0.0, 3.688879), abs=1e-6)
    assert wilson(8, 10) == pytest.approx((0.4901625, 0.9433178), abs=1e-6)
    assert cost(0.0, 20)[3] == "not_billed"
    assert cost(10.0, 10)[3] == "hidden"
    assert rate(3, 10)[3] == "hidden"


def test_csv_holds_unrounded_values_the_stamp_and_no_formula() -> None:
    frame = pd.DataFrame({"channel": ["=cmd()", "b"], "c": [1 / 3, None], "c_status": ["final", "hidden"]})
    text = csv_text(frame, [Show("channel", "Channel"), Show("c", "Cost", "money")], speak("en", {}), {"as_of": "D"})
    assert text.split("\r\n") == ["as_of,channel,c,c_status", f"D,'=cmd(),{1 / 3},final", "D,b,,hidden", ""]


def test_totals_of_cents_are_exact() -> None:
    assert totals(pd.DataFrame({"spend": [0.1] * 30}), [])["spend"].tolist() == [3.0]


def test_only_the_row_of_a_single_band_is_a_repeat() -> None:
    cells = [("a", "(all bands)"), ("a", "A"), ("b", "(all bands)"), ("b", "A"), ("b", "B")]
    frame = pd.DataFrame([{"period": "history", "channel": channel, "band": band} for channel, band in cells])
    kept = without_repeats(frame)
    assert list(zip(kept["channel"], kept["band"], strict=True)) == [cells[0], *cells[2:]]


def test_a_small_unattributed_row_hides_no_total_and_covers_for_no_channel() -> None:
    few = cost_row(channel="(unattributed)", campaign=None, applications=5)
    several = [cost_row(channel=name, spend=9.0, applications=n) for name, n in (("a", 3), ("b", 50), ("c", 20))]
    told = channel_rows(pd.DataFrame([few, *several]))[0].set_index("channel")
    hidden = told["applications_status"] == "hidden"
    assert hidden.to_dict() == {"a": True, "b": False, "c": True, "(all)": False, "(unattributed)": True}
