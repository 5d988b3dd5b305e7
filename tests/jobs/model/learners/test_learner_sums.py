"""Prices of single clicks learned from invoices over several: planted slopes come back, totals are met."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.model.learners import Features
from jobs.model.learners.sums import FactorModel, Sums, design
from jobs.runtime.errors import DataRefused


def invoices(seed: int, units: int, each: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """Units with two features, the log of their price, the invoice each is on, and the invoices' totals."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"wealth": draw.normal(size=units), "town": draw.choice(["a", "b"], units)})
    log_price = 0.4 * frame["wealth"].to_numpy() + np.where(frame["town"] == "a", 0.3, 0.0)
    invoice = np.arange(units) // each
    paid = np.exp(log_price + 0.25 * draw.normal(size=units) - 0.03)
    return frame, log_price, invoice, np.bincount(invoice, weights=paid)


@pytest.mark.parametrize("each", [1, 4, 12])
def test_slopes_come_back_from_invoices_of_many_units(each: int) -> None:
    frame, log_price, invoice, total = invoices(3, 24_000, each)
    _, inputs = design(frame, Features(("wealth",), ("town",)), 20)
    ones = np.ones(len(frame))
    weights = Sums(inputs, ones[:, None], ones, invoice, total, np.zeros(len(frame))).fit().held
    found = inputs @ weights
    assert np.corrcoef(found, log_price)[0, 1] > 0.97
    assert np.polyfit(found, log_price, 1)[0] == pytest.approx(1.0, abs=0.12)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), level=st.floats(0.1, 30.0))
def test_what_is_free_meets_the_totals(seed: int, level: float) -> None:
    frame, _, invoice, total = invoices(seed, 900, 3)
    _, inputs = design(frame, Features(("wealth",), ("town",)), 20)
    ones = np.ones(len(frame))
    first = Sums(inputs, ones[:, None], ones, invoice, total, np.zeros(len(frame))).fit()
    # the same invoices in another unit of money: the same people are dear
    other = Sums(inputs, ones[:, None], ones, invoice, total * level, np.full(len(frame), np.log(level))).fit()
    assert np.allclose(inputs @ first.held, inputs @ other.held, atol=1e-4)
    assert np.allclose(first.free, other.free, atol=1e-4)
    # a free constant makes what is expected add up to what was billed
    expected = np.exp(inputs @ first.held + first.free).sum()
    assert expected == pytest.approx(total.sum(), rel=1e-4)


def test_prices_that_do_not_differ_are_learned_as_flat() -> None:
    frame, _, invoice, _ = invoices(5, 6000, 3)
    _, inputs = design(frame, Features(("wealth",), ("town",)), 20)
    total = np.random.default_rng(0).poisson(30, invoice.max() + 1) / 10.0
    ones = np.ones(len(frame))
    found = inputs @ Sums(inputs, ones[:, None], ones, invoice, total, np.zeros(len(frame))).fit().held
    assert np.std(found) < 0.03


def test_what_is_owed_to_something_else_is_left_out() -> None:
    draw = np.random.default_rng(8)
    units = 60_000
    frame = pd.DataFrame({"wealth": draw.normal(size=units), "town": "a"})
    rate, asked_anyway = 0.02 * np.exp(0.6 * frame["wealth"].to_numpy()), np.full(units, 0.03)
    came = (draw.random(units) < rate + asked_anyway).astype(np.float64)
    _, inputs = design(frame, Features(("wealth",)), 20)
    ones = np.ones(units)
    found = Sums(inputs, ones[:, None], ones, np.arange(units), came, np.zeros(units), base=asked_anyway).fit()
    log_rate = inputs @ found.held
    assert np.polyfit(frame["wealth"], log_rate, 1)[0] == pytest.approx(0.6, abs=0.1)
    assert np.exp(log_rate + found.free).mean() == pytest.approx(rate.mean(), rel=0.1)


def test_the_variance_left_is_how_far_fits_of_fresh_rows_scatter() -> None:
    draw = np.random.default_rng(2)
    found = []
    for _ in range(60):
        inputs = draw.normal(size=(1500, 2))
        count = draw.poisson(np.exp(-1.0 + 0.3 * inputs[:, 0])).astype(np.float64)
        ones = np.ones(1500)
        found.append(Sums(inputs, ones[:, None], ones, np.arange(1500), count, 0.0 * ones).fit(1e-6))
    told = np.sqrt(np.mean([fit.variance for fit in found], axis=0))
    seen = np.std([fit.held for fit in found], axis=0)
    assert np.allclose(told, seen, rtol=0.3)
    one = found[0].variance
    assert (Sums(inputs, ones[:, None], ones, np.arange(1500), count, 0.0 * ones).fit(1e4).variance < one).all()


def test_a_model_of_factors_travels_and_is_bounded() -> None:
    frame, _, _, _ = invoices(1, 50, 1)
    bare, inputs = design(frame, Features(("wealth",), ("town",)), 2)
    model = FactorModel(type(bare)(bare.bends, bare.tables, np.full(inputs.shape[1], 9.0), 0.0))
    assert model.factor(frame).max() == pytest.approx(np.exp(3.0))
    assert np.array_equal(FactorModel.from_bytes(model.to_bytes()).factor(frame), model.factor(frame))
    with pytest.raises(DataRefused):
        FactorModel.from_bytes(b"not a model")
