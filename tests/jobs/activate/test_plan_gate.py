"""The gate's job against plain sums over the same planted logs, and what it lets be sent."""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "segments"))
from test_offpolicy import CHANNELS, Log, judge, simulate

from jobs.activate.allocation.choosers import Exploring, Mixing, Policy
from jobs.activate.allocation.kept import of_text, to_text
from jobs.activate.allocation.people import Layout
from jobs.activate.allocation.program import People, Program, Row
from jobs.activate.audience_operations import audience_operations
from jobs.activate.judging import judged
from jobs.activate.past import prepared
from jobs.activate.plan_gate import plan_gate
from jobs.runtime.settings import ChannelConf, GateConf, PolicyConf
from jobs.tables.activate import AUDIENCES, ELIGIBILITY, PLAN_GATE, PLAN_POLICIES, SENT_MEMBERS
from jobs.tables.ingest import PROSPECTS
from jobs.tables.link import ASSIGNMENT_OUTCOMES
from jobs.tables.model import MODEL_ERRORS, PARTNER_PASSES, SCORES
from support import make_conf

DAY = date(2026, 3, 31)
WAVE = date(2026, 1, 1)


@pytest.fixture(scope="module")
def log() -> Log:
    return simulate(11, 900, "bad", False)


def gate_conf(mode: str = "report", **limits: Any) -> Any:
    channels = {name: ChannelConf(capacity=1000, budget=5000, currency="CNY") for name in CHANNELS}
    policy = PolicyConf(min_audience=0, gate=mode, gate_limits=GateConf(**limits))
    return make_conf(channels=channels, policy=policy)


def tables(rows: Any, log: Log, conf: Any) -> tuple[Any, Any]:
    """The log as a lender's tables: every row of a person on a day of its own, all decided; scores as the model's."""
    nth = np.zeros(len(log.person), dtype=int)
    seen: dict[int, int] = {}
    for place, person in enumerate(log.person):
        nth[place] = seen[person] = seen.get(person, -1) + 1
    names = ["none", *CHANNELS]
    assigned = [
        {
            "prospect_key": f"p{p}",
            "person_key": f"p{p}",
            "assigned_day": WAVE + timedelta(days=int(n)),
            "channel": names[a + 1],
            "role": "holdout" if a < 0 else "policy",
            "propensity": float(chance),
            "is_applied": bool(y),
            "is_funded": bool(y) if y else None,
        }
        for p, n, a, chance, y in zip(log.person, nth, log.channel, log.propensity, log.y, strict=True)
    ]
    sure = {"p_approve": 1.0, "p_fund": 1.0, "p_good": 0.9, "p_late": 0.05, "p_fraud": 0.01, "band": "A"}
    scored = [
        {
            **sure,
            "prospect_key": f"p{p}",
            "channel": name,
            "p_apply": float(log.q[p, k]),
            "p_organic": float(log.q0[p]),
            "expected_cost": 1.0 + k,
            "expected_value": float(450 * (log.q[p, k] - log.q0[p]) - 1.0 - k),
            "model_version": "m1",
        }
        for p in range(len(log.q))
        for k, name in enumerate(CHANNELS)
    ]
    return rows(ASSIGNMENT_OUTCOMES, assigned, DAY, conf), rows(SCORES, scored, DAY, conf)


