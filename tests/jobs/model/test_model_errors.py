"""How far models may be off, told by models of half the people: as wide as fits of fresh people truly scatter."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from funnel_rows import FunnelRows, funnel_conf, funnel_rows

from jobs.model.training.errors import LATE_TIMES, TOP, model_errors
from jobs.model.training.fits import Fits
from jobs.model.training.funnel import fit_funnel
from jobs.model.training.stage import Fitted
from jobs.model.training.times import USUAL_SPREAD
from jobs.runtime.conf import Conf

SEEDS = range(5)
DAY = date(2026, 6, 1)
NO_BILLS = pd.DataFrame(columns=["channel", "invoice", "touch_id", "cost", "units", "seen", "listed", "on_day"])


@pytest.fixture(scope="module")
def conf() -> Conf:
    found = funnel_conf("logistic")
    training = found.base.training.model_copy(update={"halvings": 2})
    return found.model_copy(update={"base": found.base.model_copy(update={"training": training})})


def fitted(rows: FunnelRows, conf: Conf) -> list[Fitted]:
    return fit_funnel(rows.assigned, rows.decided, rows.asked, conf)


@pytest.fixture(scope="module")
def few(conf: Conf) -> tuple[FunnelRows, list[Fitted]]:
    rows = funnel_rows(1, 1500)
    return rows, fitted(rows, conf)


def errors(rows: FunnelRows, fits: list[Fitted], conf: Conf) -> pd.Series:
    """Relative standard errors by measure and channel."""
    found = model_errors(fits, rows.assigned, rows.decided, NO_BILLS, {}, DAY, conf)
    return found.assign(square=found["log_ratio"] ** 2).groupby(["measure", "channel"])["square"].mean().pow(0.5) / 2


def good(fits: list[Fitted], people: pd.DataFrame, channel: str) -> np.ndarray:
    """Good customers each is expected to bring."""
    whole = Fits()
    whole.all += fits
    funnel, told = whole.funnel(), people.assign(channel=channel)
    organic = funnel.organic(people)
    added = funnel.p_apply(funnel.added(told, organic, channel), organic, channel) - organic
    late, fraud = funnel.credit("late", people), funnel.credit("fraud", people)
    return added * funnel.credit("approve", people) * funnel.credit("fund", people) * funnel.p_good(late, fraud)


def test_halves_differ_as_much_as_fits_of_fresh_people_scatter(conf: Conf) -> None:
    people = funnel_rows(100, 3000).assigned
    told, sums = [], []
    for seed in SEEDS:
        rows = funnel_rows(seed, 2000)
        fits = fitted(rows, conf)
        told.append(errors(rows, fits, conf))
        if seed == 0:
            value = good(fits, people, "sms")
            best = value >= np.quantile(value, 1 - TOP)
        sums.append(np.log(good(fits, people, "sms")[best].sum()))
    scatter, said = float(np.std(sums, ddof=1)), float(np.mean([one[("good", "sms")] for one in told]))
    assert 0.02 < scatter < 0.5
    assert 0.5 < said / scatter < 2.0, (said, scatter)


def test_more_people_tell_more(conf: Conf, few: tuple[FunnelRows, list[Fitted]]) -> None:
    rows = funnel_rows(3, 9000)
    less, more = errors(*few, conf), errors(rows, fitted(rows, conf), conf)
    assert more[("good", "feed_a")] < 0.7 * less[("good", "feed_a")]
    assert more[("late", "*")] < less[("late", "*")]
    assert 0 < more[("times_late", "*")] * 2 < USUAL_SPREAD, "quarters of these rows are alike"


def test_nothing_is_told_where_no_wins_were_fitted_or_none_is_asked_for(
    conf: Conf, few: tuple[FunnelRows, list[Fitted]]
) -> None:
    rows, fits = few
    training = conf.base.training.model_copy(update={"halvings": 0})
    quiet = conf.model_copy(update={"base": conf.base.model_copy(update={"training": training})})
    assert model_errors(fits, rows.assigned, rows.decided, NO_BILLS, {}, DAY, quiet).empty
    nothing = [one for one in fits if one.stage != "wins"]
    assert model_errors(nothing, rows.assigned, rows.decided, NO_BILLS, {}, DAY, conf).empty


def test_the_same_people_are_halved_the_same_way(conf: Conf, few: tuple[FunnelRows, list[Fitted]]) -> None:
    rows, fits = few
    one, two = (model_errors(fits, rows.assigned, rows.decided, NO_BILLS, {}, DAY, conf) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert set(one["pair"]) == set(range(LATE_TIMES * conf.base.training.halvings))


def test_lateness_is_halved_in_more_ways_than_what_takes_longer_to_fit(
    conf: Conf, few: tuple[FunnelRows, list[Fitted]]
) -> None:
    rows, fits = few
    found = model_errors(fits, rows.assigned, rows.decided, NO_BILLS, {}, DAY, conf).set_index("measure")
    ways = conf.base.training.halvings
    assert sorted(found.loc[["late"], "pair"]) == list(range(LATE_TIMES * ways))
    assert found.loc[["late"], "log_ratio"].nunique() == LATE_TIMES * ways
    assert sorted(found[(found["channel"] == "sms").to_numpy()].loc["good", "pair"]) == list(range(ways))
