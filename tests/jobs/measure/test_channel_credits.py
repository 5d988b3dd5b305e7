"""On random drops every model credits every conversion once, and the last touch says what daily_costs says."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from test_daily_costs import by_hand, world

from jobs.measure.channel_credits import channel_credits
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES
from jobs.tables.measure.credits import CHANNEL_ATTRIBUTIONS, CHANNEL_CREDITS


@pytest.fixture
def told(rows: Any, make_shell: Any, conf: Any) -> Any:
    def run(drop: dict[str, list[dict[str, Any]]], **measure: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
        base = conf.base.model_copy(update={"measure": conf.base.measure.model_copy(update=measure)})
        told = conf.model_copy(update={"base": base})
        outcomes = [row | {"principal_minor": 1001 if row["is_funded"] else None} for row in drop["outcomes"]]
        touches = rows(LINKED_TOUCHES, drop["touches"])
        credits, effects = channel_credits(touches, rows(MATURED_OUTCOMES, outcomes), conf=told, shell=make_shell())
        assert credits.columns == [c.name for c in CHANNEL_CREDITS.columns]
        assert list(effects.columns) == [c.name for c in CHANNEL_ATTRIBUTIONS.columns]
        return credits.toPandas(), effects

    return run


@pytest.mark.parametrize("views", [{}, {"view_through": True, "view_days": 5}])
def test_every_model_ties_and_the_last_touch_is_what_daily_costs_credits(told: Any, views: dict[str, Any]) -> None:
    drop = world(1)
    credits, effects = told(drop, **views)
    funded = [row for row in drop["outcomes"] if row["is_funded"]]
    wanted = {
        "applications": len(drop["outcomes"]),
        "approvals": sum(row["is_approved"] is True for row in drop["outcomes"]),
        "funded": len(funded),
        "good": sum(row["is_good"] is True for row in funded),
        "principal_minor": 1001 * len(funded),
    }
    for model, mine in credits.groupby("model"):
        assert {name: mine[name].sum() for name in wanted} == wanted, model
    assert set(credits["model"]) == {
        *("last", "first", "last_non_direct", "linear", "linear_unique", "time_decay", "position"),
        *("shapley_model", "markov_1", "markov_2", "markov_3"),
    }
    truth: Counter[tuple[Any, ...]] = Counter()
    for (cost_day, channel, campaign, _, _), count in by_hand(drop, **views).items():
        truth[(cost_day, channel, campaign)] += count["applications"]
    last = credits[(credits["model"] == "last") & (credits["stage"] == "apply")]
    found = last.groupby(["cost_day", "channel", "campaign"], dropna=False)["applications"].sum()
    assert {tuple(None if pd.isna(x) else x for x in k): v for k, v in found.items()} == {
        k: Decimal(v) for k, v in truth.items() if v
    }
    chains = effects[effects["model"].str.startswith("markov")]
    assert chains.loc[chains["channel"] != "(unattributed)", "effect"].between(0, 1).all()
    assert (chains.groupby(["stage", "model"])["base_conversion"].nunique() == 1).all()
    sums = effects.groupby(["stage", "model"])["conversions"].sum()
    for (stage, _), conversions in sums.items():
        counted = {"apply": "applications", "approve": "approvals", "fund": "funded"}[stage]
        assert conversions == pytest.approx(wanted[counted], abs=1e-6)
    assert len(sums) == 3 * credits["model"].nunique()
    assert (effects["conversions_lo"] <= effects["conversions"] + 1e-6).all()
    assert (effects["conversions"] <= effects["conversions_hi"] + 1e-6).all()
    principal = effects[effects["stage"] == "fund"].groupby("model")["principal"].sum()
    assert principal.to_dict() == pytest.approx(dict.fromkeys(principal.index, 10.01 * len(funded)))


@pytest.mark.usefixtures("several_partitions")
def test_neither_order_of_rows_nor_partitions_change_anything(told: Any) -> None:
    drop = world(2)
    first = told(drop)
    dice = random.Random(1)
    turned = told({name: dice.sample(rows, len(rows)) for name, rows in drop.items()})
    key = ["stage", "model", "cost_day", "channel", "campaign", "ad_group"]
    for one, two in zip(first, turned, strict=True):
        names = [name for name in key if name in one]
        pd.testing.assert_frame_equal(
            one.sort_values(names, ignore_index=True), two.sort_values(names, ignore_index=True), check_exact=True
        )
