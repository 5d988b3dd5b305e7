"""Calibration and the worth of inputs on planted truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from jobs.model.learners import Features, FittedModel, LogisticSettings, calibrate, correct_prior, fit, permutation_loss
from jobs.model.learners.calibration import Line, Steps

FEATURES = Features(("x", "noise"), ("kind",))


def planted(rows: int, seed: int, shift: float = 0.0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"x": rng.normal(size=rows), "noise": rng.normal(size=rows), "kind": rng.choice(["u", "v"], rows)}
    )
    truth = expit(-1 + 1.5 * frame["x"].to_numpy() + shift)
    return frame, (rng.random(rows) < truth).astype(int), truth


@pytest.fixture(scope="module")
def model() -> FittedModel:
    frame, label, _ = planted(4000, 1)
    return fit(frame, FEATURES, label, settings=LogisticSettings())


@pytest.mark.parametrize(("rows", "kind"), [(1500, Line), (9000, Steps)])
def test_calibration_moves_a_shifted_world_onto_what_was_observed(model: FittedModel, rows: int, kind: type) -> None:
    held, label, _ = planted(rows, 2, shift=-1.2)
    test, _, truth = planted(5000, 3, shift=-1.2)
    calibrated = calibrate(model, held, label)
    assert isinstance(calibrated.adjust[-1], kind)
    error = lambda m: float(np.abs(m.predict(test) - truth).mean())  # noqa: E731
    assert error(calibrated) < 0.4 * error(model)
    order = np.argsort(model.predict(test))
    assert (np.diff(calibrated.predict(test)[order]) >= -1e-12).all()


def test_one_class_or_no_rows_break_no_calibration(model: FittedModel) -> None:
    frame, _, _ = planted(200, 4)
    assert calibrate(model, frame[:0], []) is model
    low = calibrate(model, frame, np.zeros(200)).predict(frame)
    assert 0 < low.mean() < 0.01


def test_prior_correction_undoes_sampling_down() -> None:
    frame, label, truth = planted(20_000, 5)
    keep = (label == 1) | (np.random.default_rng(0).random(20_000) < 0.2)
    sampled = fit(frame[keep], FEATURES, label[keep], settings=LogisticSettings())
    corrected = correct_prior(sampled, label[keep].mean(), label.mean())
    assert abs(corrected.predict(frame).mean() - label.mean()) < 0.01
    assert np.abs(corrected.predict(frame) - truth).mean() < 0.02
    shift = corrected.log_odds(frame) - sampled.log_odds(frame)
    assert shift == pytest.approx(np.full(20_000, logit(label.mean()) - logit(label[keep].mean())))
    with pytest.raises(ValueError, match="strictly between"):
        correct_prior(sampled, 0.0, 0.5)


def test_the_input_that_matters_is_worth_most_and_noise_nothing(model: FittedModel) -> None:
    frame, label, _ = planted(4000, 6)
    worth = permutation_loss(model, frame, label, seed=1)
    by_name = {w.feature: w.loss for w in worth}
    assert worth[0].feature == "x"
    assert by_name["x"].lo > 0.1
    assert by_name["noise"].hi < 0.01
    assert by_name["kind"].hi < 0.01
    assert permutation_loss(model, frame, label, seed=1) == worth


def test_a_model_that_knows_only_the_base_rate_has_no_worth() -> None:
    frame, _, _ = planted(50, 7)
    constant = fit(frame, FEATURES, np.zeros(50))
    worth = permutation_loss(constant, frame, np.zeros(50), seed=0)
    assert [w.loss.value for w in worth] == [0.0, 0.0, 0.0]
    assert np.isnan(worth[0].loss.lo)
