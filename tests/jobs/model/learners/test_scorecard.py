"""A scorecard: points one can add by hand, that run one way, and say nothing where the data say nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.model.learners import Features, FittedModel, LogisticSettings, ScorecardSettings, calibrate, fit
from jobs.model.learners.bins import evidence, monotone
from jobs.model.learners.metrics import auc, log_loss
from jobs.model.learners.reasons import points_table, reasons
from jobs.model.learners.scorecard import DOUBLE, ScorecardModel

X = Features(("x", "noise"), ("city",))


def planted(rows: int, seed: int, level: float = -1.0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Log-odds fall with x and are doubled in city a; nulls in both; `noise` says nothing."""
    rng = np.random.default_rng(seed)
    x, city = rng.normal(size=rows), rng.choice(["a", "b", "c"], rows)
    z = level - 1.2 * x + np.where(city == "a", np.log(2), 0.0)
    label = (rng.random(rows) < 1 / (1 + np.exp(-z))).astype(int)
    frame = pd.DataFrame({"x": x, "noise": rng.normal(size=rows), "city": city})
    frame.loc[rng.random(rows) < 0.05, "x"] = np.nan
    frame.loc[rng.random(rows) < 0.05, "city"] = None
    return frame, label, z


def card_of(model: FittedModel) -> ScorecardModel:
    assert model.card is not None
    return model.card


def test_planted_points_are_found_and_noise_has_none() -> None:
    frame, label, _ = planted(40_000, 1)
    card = card_of(fit(frame, X, label, settings=ScorecardSettings()))
    assert [c.name for c in card.cards] == ["x", "city"]
    city = dict(zip(card.cards[1].bins.labels, card.cards[1].points, strict=True))
    assert city["a"] - city["b"] == pytest.approx(DOUBLE, abs=12)  # the odds are double
    assert city["(other)"] == 0  # no such row was seen
    x = card.cards[0]
    assert (np.diff(x.points[:-1]) < 0).all()
    middle = np.interp(np.linspace(0.5, len(x.points) - 2.5, 5), range(len(x.points) - 1), x.points[:-1])
    assert middle[0] - middle[-1] == pytest.approx(2 * 1.6 * 1.2 * DOUBLE / np.log(2), rel=0.2)


def test_it_predicts_nearly_as_well_as_the_model_the_world_is_made_of() -> None:
    (frame, label, _), (test, truth, _) = planted(20_000, 2), planted(20_000, 3)
    own, line = (fit(frame, X, label, settings=s).predict(test) for s in (ScorecardSettings(), LogisticSettings()))
    assert auc(truth, own) > auc(truth, line) - 0.005
    assert log_loss(truth, own) < log_loss(truth, line) + 0.005
    assert own.mean() == pytest.approx(truth.mean(), abs=0.01)


def test_golden_points() -> None:
    """Odds of 1 and of 1/4 are two doublings apart: 200 points, whatever else."""
    frame = pd.DataFrame({"city": ["a"] * 50_000 + ["b"] * 50_000})
    label = np.r_[np.repeat([0, 1], 25_000), np.repeat([0, 1], [40_000, 10_000])]
    card = card_of(fit(frame, Features((), ("city",)), label, settings=ScorecardSettings()))
    assert card.cards[0].bins.labels == ["a", "b", "(null)", "(other)"]
    assert card.cards[0].points.tolist() == [89, -111, 0, 0]
    assert card.cards[0].rates[:2].tolist() == [0.5, 0.2]
    assert evidence(np.array([0.0]), np.array([0.0]), 0.35).tolist() == [0.0]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=12).filter(
        lambda bins: sum(k for k, _ in bins) > 0 and sum(m for _, m in bins) > 0
    ),
    st.sampled_from(["rising", "falling", None]),
)
def test_pooled_bins_run_one_way(bins: list[tuple[int, int]], direction: str | None) -> None:
    events = np.array([k for k, _ in bins], dtype=float)
    rows = np.array([k + m for k, m in bins], dtype=float)
    base = events.sum() / rows.sum()
    cuts = monotone(rows, events, base, direction)
    starts = [0, *[cut + 1 for cut in cuts]]
    told = evidence(np.add.reduceat(rows, starts), np.add.reduceat(events, starts), base)
    steps = np.diff(told[np.add.reduceat(rows, starts) > 0])
    assert (steps >= 0).all() or (steps <= 0).all()
    if direction is not None:
        assert (steps >= 0).all() if direction == "rising" else (steps <= 0).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["rising", "falling", None]), st.floats(-4, 1))
