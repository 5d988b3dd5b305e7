"""How the times move lateness: a swell is followed, chance is not, and what may come is told with its error."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from funnel_rows import funnel_conf, funnel_rows

from jobs.model.learners import FittedModel
from jobs.model.learners.calibration import Line
from jobs.model.training import funnel
from jobs.model.training.fits import Fits
from jobs.model.training.lateness import Loans, late_rows, life_table
from jobs.model.training.priors import prior_model
from jobs.model.training.times import PERSISTENCE, USUAL_SPREAD, coming_level, coming_spread

RATE, QUARTERS = 0.05, 8
MODEL = prior_model("late", np.array([1.0] * 5000 + [0.0] * 95_000))  # tells RATE of everybody


def loans_of(factors: np.ndarray, each: int, seed: int = 3) -> Loans:
    """As many loans a quarter, the newest last, late by RATE times its factor; all that may be late has shown."""
    rng = np.random.default_rng(seed)
    day = np.repeat([date(2026, 6, 1) - timedelta(days=91 * q) for q in range(len(factors))][::-1], each)
    frame = pd.DataFrame({"applied_day": day, "is_late": rng.random(len(day)) < RATE * np.repeat(factors, each)})
    return Loans(frame, np.ones(len(frame)), life_table(np.full(10, 12), np.full(10, np.nan)))


def factor(loans: Loans) -> float:
    return float(np.exp(coming_level(MODEL, loans).shift))


def test_a_swell_of_the_last_quarters_is_followed_and_one_long_ago_is_not() -> None:
    calm = np.ones(QUARTERS)
    lately, once = np.where(np.arange(QUARTERS) >= 5, 1.6, 1.0), np.where(np.arange(QUARTERS) < 3, 1.6, 1.0)
    assert factor(loans_of(calm, 5000)) == pytest.approx(1.0, abs=0.03)
    assert 1.2 < factor(loans_of(lately, 5000)) < 1.6
    assert factor(loans_of(once, 5000)) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_calm_times_are_not_followed_by_chance(seed: int) -> None:
    """A year of some 150 late loans differs from the book by a tenth by chance alone; the coming level does by less."""
    loans = loans_of(np.ones(QUARTERS), 750, seed)
    newest = loans.is_late[-4 * 750 :].mean() / RATE
    assert abs(np.log(factor(loans))) <= 0.5 * abs(np.log(newest)) + 0.02


def test_a_few_loans_say_little() -> None:
    swell = np.where(np.arange(QUARTERS) >= 5, 2.0, 1.0)
    assert abs(np.log(factor(loans_of(swell, 40)))) < 0.25 * abs(np.log(factor(loans_of(swell, 20_000))))
    none = loans_of(np.zeros(QUARTERS), 40)
    assert 0.8 < factor(none) < 1.0


@pytest.mark.parametrize(("spread", "least", "most"), [(0.0, 0.0, 0.09), (0.35, 0.2, 0.5)])
def test_quarters_unlike_each_other_are_told_from_chance(spread: float, least: float, most: float) -> None:
    factors = np.exp(spread * np.random.default_rng(3).normal(size=12))
    loans = loans_of(0.5 * factors, 8000)  # half of what the model tells: the level is no spread
    assert least < coming_spread(MODEL, loans) < most
    nothing = Loans(loans.rows[:0], np.ones(0), loans.table)
    assert coming_spread(MODEL, nothing) == pytest.approx(USUAL_SPREAD, rel=0.02)
    assert coming_level(MODEL, nothing).shift == 0.0


def test_where_quarters_move_as_it_takes_them_to_its_errors_are_those_it_tells() -> None:
    """Books of quarters drawn as the model has them: what comes, less what was told, in its own standard errors."""
    rng, off = np.random.default_rng(7), []
    for seed in range(60):
        spread = abs(rng.normal()) * USUAL_SPREAD
        path = [rng.normal() * spread]
        for _ in range(QUARTERS + 1):
            path.append(PERSISTENCE * path[-1] + np.sqrt(1 - PERSISTENCE**2) * spread * rng.normal())
        loans = loans_of(np.exp(path[:QUARTERS]), 1500, seed)
        off.append((path[-1] - coming_level(MODEL, loans).shift) / coming_spread(MODEL, loans))
    assert 0.6 < float(np.sqrt(np.mean(np.square(off)))) < 1.4
    assert float(np.mean(np.abs(off) < 1.96)) > 0.85


def test_loans_the_model_is_judged_on_do_not_move_its_level(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[pd.Index] = []

    def told(model: FittedModel, loans: Loans) -> Line:
        asked.append(loans.rows.index)
        return coming_level(model, loans)

    monkeypatch.setattr(funnel, "coming_level", told)
    conf = funnel_conf("logistic")
    training = conf.base.training.model_copy(update={"compare": ("boosted",)})
    fits = Fits()
    decided = funnel_rows(5, 5000).decided
    funnel.fit_credit(
        fits, decided, conf.model_copy(update={"base": conf.base.model_copy(update={"training": training})}), ("late",)
    )
    late = fits.all[0]
    assert late.judged is not None
    assert len(late.judged.frame) > 50
    assert len(late.rivals) == 1
    assert len(asked) == 2, "each learner has its own"
    every = late_rows(decided).rows.index
    assert all(set(rows) == set(every) - set(late.judged.frame.index) for rows in asked)
    assert late.model is not None
    assert late.model.adjust[-1] != late.rivals[0][1].adjust[-1]
