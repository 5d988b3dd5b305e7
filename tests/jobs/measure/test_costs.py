"""Costs per customer: null with a reason where they mean nothing, months that are open stay out, intervals hold."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from jobs.measure.campaign_costs import campaign_costs
from jobs.measure.channel_costs import channel_costs
from jobs.runtime.errors import UsageError
from jobs.runtime.settings import MetricConf
from jobs.runtime.standard_metrics import STANDARD
from jobs.tables.measure.costs import BOOK, COUNTS, DAILY_COSTS

DAY = date(2027, 5, 1)
CONF = Path(__file__).resolve().parents[3] / "conf"


def cell(day: date, channel: str = "feed_a", band: str = "A", **figures: Any) -> dict[str, Any]:
    counts = {c.name: 0 for c in (*COUNTS, *BOOK)}
    place = {"cost_day": day, "channel": channel, "campaign": "c", "band": band, "period": "history"}
    return {**place, "spend_minor": 0, "is_allocated": False, **counts, **figures}


DAILY = [
    cell(date(2026, 1, 5), spend_minor=60_000, applications=6, approvals=4, funded=3, matured=3, good=2, late=1),
    cell(date(2026, 1, 6), spend_minor=40_000, band="B", applications=1, approvals=1),
    cell(date(2026, 2, 5), spend_minor=50_000, applications=3, approvals=2, funded=2, matured=1, good=1, undecided=1),
    cell(date(2026, 3, 5), "sms", spend_minor=999),
    cell(date(2026, 1, 9), "(unattributed)", "(none)", applications=5, approvals=2, funded=1, matured=1, good=1),
]


def test_a_cost_is_null_with_a_reason_until_it_means_something(rows: Any, conf: Any) -> None:
    found = channel_costs(rows(DAILY_COSTS, DAILY), day=DAY, conf=conf).toPandas().astype(object)
    told = found.where(found.notna(), None).set_index(["period", "channel", "band"])
    assert told[["spend", "cost_per_funded", "cost_per_good", "reason"]].agg(list, axis=1).to_dict() == {
        ("2026-01", "feed_a", "A"): [600.0, 200.0, 300.0, None],
        ("2026-01", "feed_a", "B"): [400.0, None, None, "no_outcome"],
        ("2026-02", "feed_a", "A"): [500.0, 250.0, None, "immature"],
        ("2026-03", "sms", "A"): [9.99, None, None, "immature"],
        ("2026-01", "(unattributed)", "(none)"): [0.0, None, None, "unattributed"],
    }
    assert told["applications"].sum() == 15


def test_totals_tie_and_only_decided_months_count(rows: Any, conf: Any, make_shell: Any) -> None:
    found = campaign_costs(rows(DAILY_COSTS, DAILY), day=DAY, conf=conf, shell=make_shell())
    told = found.set_index(["period", "channel", "band"])
    total = told.loc[("history", "(all)", "(all)")]
    assert total["spend_minor"] == sum(row["spend_minor"] for row in DAILY)
    assert total["applications"] == 10
    assert (total["spend_mature"], total["funded_mature"], total["good_mature"]) == (1000.0, 3, 2)
    assert total["cost_per_good"] == 500.0
    assert total["cost_per_good_lo"] == pytest.approx(1000 / 7.2246877)
    assert total["cost_per_good_hi"] == pytest.approx(1000 / 0.2422093)
    assert total["late_rate"] == pytest.approx(1 / 3)
    assert not total["is_mature"]
    assert told.loc[("history", "sms", "(all)"), "reason"] == "immature"
    assert told.loc[("history", "(unattributed)", "(all)"), "reason"] == "unattributed"
    bands = told.drop(index=["(all)"], level="band")
    for name in ("spend_minor", "good", "spend_mature"):
        whole = told.xs("(all)", level="band")[name]
        pd.testing.assert_series_equal(bands.groupby(level=["period", "channel"])[name].sum(), whole.sort_index())


def test_nothing_costs_nothing(rows: Any, conf: Any, make_shell: Any) -> None:
    assert channel_costs(rows(DAILY_COSTS, []), day=DAY, conf=conf).count() == 0
    assert campaign_costs(rows(DAILY_COSTS, []), day=DAY, conf=conf, shell=make_shell()).empty


def test_the_metrics_of_conf_are_the_standard_ones() -> None:
    content = yaml.safe_load((CONF / "metrics.yaml").read_text(encoding="utf-8"))
    read = {name: MetricConf.model_validate(value) for name, value in content.items()}
    assert {name: read[name] for name in STANDARD} == STANDARD
    assert all(set(value.label) == {"en", "zh"} for value in read.values())


def test_a_metric_of_conf_decides(rows: Any, conf: Any) -> None:
    twice = STANDARD["cost_per_funded"].model_copy(update={"num": "spend * 2"})
    changed = conf.model_copy(update={"metrics": {"cost_per_funded": twice}})
    found = channel_costs(rows(DAILY_COSTS, DAILY[:1]), day=DAY, conf=changed).collect()
    assert found[0]["cost_per_funded"] == 400.0
    finer = conf.model_copy(update={"metrics": {"cost_per_funded": twice.model_copy(update={"grain": ("placement",)})}})
    with pytest.raises(UsageError, match="placement"):
        channel_costs(rows(DAILY_COSTS, DAILY[:1]), day=DAY, conf=finer)
