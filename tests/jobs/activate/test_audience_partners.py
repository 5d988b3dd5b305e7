"""Partners chosen with the channel: quotas, regions and bands hold, and what is expected is what the partner passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from test_audiences import CHANNELS, DAY, check_rows, inputs, small_conf

from jobs.activate.audiences import audiences
from jobs.activate.lenders import read_lenders
from jobs.activate.plan_gate import plan_gate
from jobs.tables.activate import PLAN_GATE, PLAN_POLICIES
from jobs.tables.model import PARTNER_PASSES
from support import to_pandas

pytestmark = pytest.mark.usefixtures("light_search")
RATES = {"any_bank": (2.2, 1.5, 1.0), "north_bank": (2.0, 0.0, 0.0)}
QUOTA = 2


def learned(version: str = "m1") -> list[dict[str, Any]]:
    """Classes north, south and all others."""
    told = {"p_approve_from": 0.0, "fit_feature": None, "fit_level": None, "applications": 9, "model_version": version}
    regions = ("north", "south", None)
    return [
        {**told, "kind": kind, "region": regions[kind], "partner": name, "pass_rate": rates[kind]}
        for name, rates in RATES.items()
        for kind in range(3)
    ]


def conf_of(tmp_path: Path, partners: str = "choose") -> Any:
    conf = small_conf(tmp_path)
    plan = conf.base.plan.model_copy(update={"partners": partners})
    few = {name: one.model_copy(update={"quota": QUOTA if one.quota else None}) for name, one in conf.partners.items()}
    return conf.model_copy(update={"base": conf.base.model_copy(update={"plan": plan}), "partners": few})


def run(given: dict[str, Any], conf: Any, shell: Any) -> tuple[pd.DataFrame, pd.DataFrame, Any]:
    sent, plan, policy = audiences(**given, day=DAY, conf=conf, shell=shell)
    return to_pandas(sent, "prospect_key"), plan, policy


def test_partners_are_chosen_within_their_quotas_regions_and_bands(
    rows: Any, make_shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = conf_of(tmp_path)
    given = {**inputs(rows, "m1", conf), "lent": rows(PARTNER_PASSES, learned(), DAY, conf)}
    sent, plan, policy = run(given, conf, make_shell(conf))
    check_rows(sent, plan)
    listed = sent[sent["channel"] != "none"].merge(
        to_pandas(given["scores"], "prospect_key")[["prospect_key", "channel", "p_apply"]],
        on=["prospect_key", "channel"],
    )
    is_south = listed["prospect_key"].str[1:].astype(int) % 3 == 0
    assert set(listed["partner"]) == {"any_bank", "north_bank"}
    assert set(listed.loc[listed["partner"] == "any_bank", "band"]) == {"A"}
    assert set(listed.loc[is_south, "partner"]) == {"any_bank"}
    rate = [RATES[name][south] for name, south in zip(listed["partner"], is_south.astype(int), strict=True)]
    assert listed["expected_good"].tolist() == pytest.approx(((listed["p_apply"] - 0.01) * 0.225 * rate).tolist())
    funded = listed["p_apply"] * 0.25 * rate
    assert 0.9 * QUOTA < funded[listed["partner"] == "any_bank"].sum() <= QUOTA + 1e-6
    whole = plan.set_index("channel").loc["(all)"]
    assert whole["max_violation"] == 0
    assert whole["expected_good"] == pytest.approx(listed["expected_good"].sum(), abs=1e-5)
    monkeypatch.setattr("jobs.activate.allocation.passes.HELD", 0)
    again, same, _ = run(given, conf, make_shell(conf, warehouse=tmp_path / "other"))
    assert again.equals(sent)
    assert same.equals(plan)
    gate = plan_gate(
        rows(PLAN_POLICIES, policy.to_dict("records"), DAY, conf),
        given["scores"],
        given["assignments"],
        rows(PLAN_GATE, [], DAY, conf),
        given["errors"],
        given["lent"],
        given["prospects"],
        day=DAY,
        conf=conf,
        shell=make_shell(conf, warehouse=tmp_path / "gate"),
    )
    assert len(gate) == 3  # the rule is read back with its partners


def test_without_what_was_learned_or_when_conf_says_so_partners_are_drawn_as_ever(
    rows: Any, make_shell: Any, tmp_path: Path
) -> None:
    conf, off = conf_of(tmp_path), conf_of(tmp_path, "off")
    given = inputs(rows, "m1", conf)
    told = {**given, "lent": rows(PARTNER_PASSES, learned(), DAY, conf)}
    plain, plan, _ = run(given, conf, make_shell(conf))
    drawn, same, _ = run(told, off, make_shell(off, warehouse=tmp_path / "off"))
    assert drawn.equals(plain)
    assert same.equals(plan)
    assert set(plain.loc[plain["channel"] != "none", "channel"]) <= set(CHANNELS)


def test_on_day_zero_partners_are_drawn(rows: Any, make_shell: Any, tmp_path: Path) -> None:
    conf = conf_of(tmp_path)
    given = inputs(rows, "prior", conf)
    plain, *_ = run(given, conf, make_shell(conf))
    told = {**given, "lent": rows(PARTNER_PASSES, learned(), DAY, conf)}
    drawn, *_ = run(told, conf, make_shell(conf, warehouse=tmp_path / "zero"))
    assert drawn.equals(plain)


def test_nobody_is_chosen_among_before_partners_are_learned(rows: Any, make_shell: Any, tmp_path: Path) -> None:
    conf = conf_of(tmp_path)
    shell = make_shell(conf)
    for told, is_learned in ((learned("prior"), False), ([], False), (learned(), True)):
        found = read_lenders(rows(PARTNER_PASSES, told, DAY, conf), conf, shell)
        assert (found is not None) == is_learned
