"""One stage: what it may learn from, what it says when there is too little, and which loans are old enough."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from jobs.model.learners import Features, LogisticSettings
from jobs.model.training.lateness import late_rows, life_table
from jobs.model.training.priors import PRIORS, prior_model
from jobs.model.training.stage import Labelled, fit_stage
from jobs.runtime.settings import TrainingConf

TRAINING = TrainingConf(calibration_days=30, min_positives=30)
X = Features(("x",))


def rows(count: int, label: np.ndarray, x: np.ndarray, days: int = 200) -> Labelled:
    """Rows spread evenly over the days before 2026-06-01, oldest first."""
    day = pd.Series([date(2026, 6, 1) - timedelta(days=days - days * at // count) for at in range(count)])
    return Labelled(pd.DataFrame({"x": x}), label, np.ones(count), day, np.zeros(count, dtype=bool))


def test_the_newest_rows_never_reach_the_fit() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=4000)
    y = (rng.random(4000) < 1 / (1 + np.exp(1.5 - x))).astype(float)
    told = rows(4000, y, x)
    newest = told.split(30)
    changed = np.where(newest, 0.0, y)  # no positive left to calibrate on: the fit alone decides
    calm = fit_stage("click", rows(4000, changed, x), X, TRAINING, LogisticSettings())
    other = fit_stage("click", rows(4000, changed, np.where(newest, 99.0, x)), X, TRAINING, LogisticSettings())
    assert newest.sum() == pytest.approx(600, abs=40)
    assert calm.payload == other.payload
    assert "not calibrated" in " ".join(calm.notes)


def test_levels_follow_the_newest_rows_when_the_world_has_moved() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=20_000)
    told = rows(20_000, np.zeros(20_000), x)
    shift = np.where(told.split(30), 1.2, 0.0)
    chance = 1 / (1 + np.exp(2.0 - x - shift))
    y = (rng.random(20_000) < chance).astype(float)
    fitted = fit_stage("click", rows(20_000, y, x), X, TRAINING, LogisticSettings())
    assert fitted.judged is not None
    assert fitted.model is not None
    predicted = fitted.model.predict(fitted.judged.frame)
    assert predicted.sum() == pytest.approx(fitted.judged.label.sum(), rel=0.12)


def test_too_little_to_learn_from_leaves_the_prior_and_says_so() -> None:
    fitted = fit_stage(
        "apply", rows(100, np.r_[np.ones(3), np.zeros(97)], np.arange(100.0)), X, TRAINING, LogisticSettings()
    )
    assert fitted.is_prior
    assert "too thin" in fitted.notes[0]
    assert fitted.model is not None
    assert PRIORS["apply"] * 0.9 < fitted.model.predict(pd.DataFrame(index=range(2)))[0] < PRIORS["apply"] * 1.2
    for stage, prior in PRIORS.items():
        assert prior_model(stage).predict(pd.DataFrame(index=range(1)))[0] == pytest.approx(prior)


@pytest.mark.parametrize(("loans", "frauds", "least", "most"), [(2500, 3, 0.001, 0.002), (100, 0, 0.002, 0.016)])
def test_a_few_thousand_loans_show_that_fraud_is_rare_and_a_hundred_do_not(
    loans: int, frauds: int, least: float, most: float
) -> None:
    label = np.r_[np.ones(frauds), np.zeros(loans - frauds)]
    told = prior_model("fraud", label).predict(pd.DataFrame(index=range(1)))[0]
    assert least < told < most


def test_a_share_as_label_is_predicted_on_average() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=6000)
    share = np.minimum(rng.poisson(np.exp(0.5 * x)), 5) / 5
    fitted = fit_stage("units", rows(6000, share, x), X, TRAINING, LogisticSettings())
    assert fitted.model is not None
    predicted = fitted.model.predict(pd.DataFrame({"x": x}))
    for part in (x < -0.5, abs(x) < 0.5, x > 0.5):
        assert predicted[part].mean() == pytest.approx(share[part].mean(), rel=0.1)


def book(count: int, seed: int, oldest: int, rate: float = 0.10) -> pd.DataFrame:
    """Loans of which `rate` turn late, in months 4 to 12, seen until today; funded evenly over `oldest` months."""
    rng = np.random.default_rng(seed)
    age = rng.integers(0, oldest, count)
    turns = np.where(rng.random(count) < rate, rng.integers(4, 13, count), 99)
    is_seen = turns <= np.minimum(age, 12)
    return pd.DataFrame(
        {
            "months_observed": age,
            "late_month": np.where(is_seen, turns, np.nan),
            "is_late": np.where(is_seen, True, np.where(age >= 12, False, None)),
            "is_funded": True,
        }
    )


def rate_of(decided: pd.DataFrame) -> float:
    loans = late_rows(decided)
    return float(np.average(loans.is_late, weights=loans.weight))


@pytest.mark.parametrize("oldest", [24, 14])
def test_young_loans_inform_without_biasing_lateness(oldest: int) -> None:
    decided = book(40_000, 4, oldest)
    naive = decided[decided["is_late"].notna()]["is_late"].astype(float).mean()
    assert naive > 0.115
    assert rate_of(decided) == pytest.approx(0.10, rel=0.06)
    assert len(late_rows(decided).rows) > (decided["months_observed"] >= 12).sum() * 1.2


def test_a_book_of_nine_months_still_tells_of_twelve_and_says_what_it_assumed() -> None:
    decided = book(60_000, 5, 10)
    assert decided["is_late"].eq(False).sum() == 0
    assert rate_of(decided) == pytest.approx(0.10, rel=0.15)
    table = late_rows(decided).table
    assert table.unseen == 3
    assert (table.hazard[9:] < table.hazard[6:9].min()).all()
    assert table.hazard[10] == pytest.approx(0.8 * table.hazard[9])


def test_the_life_table_is_the_product_of_what_each_month_shows() -> None:
    months = np.array([12, 12, 6, 3, 12])
    late_month = np.array([np.nan, 5.0, np.nan, np.nan, 10.0])
    table = life_table(months, late_month)
    assert table.hazard[4] == pytest.approx(1 / 4)
    assert table.hazard[9] == pytest.approx(1 / 2)
    assert table.unseen == 0
    assert table.shown[4] == 0.0
    assert table.shown[5] == pytest.approx(0.25 / 0.625)
    assert table.shown[12] == 1.0
    assert late_rows(book(200, 1, 3)).rows.empty
