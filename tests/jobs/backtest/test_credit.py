"""The stage of lateness on planted loans without dates: what is reported is what was planted."""

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

from jobs.backtest.credit import CreditReport, judge_credit, render
from jobs.backtest.credit.quality import METRICS, quality
from jobs.backtest.folds import folds
from jobs.backtest.judge import Asked, judge
from jobs.model.learners.metrics import auc, log_loss
from jobs.runtime.errors import DataRefused, UsageError
from jobs.runtime.settings import TrainingConf
from jobs.sources.conf import load_source
from jobs.sources.samples import LoansConf, load

CONF = Path(__file__).parents[3] / "conf"
LOANS = LoansConf.model_validate(
    {
        "name": "planted",
        "kind": "loans",
        "doc": "Loans with a planted effect.",
        "label": {"column": "state", "positive": "bad", "negative": "good", "word": "bad loans"},
        "numeric": {"income": {"column": "inc", "min": -100}, "noise": {"column": "noise"}},
        "categorical": {"grade": {"column": "grade"}},
        "views": {"without_income": ["noise", "grade"]},
        "refused": {"sex": {"why": "protected", "because": "sex"}},
    }
)
TRAINING = TrainingConf()


def loans(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Loans whose lateness follows income and grade, and the chances it was drawn with."""
    rng = np.random.default_rng(seed)
    income, grade = rng.normal(size=rows), rng.choice(["A", "B", "C"], rows)
    chance = 1 / (1 + np.exp(1.5 + 1.2 * income - 0.8 * (grade == "C")))
    state = np.where(rng.random(rows) < chance, "bad", "good")
    columns = {"inc": income, "noise": rng.normal(size=rows), "grade": grade, "sex": "f", "state": state}
    return pd.DataFrame(columns), chance


def run(frame: pd.DataFrame, folder: Path, **changes: Any) -> CreditReport:
    file = folder / "loans.csv"
    frame.to_csv(file, index=False)
    return judge_credit(LOANS, [file], TRAINING, **{"count": 2, "repeats": 1, "replicates": 100, **changes})


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, np.ndarray, CreditReport]:
    frame, chance = loans(3000, 1)
    return frame, chance, run(frame, tmp_path_factory.mktemp("loans"), repeats=2)


def test_the_product_comes_close_to_the_planted_chances(
    planted: tuple[pd.DataFrame, np.ndarray, CreditReport],
) -> None:
    frame, chance, report = planted
    rows = {(r["view"], r["model"]): r for r in json.loads(json.dumps(report.rows(), allow_nan=False))}
    bad = (frame["state"] == "bad").to_numpy(dtype=float)
    product = rows["all", "product"]
    assert (product["rows"], product["positives"]) == (3000, int(bad.sum()))
    assert product["auc"] == pytest.approx(auc(bad, chance), abs=0.015)
    assert product["log_loss"] == pytest.approx(log_loss(bad, chance), abs=0.01)
    assert product["oe_lo"] < 1 < product["oe_hi"]
    assert rows["without_income", "product"]["auc"] < product["auc"] - 0.1
    assert rows["all", "product - boosted"]["auc_lo"] > 0, "a plain boosted model overfits so few rows"
    assert all(r[f"{m}_lo"] <= r[m] <= r[f"{m}_hi"] for r in rows.values() for m in METRICS if m in r)


def test_the_order_of_rows_in_the_file_changes_nothing(tmp_path: Path) -> None:
    frame, _ = loans(500, 6)
    frame = pd.concat([frame, frame[:20]])  # equal rows are two loans, and stay
    report = run(frame, tmp_path, replicates=20)
    assert report.views[0].models[0].rows == 520
    assert run(frame.sample(frac=1, random_state=5), tmp_path, replicates=20).as_dict() == report.as_dict()


def test_shuffled_outcomes_give_an_auc_of_one_half(tmp_path: Path) -> None:
    frame, _ = loans(2000, 2)
    report = run(frame.assign(state=frame["state"].sample(frac=1, random_state=1).to_numpy()), tmp_path, replicates=1)
    for model in report.views[0].models:
        error = np.sqrt((model.rows + 1) / (12 * model.positives * (model.rows - model.positives)))
        assert abs(model.figures["auc"].value - 0.5) < 4 * error


def test_the_learner_that_conf_names_is_the_product(tmp_path: Path) -> None:
    frame, _ = loans(600, 3)
    usual = run(frame, tmp_path, replicates=1)
    file = tmp_path / "loans.csv"
    boosted = TRAINING.model_copy(update={"default_learner": "boosted"})
    other = judge_credit(LOANS, [file], boosted, count=2, repeats=1, replicates=1)
    by_name = [{m.model: m.figures["auc"].value for m in r.views[0].models} for r in (usual, other)]
    assert by_name[0]["product"] == by_name[1]["product (logistic)"] != by_name[1]["product"]
    assert by_name[1]["product"] == by_name[0]["product (boosted)"]


@given(st.lists(st.integers(0, 3), min_size=10, max_size=200), st.integers(2, 6), st.integers(0, 5))
@settings(max_examples=50, deadline=None)
def test_folds_hold_every_stratum_evenly(strata: list[int], count: int, seed: int) -> None:
    found = folds(strata, count, seed)
    assert set(found) <= set(range(count))
    for mask in (np.array(strata) == s for s in (*set(strata), None)):
        sizes = np.bincount(found[mask] if mask.ndim and mask.any() else found, minlength=count)
        assert sizes.max() - sizes.min() <= 1


def test_quality_of_the_planted_chances_themselves() -> None:
    rng = np.random.default_rng(0)
    chance = rng.beta(1, 6, 20_000)
    label = (rng.random(chance.size) < chance).astype(float)
    fold = np.zeros((1, chance.size), dtype=np.int64)
    found = quality(label, fold, {"true": chance[None], "doubled": np.minimum(2 * chance, 0.999)[None]}, 0, 50)
    first = {name: {m: float(v[0]) for m, v in per.items()} for name, per in found.items()}
    assert first["true"]["auc"] == pytest.approx(auc(label, chance))
    assert first["true"]["brier"] == pytest.approx(float(np.square(label - chance).mean()))
    assert first["true"]["oe"] == pytest.approx(1, abs=0.03)
    assert first["true"]["oe_top"] == pytest.approx(1, abs=0.06)
    assert first["doubled"]["oe"] == pytest.approx(0.5, abs=0.03)
    assert first["doubled"]["log_loss"] > first["true"]["log_loss"]


def test_the_text_names_the_learner_and_what_was_refused(
    planted: tuple[pd.DataFrame, np.ndarray, CreditReport],
) -> None:
    text = render(planted[2])
    assert "with the logistic learner" in text
    assert "refused column sex (protected: sex)" in text
    assert "without_income: 2 inputs" in text


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Asked(blocks=5), "its rows have no days"),
        (Asked(), "there is no file .*nowhere.csv"),
    ],
)
def test_a_call_that_cannot_be_answered_says_why(asked: Asked, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        judge(CONF, "lending_club", [Path("nowhere.csv")], asked)


def test_without_a_file_the_folder_of_real_data_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUOKE_REAL_DATA", raising=False)
    with pytest.raises(UsageError, match=r"no file given.*HUOKE_REAL_DATA"):
        judge(CONF, "lending_club", [], Asked())
    monkeypatch.setenv("HUOKE_REAL_DATA", str(tmp_path))
    with pytest.raises(UsageError, match=r"holds no lending_club\.csv\.gz"):
        judge(CONF, "lending_club", [], Asked())


def test_what_cannot_be_judged_or_landed_is_refused(tmp_path: Path) -> None:
    frame, _ = loans(50, 4)
    with pytest.raises(DataRefused, match="rarer outcome"):
        run(frame.assign(state="good"), tmp_path)
    with pytest.raises(DataRefused, match="none of 50 rows can be used"):
        run(frame.assign(state="unknown"), tmp_path)
    with pytest.raises(UsageError, match="huoke backtest lending_club"):
        load_source(CONF, "lending_club")


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "rows", "positives", "least", "most"),
    [("lending_club", 9857, 517, 0.71, 0.77), ("taiwan_default", 30_000, 6636, 0.766, 0.785)],
)
def test_default_on_real_loans(name: str, rows: int, positives: int, least: float, most: float) -> None:
    """Bounds from below: the published scorecard of taiwan; lending_club's own interval."""
    folder = os.environ.get("HUOKE_REAL_DATA")
    if not folder:
        pytest.skip("HUOKE_REAL_DATA is not set; it names the folder of the real files")
    conf = load(CONF, name)
    assert isinstance(conf, LoansConf)
    conf = conf.model_copy(update={"views": {}})
    report = judge_credit(conf, [Path(folder) / f"{name}.csv.gz"], TRAINING, count=3, repeats=1, replicates=50)
    figures = {m.model: m.figures for m in (*report.views[0].models, *report.views[0].differences)}
    assert (report.views[0].models[0].rows, report.views[0].models[0].positives) == (rows, positives)
    assert least < figures["product"]["auc"].value < most
    assert figures["product"]["oe"].lo < 1 < figures["product"]["oe"].hi
    assert figures["product - logistic"]["log_loss"].value < 0
