"""Metrics against small vectors worked by hand, scikit-learn, and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from jobs.model.learners.metrics import Interval, auc, bootstrap, cut_at, interval, log_loss, metric

pairs = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40)


@given(pairs)
def test_auc_is_scikit_learns(rows: list[tuple[bool, int]]) -> None:
    y, s = zip(*rows, strict=True)
    assume(0 < sum(y) < len(y))
    assert auc(y, s) == pytest.approx(roc_auc_score(y, s))
    assert auc(y, -np.array(s)) == pytest.approx(1 - auc(y, s))


@pytest.mark.parametrize(
    ("label", "score", "share", "cut"),
    [
        ([1, 0, 0, 0], [4, 3, 2, 1], 1.0, 0.75),  # one of four contacted reaches all
        ([0, 0, 0, 1], [4, 3, 2, 1], 1.0, 0.0),
        ([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], list(range(10, 0, -1)), 0.5, 0.8),  # one of ten for half: 1 - 0.1 / 0.5
        ([1] * 7 + [0] * 3 + [1] * 3 + [0] * 87, list(range(100, 0, -1)), 0.7, 0.9),  # 7 of 100 for 0.7
        ([1, 0, 0], [1, 1, 1], 1.0, 1 - 2 / 3),  # all equal: the one positive is expected at place 2 of 3
    ],
)
def test_contacts_saved_by_hand(label: list[int], score: list[int], share: float, cut: float) -> None:
    assert cut_at(label, score, share) == pytest.approx(cut)


@given(pairs, st.sampled_from([0.5, 0.7, 0.9, 1.0]), st.integers(0, 1000))
def test_equal_scores_count_as_the_mean_over_random_orders(
    rows: list[tuple[bool, int]], share: float, seed: int
) -> None:
    y, s = np.array([r[0] for r in rows], dtype=float), np.array([r[1] % 3 for r in rows], dtype=float)
    assume(y.sum() > 0)
    rng = np.random.default_rng(seed)
    drawn = [cut_at(y, s + 0.5 * rng.random(y.size), share) for _ in range(200)]
    assert abs(np.mean(drawn) - cut_at(y, s, share)) < 5 * np.std(drawn) / np.sqrt(200) + 1e-9


def test_what_is_not_defined_is_nan() -> None:
    assert np.isnan(
        [auc([], []), auc([1, 1], [1, 2]), cut_at([0, 0], [1, 2], 0.5), cut_at([], [], 0.5), log_loss([], [])]
    ).all()


def test_log_loss_by_hand() -> None:
    assert log_loss([1, 0], [0.5, 0.75]) == pytest.approx((np.log(2) + np.log(4)) / 2)
    assert log_loss([1, 0], [0.5, 0.75], [3, 1]) == pytest.approx((3 * np.log(2) + np.log(4)) / 4)
    assert log_loss([1], [0.0]) < 40


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="score is NaN"):
        auc([0, 1], [np.nan, 1.0])
    with pytest.raises(ValueError, match="gini"):
        metric("gini")


def test_bootstrap_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    truth = 0.7602  # P(N(1,1) > N(0,1)) = Phi(1 / sqrt 2)
    held = 0
    for world in range(100):
        y = rng.random(400) < 0.3
        s = rng.normal(size=400) + y
        found = interval(bootstrap(y, {"s": s}, ["auc"], seed=world, replicates=300)["s"]["auc"])
        held += found.lo <= truth <= found.hi
    assert 87 <= held <= 100  # exact binomial bounds at 0.1 % for 95 of 100, upper end open


def test_a_score_against_itself_differs_by_nothing_and_pairs_beat_separate_samples() -> None:
    rng = np.random.default_rng(1)
    y = rng.random(2000) < 0.1
    s = rng.normal(size=2000) + y
    draws = bootstrap(y, {"a": s, "b": s * 3 + 1, "c": s + 0.1 * rng.normal(size=2000)}, ["auc", "cut_at_70"], 5, 200)
    assert interval(draws["a"]["auc"] - draws["b"]["auc"]) == Interval(0.0, 0.0, 0.0)
    assert np.std(draws["a"]["auc"] - draws["c"]["auc"]) < 0.3 * np.std(draws["a"]["auc"])
    assert draws["a"]["cut_at_70"][0] == pytest.approx(cut_at(y, s, 0.7))
