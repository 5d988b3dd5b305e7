"""Each arm of the bench of ablations learns with its one change, and what the bench says of many worlds."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from funnel_rows import funnel_conf, funnel_rows

from jobs.evaluate.judge import Caps, Verdict
from jobs.evaluate.product import Forecast
from jobs.evaluate.volumes import Plan
from jobs.model.learners.calibration import Line
from jobs.model.serving.funnel import Funnel
from jobs.model.training import counts
from jobs.model.training.fits import Fits
from jobs.model.training.stage import Fitted

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
from ablations import Row, judged, means
from arms import ARMS, NOTHING, Rows, learned, mature_rows
from history import ANSWERED, ANSWERED_HERE, SHOWN
from taste_score import TASTE

CONF = funnel_conf("logistic")
PLANTED = funnel_rows(5, 5000)
ROWS = Rows(PLANTED.assigned, PLANTED.decided, PLANTED.asked)


@cache
def fitted(arm: str) -> Fits:
    return fitted_on(arm, ROWS)


def fitted_on(arm: str, rows: Rows) -> Fits:
    found = Fits()
    found.all += learned(arm, rows, CONF)
    return found


def promised(found: Funnel) -> float:
    people = ROWS.assigned.head(2000).assign(channel="sms")
    organic = found.organic(people)
    return float((found.p_apply(found.added(people, organic, "sms"), organic, "sms") - organic).sum())


def of_stage(fits: Fits, name: str) -> list[Fitted]:
    return [one for one in fits.all if one.stage == name]


def test_without_organic_demand_a_list_is_given_what_comes_unasked() -> None:
    whole, alone = fitted(NOTHING).funnel(), fitted("without p_organic").funnel()
    sent = ROWS.assigned[(ROWS.assigned["channel"] == "sms").to_numpy()]
    assert float(alone.organic(sent).max()) < 1e-5
    assert promised(alone) > 1.2 * promised(whole)
    assert promised(alone) / 2000 == pytest.approx(float(sent["is_applied"].mean()), rel=0.15), "whoever asks"


def test_without_the_hazard_young_loans_say_nothing() -> None:
    months = np.where(np.arange(len(ROWS.decided)) % 3 == 0, 12.0, 6.0)
    funded = ROWS.decided["is_funded"].to_numpy(dtype=bool)
    young = Rows(ROWS.assigned, ROWS.decided.assign(months_observed=np.where(funded, months, np.nan)), ROWS.asked)
    mature = int((funded & (months == 12.0)).sum())
    assert len(mature_rows(young.decided).rows) == mature
    whole, alone = (of_stage(fitted_on(arm, young), "late")[0] for arm in (NOTHING, "without hazard"))
    assert alone.rows < mature < whole.rows
    none = ROWS.decided.assign(months_observed=np.where(funded, 6.0, np.nan))
    assert len(mature_rows(none).rows) == 0


def test_without_calibration_stages_and_channels_stay_as_they_were_fitted() -> None:
    def steps(fits: Fits) -> int:
        taken = [step for one in fits.all if one.model is not None for step in one.model.adjust]
        return sum(step != Line(1.0, 0.0) for step in taken)

    whole, alone = fitted(NOTHING), fitted("without calibration")
    assert steps(whole) > 0
    assert of_stage(whole, "lift")
    assert steps(alone) == 0
    assert not of_stage(alone, "lift")
    assert [(one.stage, one.channel) for one in whole.all if one.stage != "lift"] == [
        (one.stage, one.channel) for one in alone.all
    ]


def test_without_exploration_only_the_rows_sent_at_random_go() -> None:
    drawn = ROWS.assigned.assign(
        role=np.where(np.arange(len(ROWS.assigned)) % 10, ROWS.assigned["role"], "exploration")
    )
    left = ARMS["without exploration"].rows(Rows(drawn, ROWS.decided, ROWS.asked))
    assert len(left.assigned) == int((drawn["role"] != "exploration").sum()) < len(drawn)
    assert set(left.assigned["role"]) == {"policy", "holdout"}
    assert left.decided is ROWS.decided


def test_numbers_told_beside_the_features_are_seen_by_the_stages_they_are_meant_for() -> None:
    sent = ROWS.assigned.assign(**{SHOWN: 1.0, ANSWERED: 0.0, ANSWERED_HERE: 0.0, TASTE: 0.0})
    keen = np.random.default_rng(3).normal(size=len(sent))
    clicks = (np.random.default_rng(4).random(len(sent)) < 1 / (1 + np.exp(1 - 2 * keen))) & (sent["channel"] != "none")
    sent = sent.assign(clicks=clicks.astype(int), is_applied=0, **{TASTE: keen, ANSWERED_HERE: keen})
    people = [frame.assign(**{SHOWN: 1.0, ANSWERED: 0.0}) for frame in (ROWS.decided, ROWS.asked)]
    told = Rows(sent, *people)
    of_sms = sent[(sent["channel"] == "sms").to_numpy()]

    def follows(arm: str) -> tuple[float, float]:
        found = fitted_on(arm, told).funnel()
        expected = found.click(of_sms, "sms"), found.clicks(of_sms, "sms")
        return tuple(float(np.corrcoef(one, of_sms[TASTE])[0, 1]) for one in expected)

    assert max(np.abs(follows(NOTHING))) < 0.2
    for arm in ("with history", "with answers", "with LightFM"):
        assert min(follows(arm)) > 0.8, arm


def test_what_an_arm_replaces_is_back_in_its_place_afterwards() -> None:
    names = [(module, name) for arm in ARMS.values() for module, name, _ in arm.places]
    names.append((counts, "_counted_features"))
    before = [getattr(module, name) for module, name in names]
    for arm in ARMS:
        with pytest.raises(KeyError):
            learned(arm, Rows(ROWS.assigned[["role"]], ROWS.decided[:0], ROWS.asked[:0]), CONF)
    assert [getattr(module, name) for module, name in names] == before


def test_many_worlds_become_a_paired_ratio_with_its_interval() -> None:
    def row(seed: int, arm: str, cost: float | None) -> Row:
        told = {"family": "log_linear", "seed": seed, "arm": arm, "volume": 0.1, "max_late": "book"}
        return {**told, "cost_per_good": cost, "late_rate": 0.02, "promised_over_true": 1.5}

    costs = {1: 100.0, 2: 400.0, 3: 900.0, 4: 50.0}
    whole = [row(seed, NOTHING, cost) for seed, cost in costs.items()]
    arm = [
        row(1, "without hazard", 110.0),
        row(2, "without hazard", 480.0),
        row(3, "without hazard", 990.0),
        row(4, "without hazard", None),
    ]
    (found,) = means(whole + arm)
    assert (found["worlds"], found["short"]) == (3, 1)
    logs = np.log([1.1, 1.2, 1.1])
    half = 4.302653 * logs.std(ddof=1) / 3**0.5
    assert found["ratio"] == pytest.approx(np.exp(logs.mean()))
    assert [found["lo"], found["hi"]] == pytest.approx(np.exp([logs.mean() - half, logs.mean() + half]))
    assert found["promised_over_true"] == pytest.approx(1.5)


def test_a_plan_that_says_it_breaks_the_cap_is_none() -> None:
    def ask(floor: float) -> Plan:
        truth = Verdict(people=1.0, spend=300.0 * floor, good=floor, funded=floor, approved=floor, late=0.03, fraud=0.0)
        bounds = dict.fromkeys(("spend", "good", "late_rate"), (None, None))
        return Plan(floor, truth, Forecast(300.0 * floor, 1.2 * floor, 0.025, None, None, None, bounds))

    (kept,) = judged({0.1: 10.0}, ask, Caps(0.03))
    assert kept["cost_per_good"] == pytest.approx(300.0)
    assert kept["promised_over_true"] == pytest.approx(1.2)
    assert judged({0.1: 10.0}, ask, Caps())[0]["cost_per_good"] == pytest.approx(300.0)
    assert judged({0.1: 10.0}, ask, Caps(0.02))[0]["cost_per_good"] is None