@pytest.mark.usefixtures("several_partitions")
def test_spark_sums_give_what_plain_sums_give_whatever_the_partitioning(
    rows: Any, make_shell: Any, spark: Any, log: Log
) -> None:
    conf = gate_conf()
    assigned, scores = tables(rows, log, conf)
    content = [(f"p{p}", [float(x) for x in chances]) for p, chances in enumerate(log.world.new)]
    chances = spark.createDataFrame(content, "prospect_key string, chances array<double>")
    found = judged(prepared(assigned, scores, chances, CHANNELS, conf, DAY), CHANNELS, make_shell(conf))
    values, gain, sums = judge(log)
    mine = found["applied"]
    for name in ("current", "ips", "snips", "dr", "shift", "mean_weight"):
        assert getattr(mine.values, name) == pytest.approx(getattr(values, name), rel=1e-6), name
    for name in ("lo", "hi", "snips_lo", "snips_hi", "disagreement"):
        assert getattr(mine.gain, name) == pytest.approx(getattr(gain, name), rel=1e-6), name
    assert mine.opportunities == pytest.approx(sums.pool)
    assert mine.evidence.people == len(set(log.person))
    weight = np.where(log.channel >= 0, log.world.new[log.person, np.maximum(log.channel, 0)] / log.propensity, 0.0)
    each = np.bincount(log.person, weights=weight)
    assert mine.evidence.ess == pytest.approx(each.sum() ** 2 / (each**2).sum())
    assert mine.evidence.max_weight == pytest.approx(weight.max())
    # Value is 0.9 x 500 an outcome less the channel's cost: planted, so known from the outcome's own figures.
    cost = sum((k + 1) * sums.arms[name].chance for k, name in enumerate(CHANNELS)) / sums.pool
    assert found["value"].values.snips == pytest.approx(450 * found["funded"].values.snips - cost, rel=1e-6)
    again = prepared(assigned.repartition(7), scores.repartition(5), chances.repartition(3), CHANNELS, conf, DAY)
    assert judged(again, CHANNELS, make_shell(conf, warehouse=make_shell().store.root / "again")) == found


def test_young_days_and_heavy_weights_are_kept_out(rows: Any, spark: Any, log: Log) -> None:
    conf = gate_conf(max_weight=2.0)
    assigned, scores = tables(rows, log, conf)
    chances = spark.createDataFrame(
        [(f"p{p}", [0.5, 0.5]) for p in range(900)], "prospect_key string, chances array<double>"
    )
    made = prepared(assigned, scores, chances, CHANNELS, conf, DAY).toPandas()
    assert made["weight"].max() == 2.0 < made["raw_weight"].max()
    young = prepared(assigned, scores, chances, CHANNELS, conf, WAVE + timedelta(days=20)).toPandas()
    assert set(young["outcome"]) == {"applied"}
    assert prepared(assigned, scores, chances, CHANNELS, conf, WAVE).count() == 0


def rule(exploration: float) -> tuple[Policy, Layout]:
    program = Program(CHANNELS, "value", (Row("places:feed", "places", 0, 500.0), Row("budget", "cost", None, 9.5)))
    mixing = Mixing(program, ((np.array([0.25, 0.125]), 0.75), (None, 0.25)), exploration)
    return Policy(Exploring(exploration, (1.0, 0.5)), mixing, 0.1), Layout(CHANNELS, program.quantities, frozenset())


def test_a_rule_comes_back_from_text_as_it_was() -> None:
    policy, layout = rule(0.2)
    kept = of_text(to_text(policy, layout))
    dice = np.random.default_rng(3)
    amounts = {name: dice.integers(-(10**6), 10**7, (50, 2)) for name in layout.quantities}
    people = People(dice.random((50, 2)) < 0.8, amounts)
    assert (kept.policy.chances(people) == policy.chances(people)).all()
    assert kept.layout == layout
    assert to_text(kept.policy, kept.layout) == to_text(policy, layout)


def run(rows: Any, shell: Any, log: Log, conf: Any, before: list[dict[str, Any]] | None = None) -> pd.DataFrame:
    assigned, scores = tables(rows, log, conf)
    policies = [{"model_version": "m1", "payload": to_text(*rule(0.2))}]
    gate = plan_gate(
        rows(PLAN_POLICIES, policies, DAY, conf),
        scores,
        assigned,
        rows(PLAN_GATE, before or [], DAY - timedelta(days=1), conf),
        rows(MODEL_ERRORS, [], DAY, conf),
        rows(PARTNER_PASSES, [], DAY, conf),
        rows(PROSPECTS, [], DAY, conf),
        day=DAY,
        conf=conf,
        shell=shell,
    )
    return gate.set_index("outcome")


