"""Policy value and Qini on planted trials: chance is worth nothing, and the truth the most."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.backtest.uplift import TrialReport, judge_trial, show
from jobs.backtest.uplift.choose import choose, cross_fitted
from jobs.backtest.uplift.effects import CANDIDATES
from jobs.backtest.uplift.qini import SHARES, gains, null_qini, qini
from jobs.backtest.uplift.trial import Plan, Trial
from jobs.model.learners import Features
from jobs.model.learners.metrics import interval
from jobs.runtime.errors import DataRefused, UsageError
from jobs.sources.samples import TrialConf, load

CONF = Path(__file__).parents[3] / "conf"
TRIAL = TrialConf.model_validate(
    {
        "name": "planted",
        "kind": "trial",
        "doc": "A trial with a planted effect.",
        "arm": "segment",
        "control": "none",
        "arms": {
            "a": {"value": "A", "share": 0.3},
            "none": {"value": "-", "share": 0.5},
            "b": {"value": "B", "share": 0.2},
        },
        "learn": "visits",
        "outcomes": {"visits": "visit", "spend": "spend"},
        "numeric": {"x": {"column": "x"}, "z": {"column": "z"}},
        "categorical": {"kind": {"column": "kind"}},
    }
)
SHARE = np.array([0.5, 0.3, 0.2])


def planted(rows: int, seed: int, size: float = 0.2) -> tuple[Trial, np.ndarray]:
    """People whose response follows z; treatment a adds where x is high, b where kind is k2: and the true effects."""
    rng = np.random.default_rng(seed)
    x, z, kind = rng.normal(size=rows), rng.normal(size=rows), rng.choice(["k1", "k2"], rows, p=[0.8, 0.2])
    arm = rng.choice(3, rows, p=SHARE)
    base = 0.5 / (1 + np.exp(-2 * z))
    effects = np.column_stack([size / (1 + np.exp(-3 * (x - 1))), size * (kind == "k2")])
    chance = base + np.column_stack([np.zeros(rows), effects])[np.arange(rows), arm]
    outcome = (rng.random(rows) < chance).astype(float)
    frame = pd.DataFrame({"x": x, "z": z, "kind": kind})
    return Trial(frame, Features(("x", "z"), ("kind",)), arm, outcome, SHARE), effects


def judged(trial: Trial, plans: dict[str, Plan], replicates: int = 200) -> dict[str, np.ndarray]:
    """Qini draws of the plans, beside everybody getting the best arm, all people in one fold."""
    one = np.full(len(trial.arm), trial.best_arm)
    fold = np.zeros(len(trial.arm), dtype=np.int64)
    found = gains(trial, {**plans, "one": Plan(np.zeros(len(one)), one)}, fold, 0, replicates)
    return {name: qini(found[name].snips, found["one"].snips[:, -1]) for name in plans}


@pytest.fixture(scope="module")
def world() -> tuple[Trial, np.ndarray]:
    return planted(20_000, 1)


def test_gains_are_what_treating_them_truly_adds(world: tuple[Trial, np.ndarray]) -> None:
    trial, effects = world
    plan = Plan.of_effects(effects)
    one_fold = np.zeros(len(trial.arm), dtype=np.int64)
    found = gains(trial, {"truth": plan}, one_fold, 0, 300)["truth"]
    best = np.sort(effects.max(axis=1))[::-1]
    for estimate in (found.snips, found.ips):
        for at in (2, 4, 10, 20):
            true = best[: int(SHARES[at] * best.size)].sum() / best.size
            it = interval(estimate[:, at])
            assert abs(it.value - true) < 3 * (it.hi - it.lo) / 4
        assert (estimate[:, 0] == 0).all()


def test_a_perfect_policy_has_the_highest_qini(world: tuple[Trial, np.ndarray]) -> None:
    trial, effects = world
    rng = np.random.default_rng(0)
    rivals = {
        "truth": Plan.of_effects(effects),
        "reversed": Plan(-effects.max(axis=1), effects.argmax(axis=1) + 1),
        "half blind": Plan.of_effects(effects + rng.normal(scale=0.1, size=effects.shape)),
        "one arm": Plan(effects[:, trial.best_arm - 1], np.full(len(effects), trial.best_arm)),
        "random": Plan(rng.random(len(effects)), np.full(len(effects), trial.best_arm)),
    }
    found = judged(trial, rivals)
    first = {name: float(draws[0]) for name, draws in found.items()}
    assert max(first, key=first.__getitem__) == "truth"
    assert first["reversed"] < first["random"] < first["half blind"]
    ahead = interval(found["truth"] - found["half blind"])
    assert ahead.lo > 0


def test_random_orders_have_a_qini_of_zero_within_their_interval(world: tuple[Trial, np.ndarray]) -> None:
    trial, _ = world
    one = np.full(len(trial.arm), trial.best_arm)
    rng = np.random.default_rng(3)
    found = interval(judged(trial, {"random": Plan(rng.random(len(one)), one)})["random"])
    assert found.lo < 0 < found.hi
    null = null_qini(trial, one, np.zeros(len(one), dtype=np.int64), 0, 400)
    assert abs(null.mean()) < 4 * null.std() / 20
    assert np.quantile(null, 0.975) < 0.25


@given(st.integers(0, 10_000), st.integers(30, 300), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_every_policy_starts_at_nothing_and_the_end_does_not_know_the_order(seed: int, rows: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    trial, _ = planted(rows, seed)
    fold, arm = rng.integers(0, count, rows), rng.integers(1, 3, rows)
    plans = {name: Plan(rng.random(rows), arm) for name in ("first", "second")}
    found = gains(trial, plans, fold, seed, 5)
    known = ~np.isnan(found["first"].snips[:, -1]) & ~np.isnan(found["second"].snips[:, -1])
    for g in found.values():
        assert (g.ips[:, 0] == 0).all()
    np.testing.assert_allclose(found["first"].snips[known, -1], found["second"].snips[known, -1], atol=1e-12)
    np.testing.assert_allclose(found["first"].ips[:, -1], found["second"].ips[:, -1], atol=1e-12)
    line = found["first"].in_random_order.snips
    zero = qini(line, line[:, -1])
    assert np.isnan(zero[line[:, -1] <= 0]).all()
    np.testing.assert_allclose(zero[line[:, -1] > 0], 0, atol=1e-9)


def test_all_of_the_gain_at_once_is_one_and_harm_has_no_meaning() -> None:
    at_once = np.where(SHARES > 0, 0.2, 0.0)[None, :]
    assert qini(at_once, np.array([0.2]))[0] == pytest.approx(1 - 1 / 20)
    assert np.isnan(qini(-at_once, np.array([-0.2]))[0])


@pytest.mark.parametrize("name", [name for name in CANDIDATES if name != "added to organic"])
def test_candidates_find_a_planted_effect(name: str, world: tuple[Trial, np.ndarray]) -> None:
    trial, effects = world
    part = np.arange(len(trial.arm)) < 8000
    some = trial.where(part)
    plan = cross_fitted(CANDIDATES[name], some, np.arange(8000) % 2, 0)
    truth = effects[part]
    gain = truth[np.arange(8000), plan.arm - 1]
    best = np.argsort(-plan.score)[:1600]
    assert gain[best].mean() > 1.5 * truth.mean(axis=0).max()
    clear = np.abs(truth[:, 0] - truth[:, 1]) > 0.12
    assert ((plan.arm == truth.argmax(axis=1) + 1) & clear).sum() > 0.7 * clear.sum()


def test_effects_that_follow_intent_are_found_by_the_funnels_own_way() -> None:
    """What a treatment adds grows with what people do unasked: the one world in which one slope on intent is enough."""
    rng = np.random.default_rng(4)
    rows = 8000
    z, arm = rng.normal(size=rows), rng.choice(3, rows, p=SHARE)
    base = 0.15 / (1 + np.exp(-2 * z))
    outcome = (rng.random(rows) < base * np.array([1.0, 2.0, 1.2])[arm]).astype(float)
    trial = Trial(pd.DataFrame({"z": z}), Features(("z",)), arm, outcome, SHARE)
    plan = cross_fitted(CANDIDATES["added to organic"], trial, np.arange(rows) % 2, 0)
    assert np.corrcoef(plan.score, base)[0, 1] > 0.8
    assert (plan.arm == 1).mean() > 0.95


def test_the_choice_leaves_the_first_road_where_another_is_clearly_better(world: tuple[Trial, np.ndarray]) -> None:
    """Here what people do unasked and what treating adds follow different inputs."""
    trial = world[0].where(np.arange(len(world[0].arm)) < 6000)
    choice = choose(trial, 0)
    assert choice.name != "added to organic"
    assert choice.qinis[choice.name] == max(choice.qinis.values()) > choice.qinis["added to organic"] + 0.2


def as_file(trial: Trial, folder: Path, order: np.ndarray | None = None) -> Path:
    names = np.array(["-", "A", "B"])
    frame = trial.frame.assign(segment=names[trial.arm], visit=trial.outcome.astype(int), spend=20.0 * trial.outcome)
    file = folder / "trial.csv"
    (frame if order is None else frame.iloc[order]).to_csv(file, index=False)
    return file


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trial, TrialReport]:
    trial, _ = planted(4000, 2, size=0.4)
    file = as_file(trial, tmp_path_factory.mktemp("trial"))
    return trial, judge_trial(TRIAL, [file], 2, 0, 100)


def test_the_report_finds_the_planted_effect(told: tuple[Trial, TrialReport]) -> None:
    trial, report = told
    rows = {(r["outcome"], r["policy"]): r for r in json.loads(json.dumps(report.rows(), allow_nan=False))}
    assert [a.people for a in report.arms] == [int((trial.arm == a).sum()) for a in range(3)]
    product, response = rows["visits", "product"], rows["visits", "response only"]
    assert product["qini_lo"] > rows["visits", "random orders"]["qini_hi"]
    assert product["qini"] > response["qini"]
    assert rows["visits", "random"]["qini"] == pytest.approx(0, abs=1e-9)
    assert rows["visits", "product - random"]["qini"] == pytest.approx(product["qini"])
    assert product["gain_20_lo"] > rows["visits", "random"]["gain_20"]
    assert rows["spend", "product"]["gain_20"] == pytest.approx(20 * product["gain_20"])
    assert sum(report.chosen.values()) == sum(report.reference.values()) == 2
    assert "Qini" in show(report)


def test_the_order_of_rows_in_the_file_changes_nothing(told: tuple[Trial, TrialReport], tmp_path: Path) -> None:
    trial, report = told
    order = np.random.default_rng(1).permutation(len(trial.arm))
    assert judge_trial(TRIAL, [as_file(trial, tmp_path, order)], 2, 0, 100).as_dict() == report.as_dict()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"control": "c"}, "must hold the control"),
        ({"learn": "clicks"}, "outcomes lack 'clicks'"),
        ({"arms": {"none": {"value": "-", "share": 0.5}, "a": {"value": "A", "share": 0.4}}}, "do not add up"),
    ],
)
def test_a_trial_declared_wrongly_says_why(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrialConf.model_validate({**TRIAL.model_dump(), **changes})


def test_a_trial_too_small_or_asked_wrongly_is_refused(tmp_path: Path) -> None:
    trial, _ = planted(60, 5)
    file = as_file(trial, tmp_path)
    with pytest.raises(DataRefused, match="with the rarer visits"):
        judge_trial(TRIAL, [file], 5, 0, 10)
    with pytest.raises(UsageError, match="at least 2 folds"):
        judge_trial(TRIAL, [file], 1, 0, 10)


@pytest.mark.real_data
def test_the_email_trial_of_hillstrom() -> None:
    """One candidate and one split, as a quick check: arms as published, and an order no worse than chance's range."""
    folder = os.environ.get("HUOKE_REAL_DATA")
    if not folder:
        pytest.skip("HUOKE_REAL_DATA is not set; it names the folder of the real files")
    from jobs.sources.samples import parse_trial

    conf = load(CONF, "hillstrom")
    assert isinstance(conf, TrialConf)
    rows = parse_trial(conf, [Path(folder) / "hillstrom.csv.gz"]).rows
    converted = rows.groupby("arm")["conversions"].mean()
    assert [round(100 * v, 2) for v in converted] == [0.57, 1.25, 0.88]
    arm, outcome = rows["arm"].to_numpy(dtype=np.int64), rows["visits"].to_numpy()
    trial = Trial(rows, Features(tuple(conf.numeric), tuple(conf.categorical)), arm, outcome, np.full(3, 1 / 3))
    fold = np.arange(len(arm)) % 2
    plan = cross_fitted(CANDIDATES["added to organic"], trial, fold, 0)
    one = np.full(len(arm), trial.best_arm)
    found = gains(trial, {"product": plan, "one": Plan(np.zeros(len(arm)), one)}, fold, 0, 200)
    it = interval(qini(found["product"].snips, found["one"].snips[:, -1]))
    assert it.hi > 0
    assert it.value > np.quantile(null_qini(trial, one, fold, 0, 200), 0.025)
    assert 0.06 < found["one"].snips[0, -1] < 0.09
