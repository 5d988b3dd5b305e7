"""The activate jobs through a real shell: rows kept, holdout apart, day zero, and operations that converge."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.activate.audience_operations import audience_operations
from jobs.activate.audiences import audiences
from jobs.activate.deliveries import deliveries
from jobs.runtime.errors import DataRefused
from jobs.runtime.sender import sender
from jobs.runtime.settings import BaseConf, ChannelConf, PartnerConf, PolicyConf, SparkConf
from jobs.tables.activate import AUDIENCE_OPERATIONS, AUDIENCES, ELIGIBILITY, PLAN_GATE, SENT_MEMBERS
from jobs.tables.ingest import FX_RATES, PROSPECTS, SPEND, VAULTS
from jobs.tables.link import ASSIGNMENT_OUTCOMES
from jobs.tables.model import MODEL_ERRORS, PARTNER_PASSES, SCORES, STAGE_MODELS
from support import make_conf, to_pandas

DAY = date(2026, 1, 10)
CHANNELS = ("feed_a", "feed_b", "sms")
PEOPLE = 600


def small_conf(tmp_path: Path, **policy: Any) -> Any:
    common = {"currency": "CNY", "target": str(tmp_path / "outbox" / "{channel}"), "identifiers": ("phone",)}
    channels = {
        "feed_a": ChannelConf(capacity=60, budget=Decimal(200), **common),
        "feed_b": ChannelConf(capacity=400, budget=Decimal(10), **{**common, "currency": "USD"}),
        "sms": ChannelConf(capacity=300, budget=Decimal(120), **common),
    }
    base = BaseConf(currency="CNY", spark=SparkConf(driver_memory="2g", shuffle_partitions=2))
    partners = {
        "north_bank": PartnerConf(regions=("north",)),
        "any_bank": PartnerConf(appetite={"A": 1.0}, quota=10),
    }
    settings = {"holdout_share": 0.1, "exploration_share": 0.2, "min_audience": 0, **policy}
    return make_conf(base=base, channels=channels, partners=partners, policy=PolicyConf(**settings))


def inputs(rows: Any, version: str, conf: Any, elasticity: float = 0.0) -> dict[str, Any]:
    dice = np.random.default_rng(4)
    eligibility, scores = [], []
    for number in range(PEOPLE):
        key = f"p{number:04d}"
        reason = "holdout" if number % 10 == 0 else ("no_consent" if number % 10 == 1 else None)
        for channel in CHANNELS:
            p_apply = float(0.02 + 0.2 * dice.random())
            common = {"prospect_key": key, "channel": channel}
            eligibility.append(
                {
                    **common,
                    "person_key": key,
                    "is_eligible": reason is None,
                    "reason": reason,
                    "is_holdout": reason == "holdout",
                    "holdout_salt": "holdout-1",
                    "is_consent_assumed": False,
                }
            )
            cost = float(0.5 + dice.random())
            chances = {"p_approve": 0.5, "p_fund": 0.5, "p_good": 0.9, "p_late": 0.05, "p_fraud": 0.01}
            worth = (p_apply - 0.01) * 0.5 * 0.5 * 0.9 * 500 - cost
            scores.append(
                {
                    **common,
                    **chances,
                    "p_apply": p_apply,
                    "p_organic": 0.01,
                    "expected_cost": cost,
                    "expected_value": worth,
                    "band": "A" if number % 2 else "B",
                    "model_version": version,
                }
            )
    spend = {"spend_day": date(2026, 1, 5), "campaign": "c", "creative": "video-1", "clicks": 9}
    billed = [
        {**spend, "channel": "sms", "cost": Decimal("20.00"), "currency": "CNY"},
        {**spend, "channel": "feed_b", "cost": Decimal("4.00"), "currency": "USD"},
        {**spend, "channel": "sms", "cost": Decimal("999.00"), "currency": "CNY", "spend_day": date(2025, 12, 31)},
    ]
    done = {"assigned_day": date(2025, 12, 1), "role": "policy", "impressions": 1, "clicks": 1}
    outcomes = [
        {**done, "prospect_key": f"p{n:04d}", "person_key": f"p{n:04d}", "channel": channel, "is_applied": n < applied}
        for channel, applied in (("feed_b", 40), ("sms", 6))
        for n in range(50)
    ]
    rates = [{"rate_day": date(2025, 12, 1), "currency": "USD", "rate": Decimal(7)}]
    snapshot = [{"prospect_key": f"p{n:04d}", "region": "north" if n % 3 else "south"} for n in range(PEOPLE)]
    return {
        "eligibility": rows(ELIGIBILITY, eligibility, DAY, conf),
        "scores": rows(SCORES, scores, DAY, conf),
        "models": rows(STAGE_MODELS, _prices(elasticity), DAY, conf),
        "errors": rows(MODEL_ERRORS, [], DAY, conf),
        "lent": rows(PARTNER_PASSES, [], DAY, conf),
        "prospects": rows(PROSPECTS, snapshot, DAY, conf),
        "assignments": rows(ASSIGNMENT_OUTCOMES, outcomes, DAY, conf),
        "spend": rows(SPEND, billed, DAY, conf),
        "rates": rows(FX_RATES, rates, DAY, conf),
    }


def _prices(elasticity: float) -> list[dict[str, Any]]:
    """What the models say of prices: they rise with use on all channels but sms."""
    told = {"model_version": "m1", "learner": "sums", "rows": 9, "positives": 9, "payload": b""}
    scales = {"load": elasticity, "usual": 40.0}
    return [{**told, "stage": s, "channel": c, "scale": x} for s, x in scales.items() for c in CHANNELS if c != "sms"]


def check_rows(sent: Any, plan: Any) -> None:
    """No place, no budget and no person is used twice, and the held out are on no list."""
    listed = sent[sent["channel"] != "none"]
    assert sent["prospect_key"].is_unique
    assert sent["propensity"].between(0, 1, inclusive="right").all()
    assert set(sent.loc[sent["channel"] == "none", "prospect_key"]) == {f"p{n:04d}" for n in range(0, PEOPLE, 10)}
    assert not {f"p{n:04d}" for n in range(1, PEOPLE, 10)} & set(sent["prospect_key"])
    capacity = {"feed_a": 60, "feed_b": 400, "sms": 300}
    left = {"feed_a": 200.0, "feed_b": 70.0 - 28.0, "sms": 100.0}
    for channel in CHANNELS:
        mine = listed[listed["channel"] == channel]
        row = plan.set_index("channel").loc[channel]
        assert row["budget_left"] == pytest.approx(left[channel])
        assert len(mine) == row["audience_size"] <= capacity[channel]
        assert mine["expected_cost"].sum() <= left[channel] + 1e-6
        assert row["expected_spend"] == pytest.approx(mine["expected_cost"].sum(), abs=1e-5)
    assert listed["audience"].str.fullmatch(r"aud-[0-9a-z]{8}").all()
    assert listed.groupby("audience")["channel"].nunique().max() == 1


@pytest.mark.usefixtures("several_partitions")
def test_a_plan_keeps_every_row_wherever_and_however_people_are_counted(
    rows: Any, make_shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = small_conf(tmp_path)
    given = inputs(rows, "m1", conf)
    sent, plan, _ = audiences(**given, day=DAY, conf=conf, shell=make_shell(conf))
    sent = to_pandas(sent, "prospect_key")
    check_rows(sent, plan)
    whole = plan.set_index("channel").loc["(all)"]
    assert 0 <= whole["gap"] < 0.1
    assert whole["max_violation"] == 0
    assert set(sent["role"]) == {"policy", "exploration", "holdout"}
    bank = sent[sent["channel"] != "none"].set_index("prospect_key")["partner"]
    south = [key for key in bank.index if int(key[1:]) % 3 == 0]
    assert set(bank[south].dropna()) == {"any_bank"}
    assert set(sent.loc[sent["channel"] == "sms", "creative"]) == {"video-1"}
    monkeypatch.setattr("jobs.activate.allocation.passes.HELD", 0)
    shuffled = {**given, "scores": given["scores"].repartition(7), "eligibility": given["eligibility"].repartition(5)}
    again, same, _ = audiences(**shuffled, day=DAY, conf=conf, shell=make_shell(conf, warehouse=tmp_path / "other"))
    assert to_pandas(again, "prospect_key").equals(sent)
    assert same.equals(plan)


def test_a_plan_pays_for_what_use_makes_dearer(rows: Any, make_shell: Any, tmp_path: Path) -> None:
    conf = small_conf(tmp_path)
    given = inputs(rows, "m1", conf, elasticity=0.4)
    sent, plan, _ = audiences(**given, day=DAY, conf=conf, shell=make_shell(conf))
    sent = to_pandas(sent, "prospect_key")
    check_rows(sent, plan)
    assert plan.set_index("channel").loc["(all)", "max_violation"] == 0
    scored = to_pandas(given["scores"], "prospect_key")[["prospect_key", "channel", "expected_cost"]]
    both = sent.merge(scored, on=["prospect_key", "channel"], suffixes=("", "_usual"))
    for channel, mine in both.groupby("channel"):
        load = 1.0 if channel == "sms" else (len(mine) / 40.0) ** 0.4
        assert np.allclose(mine["expected_cost"], load * mine["expected_cost_usual"]), channel
    off = [{"measure": "good", "channel": c, "pair": p, "log_ratio": 0.4} for c in CHANNELS for p in range(4)]
    off.append({"measure": "chosen_good", "channel": "*", "pair": 0, "log_ratio": 0.1})
    off.append({"measure": "chosen_spend", "channel": "*", "pair": 0, "log_ratio": 0.05})
    usual = {**inputs(rows, "m1", conf), "errors": rows(MODEL_ERRORS, off, DAY, conf)}
    flat, wide, _ = audiences(**usual, day=DAY, conf=conf, shell=make_shell(conf, warehouse=tmp_path / "flat"))
    whole, other = (one.set_index("channel").loc["(all)"] for one in (wide, plan))
    for row, off_by in ((whole, 2.776 * 0.2), (other, 0.0)):
        good = row["expected_good"]
        half = row["expected_good_hi"] - good
        assert half == pytest.approx(off_by * good or 1.96 * good**0.5, rel=1e-3)
    assert ("models' error in what is expected" in whole["note"], "not the models' error" in other["note"]) == (
        True,
        True,
    )
    listed = to_pandas(flat, "prospect_key")
    told = to_pandas(given["scores"], "prospect_key").merge(listed, on=["prospect_key", "channel"])
    good = (told["p_apply"] - told["p_organic"]) * told["p_approve"] * told["p_fund"] * told["p_good"]
    assert np.allclose(told["expected_good"], good / np.exp(0.1))
    assert np.allclose(told["expected_cost_y"], told["expected_cost_x"] * np.exp(0.05))
    assert len(told) > 50
    before = listed["channel"].value_counts()
    assert sent["channel"].value_counts()["feed_b"] < before["feed_b"]


def test_day_zero_explores_the_cheapest_channel_first_and_says_so(rows: Any, make_shell: Any, tmp_path: Path) -> None:
    conf = small_conf(tmp_path)
    given = inputs(rows, "prior", conf)
    sent, plan, _ = audiences(**given, day=DAY, conf=conf, shell=make_shell(conf))
    sent = to_pandas(sent, "prospect_key")
    check_rows(sent, plan)
    assert set(sent["role"]) == {"exploration", "holdout"}
    note = plan.set_index("channel").loc["(all)", "note"]
    assert "day zero" in note
    assert "past cost per applied person: feed_b, sms, feed_a" in note
    assert sent["band"].isna().all()


def test_money_without_a_rate_stops_the_plan(rows: Any, make_shell: Any, tmp_path: Path) -> None:
    conf = small_conf(tmp_path)
    given = inputs(rows, "m1", conf)
    with pytest.raises(DataRefused, match="USD"):
        audiences(**{**given, "rates": rows(FX_RATES, [], DAY, conf)}, day=DAY, conf=conf, shell=make_shell(conf))


def test_operations_are_differences_and_deliveries_follow_them(rows: Any, make_shell: Any, tmp_path: Path) -> None:
    conf = small_conf(tmp_path)
    shell = make_shell(conf)
    keys = [f"p{n}" for n in range(6)]
    gate = {"person_key": "x", "is_holdout": False, "holdout_salt": "holdout-1", "is_consent_assumed": False}
    shut = {"p3": "suppressed:opt_out"}
    gates = [
        {**gate, "prospect_key": key, "channel": "sms", "is_eligible": key not in shut, "reason": shut.get(key)}
        for key in keys
    ]
    listed = [
        {"audience": "aud-00000001", "channel": "sms", "prospect_key": key, "role": "policy", "propensity": 0.5}
        for key in keys[:4]
    ]
    held = [("aud-00000001", "p0"), ("aud-00000002", "p1"), ("aud-00000001", "p3"), ("aud-00000001", "p5")]
    present = [{"channel": "sms", "audience": audience, "prospect_key": key} for audience, key in held]
    before = rows(SENT_MEMBERS, present, DAY - timedelta(days=1), conf)
    plan, open_to = rows(AUDIENCES, listed, DAY, conf), rows(ELIGIBILITY, gates, DAY, conf)
    gate_ = rows(PLAN_GATE, [{"outcome": "value", "released_share": 1.0}], DAY, conf)
    made = audience_operations(plan, open_to, gate_, before, conf=conf)
    found = {(r.operation, r.audience[-1], r.prospect_key, r.reason) for r in made.toPandas().itertuples()}
    assert found == {
        ("remove", "1", "p3", "suppressed:opt_out"),
        ("remove", "1", "p5", "left_plan"),
        ("remove", "2", "p1", "moved"),
        ("add", "1", "p1", "planned"),
        ("add", "1", "p2", "planned"),
    }
    ledger = sender(conf, tmp_path, DAY - timedelta(days=1))
    members = {("sms", audience, key) for audience, key in held}
    identities = {key: {"id_phone": f"+8610{key}"} for key in keys}
    ledger.send(ledger.todo(members), identities)
    content = [
        {"record_key": key, "sealed": shell.keys.seal(f'{{"id_phone": "+8610{key}"}}')} for key in keys if key != "p2"
    ]
    vaulted = rows(VAULTS["prospects"], content, DAY, conf)
    operations = rows(AUDIENCE_OPERATIONS, made.drop("day").toPandas().to_dict("records"), DAY, conf)
    today = {"shell": shell, "vault": shell.keys, "ledger": sender(conf, tmp_path, DAY)}
    done, now = deliveries(operations, before, vaulted, open_to, **today)
    assert [(r.operation, r.rows, r.quarantined) for r in done.itertuples()] == [
        ("remove", 2, 0),
        ("remove", 1, 0),
        ("add", 2, 1),
    ]
    assert set(now.itertuples(index=False, name=None)) == {("sms", "aud-00000001", key) for key in ("p0", "p1")}
    repeat, same = deliveries(operations, before, vaulted, open_to, **{**today, "ledger": sender(conf, tmp_path, DAY)})
    assert repeat.equals(done)
    assert same.equals(now)