def test_the_gate_refuses_for_want_of_people_reports_or_ramps(rows: Any, make_shell: Any, log: Log) -> None:
    told = run(rows, make_shell(gate_conf()), log, gate_conf()).loc["value"]
    assert not told["is_passed"]
    assert told["ess"] < 5000
    assert "effective people" in told["reason"]
    assert "not seen: what the plan's own use does to prices" in told["reason"]
    assert (told["mode"], told["released_share"]) == ("report", 1.0)
    assert told["gain_lo"] < told["gain"] < told["gain_hi"]
    conf = gate_conf("ramp")
    fresh = run(rows, make_shell(conf, warehouse=make_shell().store.root / "a"), log, conf)
    assert set(fresh["released_share"]) == {0.05}
    last = {"outcome": "value", "mode": "ramp", "released_share": 0.05, "since_day": DAY - timedelta(days=14)}
    later = run(rows, make_shell(conf, warehouse=make_shell().store.root / "b"), log, conf, [last])
    assert set(later["released_share"]) == {0.25}
    assert set(later["since_day"]) == {DAY}


def test_without_a_rule_there_is_no_judgement_and_a_ramp_begins(rows: Any, make_shell: Any) -> None:
    for mode, share in (("off", 1.0), ("report", 1.0), ("ramp", 0.05)):
        conf = gate_conf(mode)
        tables = (PLAN_POLICIES, SCORES, ASSIGNMENT_OUTCOMES, PLAN_GATE, MODEL_ERRORS, PARTNER_PASSES, PROSPECTS)
        nothing = [rows(table, [], DAY, conf) for table in tables]
        told = plan_gate(*nothing, day=DAY, conf=conf, shell=make_shell(conf)).set_index("outcome")
        assert set(told["released_share"]) == {share}
        assert not told["is_passed"].any()
        assert ("gate is off" if mode == "off" else "no model") in told.loc["value", "reason"]


def test_only_released_people_are_sent_and_a_step_back_takes_the_others_off(rows: Any) -> None:
    conf = gate_conf("ramp")
    gate = {"person_key": "x", "is_holdout": False, "holdout_salt": "holdout-1", "is_consent_assumed": False}
    keys = [f"p{n}" for n in range(400)]
    gates = [
        {**gate, "prospect_key": key, "person_key": f"q{key}", "channel": "sms", "is_eligible": True} for key in keys
    ]
    listed = [
        {"audience": "aud-00000001", "channel": "sms", "prospect_key": key, "role": "policy", "propensity": 0.5}
        for key in keys
    ]
    plan, open_to = rows(AUDIENCES, listed, DAY, conf), rows(ELIGIBILITY, gates, DAY, conf)

    def sent(share: float, held: set[str]) -> tuple[set[str], dict[str, str]]:
        present = [{"channel": "sms", "audience": "aud-00000001", "prospect_key": key} for key in held]
        made = audience_operations(
            plan,
            open_to,
            rows(PLAN_GATE, [{"outcome": "value", "released_share": share}], DAY, conf),
            rows(SENT_MEMBERS, present, DAY - timedelta(days=1), conf),
            conf=conf,
        ).toPandas()
        adds = set(made.loc[made["operation"] == "add", "prospect_key"])
        gone = made[made["operation"] == "remove"].set_index("prospect_key")["reason"].to_dict()
        return (held | adds) - set(gone), gone

    few, _ = sent(0.05, set())
    assert 8 <= len(few) <= 34
    more, gone = sent(0.25, few)
    assert few < more
    assert not gone
    back, gone = sent(0.05, more)
    assert back == few
    assert set(gone.values()) == {"not_released"}
    assert sent(0.0, few)[0] == set()
    assert sent(1.0, few)[0] == set(keys)


def test_the_payload_is_plain_json() -> None:
    told = json.loads(to_text(*rule(0.2)))
    assert told["rows"] == [["places:feed", "places", 0, 500.0], ["budget", "cost", None, 9.5]]
    assert told["plans"] == [[[0.25, 0.125], 0.75], [None, 0.25]]
