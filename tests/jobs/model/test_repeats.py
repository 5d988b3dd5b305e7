"""What applications before tell of lateness: held to what is usual by a thin book, told by a thick one."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from funnel_rows import funnel_conf, funnel_rows

from jobs.model.learners import Features, LogisticSettings, ScorecardSettings, fit
from jobs.model.person_features import APPLIED_BEFORE
from jobs.model.training.funnel import fit_funnel
from jobs.model.training.repeats import EXPECTED, with_repeats
from jobs.model.training.stage import Labelled

OWN = Features(("trait",))


def book(seed: int, loans: int, level: float, slope: float) -> Labelled:
    """Loans of which 7 % are no first ones; lateness by a trait and by a slope an application before."""
    dice = np.random.default_rng(seed)
    before = dice.choice([0.0, 1.0, 2.0], loans, p=[0.93, 0.065, 0.005])
    trait = dice.normal(size=loans)
    late = dice.random(loans) < 1 / (1 + np.exp(-(level + 0.5 * trait + slope * before)))
    frame = pd.DataFrame({"trait": trait, APPLIED_BEFORE: before})
    days = pd.Series([date(2026, 1, 1)] * loans)
    return Labelled(frame, late.astype(np.float64), np.ones(loans), days, np.zeros(loans, dtype=bool))


def slope_of(rows: Labelled) -> float:
    """Log-odds an application before adds in the model learned of the rows."""
    model = with_repeats(fit(rows.frame, OWN, rows.label, settings=LogisticSettings()), rows)
    told = model.log_odds(pd.DataFrame({"trait": [0.0] * 3, APPLIED_BEFORE: [0.0, 1.0, 2.0]}))
    assert np.diff(told)[0] == pytest.approx(np.diff(told)[1])
    return float(np.diff(told)[0])


def test_some_fifty_late_loans_hardly_move_the_slope() -> None:
    """A thin book whose repeats are late far more or less often by chance alone does not set the level of all."""
    found = [slope_of(book(seed, 18_000, -3.5, EXPECTED)) for seed in range(12)]
    assert np.std(found) < 0.03
    assert np.mean(found) == pytest.approx(EXPECTED, abs=0.03)


@pytest.mark.parametrize("slope", [-0.3, 0.5])
def test_a_thick_book_tells_its_own_slope(slope: float) -> None:
    """Where there are late loans enough, what is usual elsewhere does not matter."""
    assert slope_of(book(3, 600_000, -0.5, slope)) == pytest.approx(slope, abs=0.06)


def test_the_level_of_the_book_stays() -> None:
    """As many are told late as were."""
    rows = book(5, 20_000, -3.0, 0.4)
    model = with_repeats(fit(rows.frame, OWN, rows.label, settings=LogisticSettings()), rows)
    assert model.predict(rows.frame).mean() == pytest.approx(rows.label.mean(), rel=1e-6)


def test_points_tables_and_base_rates_stay_as_they_are() -> None:
    """A points table gives reasons for every input it has; a base rate has none."""
    rows = book(7, 5_000, -2.0, 0.4)
    table = fit(rows.frame, OWN, rows.label, settings=ScorecardSettings())
    rate = fit(rows.frame, Features(()), rows.label)
    assert with_repeats(table, rows) is table
    assert with_repeats(rate, rows) is rate


@pytest.mark.parametrize("learner", ["logistic", "boosted", "blend"])
def test_lateness_is_the_stage_that_is_told_so(learner: str) -> None:
    """The other credit stages read the count as any number."""
    rows = funnel_rows(1, 1200)
    fits = {one.stage: one.model for one in fit_funnel(rows.assigned, rows.decided, rows.asked, funnel_conf(learner))}
    late, approve = fits["late"], fits["approve"]
    assert late is not None
    assert approve is not None
    assert len(late.members) == len(approve.members) + 1
    assert APPLIED_BEFORE in late.features.names
    assert APPLIED_BEFORE in approve.features.names
