"""A metric is summed first and divided after, at every grain; without a denominator it is null with its reason."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from jobs.measure.metric_store import metric_store
from jobs.runtime.conf import MetricConf
from jobs.tables.measure import CHANNEL_COSTS
from segments.intervals import cost_per, wilson

LABEL = {"en": "x", "zh": "x"}
METRICS = {
    "spend": MetricConf(num="spend", unit="currency", label=LABEL),
    "approval_rate": MetricConf(num="approvals", den="applications", unit="ratio", label=LABEL, interval="wilson"),
    "cost_per_good": MetricConf(
        num="spend_mature",
        den="good_mature",
        where="channel <> '(unattributed)'",
        unit="currency",
        label=LABEL,
        interval="poisson",
        needs_maturity=True,
    ),
    "cost_per_funded": MetricConf(num="spend", den="funded", unit="currency", label=LABEL, min_n=3),
}


def cell(channel: str, campaign: str | None, band: str, **figures: Any) -> dict[str, Any]:
    zero = dict.fromkeys(
        ("clicks", "applications", "approvals", "funded", "matured", "good", "late", "fraud", "undecided"), 0
    )
    more = {"period": "2025-01", "is_mature": True, "spend": 0.0, "currency": "CNY"}
    return {**zero, **more, "channel": channel, "campaign": campaign, "band": band, **figures}


@pytest.fixture
def told(rows: Any, make_shell: Any, conf: Any) -> Any:
    def run(*cells: dict[str, Any]) -> pd.DataFrame:
        found = metric_store(
            rows(CHANNEL_COSTS, cells), conf=conf.model_copy(update={"metrics": METRICS}), shell=make_shell()
        )
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
    assert found.loc[("cost_per_funded", "2025-01", "feed", "(all)", "B"), "reason"] == "too_few"
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
    assert spend["(all)", "(all)", "(all)"] == spend["feed", "(all)", "(all)"] + spend["sms", "(all)", "(all)"]
    assert spend["feed", "(all)", "(all)"] == spend["feed", "(all)", "A"] + spend["feed", "(all)", "(none)"]
    ratios = found[found["metric"] != "spend"]
    assert (ratios["value"].isna() == ratios["reason"].notna()).all()
    assert not ratios["value"].isin([math.inf]).any()
    assert not ((ratios["value"] == 0) & (ratios["den"] == 0)).any()
