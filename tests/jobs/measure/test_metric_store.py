"""A metric is summed first and divided after, at every grain; without a denominator it is null with its reason."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from jobs.measure.metric_store import metric_store
from jobs.runtime.errors import UsageError
from jobs.runtime.settings import MetricConf
from jobs.tables.ingest import DELIVERIES_REPORTED
from jobs.tables.measure.costs import BOOK, CHANNEL_COSTS, COUNTS, SPEND_LEDGER
from jobs.tables.measure.experiments import BAND_LIFTS, CHANNEL_LIFT
from jobs.tables.measure.loans import VINTAGES
from segments.intervals import cost_per, wilson

CONF = Path(__file__).resolve().parents[3] / "conf"
METRICS = {
    name: MetricConf.model_validate(told) for name, told in yaml.safe_load((CONF / "metrics.yaml").open()).items()
}


def cell(channel: str, campaign: str | None, band: str, **figures: Any) -> dict[str, Any]:
    zero = {c.name: 0 for c in (*COUNTS, *BOOK)}
    more = {"period": "2025-01", "is_mature": True, "is_mature_30_3": True, "spend": 0.0, "currency": "CNY"}
    return {**zero, **more, "channel": channel, "campaign": campaign, "band": band, **figures}


@pytest.fixture
def told(rows: Any, make_shell: Any, conf: Any) -> Any:
    def run(*cells: dict[str, Any], metrics: Any = METRICS, **beside: list[dict[str, Any]]) -> pd.DataFrame:
        tables = {"ledger": SPEND_LEDGER, "lift": CHANNEL_LIFT, "bands": BAND_LIFTS, "vintages": VINTAGES}
        tables["deliveries"] = DELIVERIES_REPORTED
        frames = [rows(table, beside.get(name, [])) for name, table in tables.items()]
        told = conf.model_copy(update={"metrics": metrics})
        found = metric_store(rows(CHANNEL_COSTS, cells), *frames, conf=told, shell=make_shell())
        index = ["metric", "period", "channel", "campaign", "band"]
        assert not found.duplicated(index).any()
        return found.set_index(index)

    return run


def test_figures_of_every_grain(told: Any) -> None:
    found = told(
        cell("feed", "c1", "A", spend=100.0, applications=10, approvals=5, funded=4, good=2),
        cell("feed", "c2", "B", spend=50.0, applications=2, approvals=2, funded=2, good=2),
        cell("sms", "c1", "A", spend=10.0, applications=0, good=0, period="2025-02", is_mature=False, funded=1),
        cell("sms", "c1", "B", spend=10.0, applications=1, good=1, period="2025-02", funded=1),
        cell("(unattributed)", None, "(none)", applications=7, approvals=1, funded=1, good=1),
    )
    rate = found.loc[("approval_rate", "2025-01", "feed", "(all)", "(all)")]
    assert rate["value"] == pytest.approx(7 / 12), "not the mean of one half and one"
    assert (rate["lo"], rate["hi"]) == pytest.approx(wilson(7, 12))
    good = found.loc[("cost_per_good", "2025-01", "(all)", "(all)", "(all)")]
    assert (good["value"], good["lo"], good["hi"]) == pytest.approx(cost_per(150.0, 4))
    assert good["maturity"] == "final"
    assert found.loc[("cost_per_good", "2025-01", "feed", "c1", "(all)"), "value"] == 50
    assert found.loc[("cost_per_good", "2025-01", "feed", "(all)", "B"), "value"] == 25
    young = found.loc[("cost_per_good", "2025-02", "sms", "(all)", "B")]
    assert math.isnan(young["value"])
    assert (young["reason"], young["maturity"]) == ("immature", "open"), "its channel's month is not decided"
    nobody = found.loc[("cost_per_good", "2025-01", "(unattributed)", "(all)", "(all)")]
    assert nobody["reason"] == "not_told"
    assert found.loc[("approval_rate", "2025-01", "(unattributed)", "(all)", "(all)"), "value"] == pytest.approx(1 / 7)
    few = METRICS["cost_per_funded"].model_copy(update={"min_n": 3})
    strict = told(cell("feed", "c2", "B", spend=50.0, funded=2), metrics={"cost_per_funded": few})
    assert strict.loc[("cost_per_funded", "2025-01", "feed", "(all)", "B"), "reason"] == "too_few"
    assert found.loc[("approval_rate", "2025-02", "sms", "(all)", "A"), "reason"] == "no_outcome"


def test_totals_tie_and_nothing_is_0_or_infinite_for_want_of_a_denominator(told: Any) -> None:
    found = told(
        *[
            cell(channel, campaign, band, spend=float(i), applications=i % 3, approvals=i % 2, funded=i % 4, good=i % 2)
            for i, (channel, campaign, band) in enumerate(
                (c, g, b) for c in ("feed", "sms", "(unattributed)") for g in ("c1", None) for b in ("A", "(none)")
            )
        ]
    ).reset_index()
    spend = found[found["metric"] == "spend"].set_index(["channel", "campaign", "band"])["value"]
    assert spend["(total)", "(all)", "(all)"] == sum(range(12))
    assert spend["(all)", "(all)", "(all)"] == spend["feed", "(all)", "(all)"] + spend["sms", "(all)", "(all)"]
    assert spend["feed", "(all)", "(all)"] == spend["feed", "(all)", "A"] + spend["feed", "(all)", "(none)"]
    linked = found[(found["metric"] == "link_rate") & found["value"].notna()].set_index(["channel", "campaign", "band"])
    assert set(linked.index.get_level_values("channel")) == {"(total)"}
    everywhere = linked.loc[("(total)", "(all)", "(all)")]
    assert (everywhere["num"], everywhere["den"]) == (sum(i % 3 for i in range(8)), sum(i % 3 for i in range(12)))
    ratios = found[found["metric"] != "spend"]
    assert (ratios["value"].isna() == ratios["reason"].notna()).all()
    assert not ratios["value"].isin([math.inf]).any()
    assert not ((ratios["value"] == 0) & (ratios["den"] == 0)).any()


def test_what_is_billed_claimed_and_matched(told: Any) -> None:
    place = {"spend_day": date(2025, 1, 3), "channel": "feed", "cost_minor": 0}
    ledger = [
        {**place, "campaign": "c1", "impressions": 1000, "clicks": 10, "claimed": 6.0},
        {**place, "campaign": "c2", "impressions": 500, "clicks": 20},
        {**place, "campaign": "c1", "channel": "sms"},
    ]
    report = {"channel": "feed", "audience": "a1"}
    deliveries = [
        {**report, "reported_day": date(2025, 1, 4), "uploaded": 100, "matched": 10},
        {**report, "reported_day": date(2025, 1, 9), "uploaded": 100, "matched": 60},
        {**report, "audience": "a2", "reported_day": date(2025, 1, 9), "uploaded": 300, "matched": 60},
        {**report, "audience": "a3", "reported_day": date(2025, 1, 9)},
    ]
    found = told(
        cell("feed", "c1", "A", applications=2, spend=30.0),
        cell("feed", "c2", "A", applications=2),
        cell("sms", "c1", "A", spend=3.0),
        ledger=ledger,
        deliveries=deliveries,
    )
    month = lambda name, channel, campaign="(all)": found.loc[(name, "2025-01", channel, campaign, "(all)")]  # noqa: E731
    assert month("click_through_rate", "feed")["value"] == 30 / 1500
    assert month("click_through_rate", "sms")["reason"] == "not_told", "a channel without impressions has no such rate"
    assert month("cost_per_thousand_impressions", "feed")["value"] == 20
    assert month("overclaim", "feed", "c1")["value"] == 3
    assert found.loc[("click_through_rate", "2025-01", "feed", "(all)", "A"), "reason"] == "not_told", (
        "billed without bands"
    )
    assert month("audience_match_rate", "feed")[["num", "den", "value"]].tolist() == [120, 400, 0.3]


def test_what_was_caused_stands_beside_or_says_it_is_not_known(told: Any) -> None:
    arm = {"period": "campaign", "channel": "feed", "role": "exploration", "is_randomised": True, "assigned": 90_000}
    known = {"incremental_cost": 333.0, "incremental_cost_lo": 227.0, "incremental_cost_hi": 631.0}
    lift = [
        {**arm, "outcome": "funded", "lift": 0.004, "lift_lo": 0.002, "lift_hi": 0.006, "spend": 120e3, **known},
        {
            **arm,
            "outcome": "good",
            "lift": 0.001,
            "lift_lo": -0.1,
            "lift_hi": 0.1,
            "spend": 120e3,
            "reason": "not_identified",
        },
        {**arm, "role": "all", "outcome": "funded", "lift": 0.9, "is_randomised": False, "spend": 1.0},
    ]
    found = told(lift=lift)
    cost = found.loc[("incremental_cost_per_funded", "campaign", "feed", "(all)", "(all)")]
    assert cost[["value", "lo", "hi"]].tolist() == pytest.approx([120e3 / 360, 227, 631])
    unknown = found.loc[("incremental_cost_per_good", "campaign", "feed", "(all)", "(all)")]
    assert (math.isnan(unknown["value"]), unknown["reason"]) == (True, "not_identified")
    assert found.loc[("lift_funded", "campaign", "feed", "(all)", "(all)"), "value"] == 0.004


def test_bands_stand_beside_all_of_them(told: Any) -> None:
    lift = {"outcome": "funded", "exposed": 100, "successes": 9, "rate_lo": 0.05, "rate_hi": 0.2, "exposed_share": 1.0}
    bands = [
        {**lift, "band": band, "rate": rate, "whole_rate": 0.03, "lift_lo": 2.0, "lift_hi": 4.0}
        for band, rate in (("A", 0.09), ("B", 0.03))
    ]
    found = told(bands=bands).loc[("band_lift_funded", "campaign", "(all)", "(all)")]
    assert found["value"].to_dict() == pytest.approx({"A": 3.0, "B": 1.0})
    assert found.loc["A", ["lo", "hi"]].tolist() == [2.0, 4.0]


def test_losses_yet_expected_are_told_where_every_loan_has_some(told: Any) -> None:
    found = told(
        cell("feed", "c1", "A", spend=100.0, funded=4, priced=4, expected_loss_minor=5000, lost_minor=1000),
        cell("sms", "c1", "A", spend=100.0, funded=4, priced=3, expected_loss_minor=5000),
    )
    cost = found.loc["expected_risk_loaded_cost_per_funded"]
    assert cost.loc[("2025-01", "feed", "(all)", "(all)"), "value"] == pytest.approx((100 + 10 + 50) / 4)
    assert cost.loc[("2025-01", "sms", "(all)", "(all)"), "reason"] == "not_told"


def test_a_lifetime_is_told_where_it_is_known_of_every_loan_and_taking_up_once_its_days_are_over(told: Any) -> None:
    money = {"interest_minor": 9000, "interest_ahead_minor": 3000, "lost_minor": 500, "expected_loss_minor": 700}
    owed = {"balance_months_minor": 100_000, "balance_months_ahead_minor": 50_000}
    found = told(
        cell("feed", "c1", "A", spend=20.0, funded=4, priced=4, projected=4, **money, **owed),
        cell("sms", "c1", "A", spend=20.0, funded=4, priced=4, projected=3, **money),
        cell("sms", "c1", "B", approvals=9, approved_7=8, funded_7=2, approved_30=4, funded_30=3, funded=3),
    )
    value = found.loc["lifetime_value_per_funded"]
    assert value.loc[("2025-01", "feed", "(all)", "A"), "value"] == pytest.approx((120 - 0.004 * 1500 - 12) / 4)
    assert value.loc[("2025-01", "sms", "(all)", "A"), "reason"] == "not_told"
    so_far = found.loc["contribution_per_funded"]
    assert so_far.loc[("2025-01", "feed", "(all)", "A"), "value"] == pytest.approx((90 - 0.004 * 1000 - 5) / 4)
    to_cost = found.loc[("lifetime_value_to_spend", "2025-01", "feed", "(all)", "A"), "value"]
    assert to_cost == pytest.approx((120 - 0.004 * 1500 - 12) / 20)
    for name, taken, of in (("take_up_7", 2, 8), ("take_up_30", 3, 4)):
        told_of = found.loc[(name, "2025-01", "sms", "(all)", "B")]
        assert told_of["value"] == pytest.approx(taken / of)
        assert (told_of["lo"], told_of["hi"]) == pytest.approx(wilson(taken, of))


def test_a_young_vintage_is_developed_apart_from_what_was_seen(told: Any) -> None:
    curve = {"vintage": "2025-01", "channel": "(all)", "days_past_due": 90, "loans": 2000, "principal_minor": 10**8}
    money = {"late_minor": 500_000, "owed_minor": 200_000, "net_minor": 400_000}
    vintages = [
        {**curve, "months_on_book": 3, "late": 8, "rate": 0.004, "lo": 0.0, "hi": 1.0, "maturity": "observed"},
        {
            **curve,
            "months_on_book": 6,
            "late": 9,
            "rate": 0.0045,
            "lo": 0.0,
            "hi": 1.0,
            "maturity": "observed",
            **money,
        },
        {**curve, "months_on_book": 12, "rate": 0.02, "lo": 0.01, "hi": 0.03, "maturity": "developed"},
    ]
    found = told(vintages=vintages)
    seen = found.loc[("ever_90_3", "2025-01", "(total)", "(all)", "(all)")]
    assert (seen["value"], seen["maturity"]) == (0.004, "final")
    assert (seen["lo"], seen["hi"]) == pytest.approx(wilson(8, 2000))
    young = found.loc[("ever_90_12", "2025-01", "(total)", "(all)", "(all)")]
    assert (math.isnan(young["value"]), young["reason"], young["maturity"]) == (True, "immature", "open")
    assert young[["developed", "developed_lo", "developed_hi"]].tolist() == [0.02, 0.01, 0.03]
    for name, value in (("ever_amount", 0.005), ("current_amount", 0.002), ("net_amount", 0.004)):
        assert found.loc[(f"{name}_90_6", "2025-01", "(total)", "(all)", "(all)"), "value"] == value
        assert found.loc[(f"{name}_90_12", "2025-01", "(total)", "(all)", "(all)"), "reason"] == "immature"


def test_a_metric_of_what_is_not_there_is_refused_by_name(told: Any) -> None:
    wrong = METRICS["spend"].model_copy(update={"num": "spent"})
    with pytest.raises(UsageError, match=r"metrics.yaml: spend: .*spent.*channel_costs has period"):
        told(metrics={"spend": wrong})