def test_more_of_a_number_never_moves_the_score_both_ways(seed: int, direction: str | None, level: float) -> None:
    frame, label, _ = planted(600, seed, level)
    chosen = ScorecardSettings(directions={"x": direction} if direction else {}, min_events=3)
    model = calibrate(fit(frame, X, label, settings=chosen), frame, label)
    line = pd.DataFrame({"x": np.linspace(-9, 9, 400), "noise": 0.0, "city": "a"})
    steps = np.diff(model.predict(line))
    assert (steps >= 0).all() or (steps <= 0).all()
    if direction == "rising":
        assert (steps >= 0).all()


def test_null_and_unseen_have_points_of_their_own() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=20_000)
    hidden = rng.random(20_000) < 0.2
    chance = np.where(hidden, 0.6, 0.2)  # who hides it is worse than any who tells
    frame = pd.DataFrame({"x": np.where(hidden, np.nan, x), "city": np.where(hidden, None, "a")})
    label = (rng.random(20_000) < chance).astype(int)
    model = fit(frame, Features(("x",), ("city",)), label, settings=ScorecardSettings())
    rows = pd.DataFrame({"x": [0.0, np.nan, np.inf, 0.0], "city": ["a", None, None, "never seen"]})
    told, null, infinite, unseen = model.predict(rows)
    assert told == pytest.approx(0.2, abs=0.02)
    assert null == infinite
    assert null == pytest.approx(0.6, abs=0.02)
    assert told <= unseen < null


def test_a_sampled_row_that_stands_for_many_is_one_row_of_evidence() -> None:
    frame, label, _ = planted(3000, 6)
    one, many = (fit(frame, X, label, w, ScorecardSettings()) for w in (np.ones(3000), np.full(3000, 50.0)))
    assert one.predict(frame) == pytest.approx(many.predict(frame), abs=1e-9)
    assert fit(frame, X, label, np.where(label == 1, 0.0, 1.0), ScorecardSettings()).card is None


def test_shuffled_labels_are_left_without_points() -> None:
    empty = 0
    for seed in range(20):
        frame, label, _ = planted(2000, seed)
        label = np.random.default_rng(seed).permutation(label)
        card = fit(frame, X, label, settings=ScorecardSettings()).card
        empty += card is None
    assert empty >= 15  # three inputs, each passing by chance once in a hundred times or a little more


def test_reasons_name_what_costs_the_most_points() -> None:
    frame, label, _ = planted(20_000, 7)
    card = card_of(fit(frame, X, label, settings=ScorecardSettings()))
    bad = pd.DataFrame({"x": [2.5], "noise": [0.0], "city": ["b"]})
    found = reasons(card, bad, is_event_good=True)
    assert [r.feature for r in found] == ["x", "city"]
    assert found[0].short > found[1].short > 0
    assert found[0].short == pytest.approx(card.cards[0].mean - found[0].points)
    assert reasons(card, pd.DataFrame({"x": [-2.5], "noise": [0.0], "city": ["a"]}), is_event_good=True) == []
    as_risk = reasons(card, pd.DataFrame({"x": [-2.5], "noise": [0.0], "city": ["a"]}), is_event_good=False)
    assert [r.feature for r in as_risk] == ["x", "city"]
    assert len(reasons(card, bad, is_event_good=True, most=1)) == 1


def test_the_printed_table_adds_up_to_the_prediction() -> None:
    frame, label, _ = planted(5000, 8)
    model = fit(frame, X, label, settings=ScorecardSettings())
    card = card_of(model)
    told = {(row["feature"], row["bin"]): row["points"] for row in points_table(card)}
    total = sum(told[(c.name, c.bins.labels[int(c.bins.codes(frame[c.name])[17])])] for c in card.cards)
    odds = np.exp(card.base_log_odds) * 2 ** (total / DOUBLE)
    assert model.predict(frame)[17] == pytest.approx(odds / (1 + odds), rel=1e-12)
    rows = pd.DataFrame(points_table(card))
    assert rows.groupby("feature")["rows"].sum().to_numpy() == pytest.approx([5000, 5000], abs=1)


def test_a_direction_of_no_number_is_refused() -> None:
    frame, label, _ = planted(500, 9)
    with pytest.raises(ValueError, match="directions: city are no numeric inputs"):
        fit(frame, X, label, settings=ScorecardSettings(directions={"city": "rising"}))
