"""Learners are chosen by stage in conf, and every card tells the chosen one's gap to others."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jobs.model.learners import BlendSettings, BoostedSettings, Features, LogisticSettings, ScorecardSettings
from jobs.model.training.choice import ONE_LINE, is_glass_box, rivals_of, settings_of
from jobs.model.training.gaps import learner_gaps
from jobs.model.training.stage import Labelled, fit_stage
from jobs.runtime.conf import load_conf
from jobs.runtime.errors import UsageError
from jobs.runtime.settings import TrainingConf


def test_a_stage_takes_its_own_learner_then_the_default() -> None:
    training = TrainingConf(
        learner="boosted",
        default_learner="blend",
        stages={"late": "scorecard"},
        directions={"late": {"income": "falling"}},
    )
    assert settings_of("click", training) == BoostedSettings()
    assert isinstance(settings_of("fraud", training), BlendSettings)
    assert settings_of("late", training) == ScorecardSettings(directions={"income": "falling"})
    assert settings_of("organic", training) == ONE_LINE
    assert [s.learner for s in rivals_of("late", training)] == ["boosted"]
    assert [s.learner for s in rivals_of("fraud", training)] == ["boosted", "scorecard"]
    assert not is_glass_box(training)
    assert is_glass_box(TrainingConf(stages={"apply": "scorecard"}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("training: {stages: {late: forest}}", "training.stages.late: Input should be 'logistic', 'boosted', 'blend'"),
        ("training: {stages: {lateness: scorecard}}", "training.stages.lateness"),
        ("training: {directions: {late: {city: rising}}}", "training.directions: city are no numeric features"),
        ("training: {directions: {late: {income: up}}}", "training.directions.late.income: Input should be 'rising'"),
    ],
)
def test_a_choice_that_cannot_be_is_told_by_name(tmp_path: Path, text: str, said: str) -> None:
    content = "currency: CNY\nfeatures: {income: numeric, city: categorical}\n"
    (tmp_path / "base.yaml").write_text(content + text, encoding="utf-8")
    with pytest.raises(UsageError) as told:
        load_conf(tmp_path)
    assert said in str(told.value)


def test_the_card_tells_the_planted_gap_between_learners() -> None:
    """Crossed effects, planted: no sum of points can tell them, trees can."""
    rng = np.random.default_rng(5)
    count = 12_000
    frame = pd.DataFrame({"x": rng.normal(size=count), "y": rng.normal(size=count)})
    z = 1.5 * np.sign(frame["x"] * frame["y"]) + 0.5 * frame["x"] - 1.0
    label = (rng.random(count) < 1 / (1 + np.exp(-z))).to_numpy().astype(float)
    day = pd.Series([date(2026, 6, 1) - timedelta(days=200 - 200 * at // count) for at in range(count)])
    rows = Labelled(frame, label, np.ones(count), day, np.zeros(count, dtype=bool))
    training, rivals = TrainingConf(calibration_days=60), (BoostedSettings(), LogisticSettings())
    fitted = fit_stage("late", rows, Features(("x", "y")), training, ScorecardSettings(), rivals=rivals)
    assert fitted.judged is not None
    told = {row[2]: row[3:6] for row in learner_gaps("late", fitted, fitted.judged, 1)}
    assert {f"{m}: {k}" for m in ("auc", "log_loss") for k in ("scorecard", "boosted", "logistic")} < set(told)
    for metric in ("auc", "log_loss"):
        value, lo, hi = told[f"{metric}: boosted - scorecard"]
        assert value == pytest.approx(told[f"{metric}: boosted"][0] - told[f"{metric}: scorecard"][0])
        assert lo < value < hi
    assert told["auc: boosted - scorecard"][1] > 0.05
    assert told["log_loss: boosted - scorecard"][2] < 0
    assert abs(told["auc: logistic - scorecard"][0]) < 0.02
    without = fit_stage("late", rows, Features(("x", "y")), training, ScorecardSettings())
    assert learner_gaps("late", without, fitted.judged, 1) == []
    assert without.payload == fitted.payload
