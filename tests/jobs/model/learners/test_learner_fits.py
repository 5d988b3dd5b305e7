"""Fitted models: the same bytes for the same inputs, one value a row whatever the batch, and no break on poor data."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.model.learners import (
    BlendSettings,
    BoostedSettings,
    Features,
    FittedModel,
    LogisticSettings,
    ScorecardSettings,
    Settings,
    calibrate,
    fit,
    pickled,
)
from jobs.model.learners.metrics import auc
from jobs.runtime.errors import DataRefused

FEATURES = Features(("income", "debt"), ("city", "job"))
SETTINGS = [
    BoostedSettings(trees=20, bags=2),
    LogisticSettings(),
    ScorecardSettings(),
    BlendSettings(boosted=BoostedSettings(trees=20)),
]


def planted(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """People whose label follows income and city, with nulls and rare levels; `job` and `debt` are noise."""
    rng = np.random.default_rng(seed)
    income = rng.lognormal(8, 1, rows)
    city = rng.choice(["a", "b", "c", *(f"rare{i}" for i in range(30))], rows, p=[0.4, 0.3, 0.27, *[0.001] * 30])
    z = -1.5 + 1.2 * (np.log(income) - 8) + np.where(city == "a", 1.0, -0.5)
    label = (rng.random(rows) < 1 / (1 + np.exp(-z))).astype(int)
    frame = pd.DataFrame(
        {"income": income, "debt": rng.normal(size=rows), "city": city, "job": rng.choice(["x", "y"], rows)}
    )
    frame.loc[rng.random(rows) < 0.05, "income"] = np.nan
    frame.loc[rng.random(rows) < 0.05, "city"] = None
    return frame, label


@pytest.fixture(scope="module")
def models() -> dict[str, FittedModel]:
    frame, label = planted(3000, 1)
    return {s.learner: fit(frame, FEATURES, label, settings=s, seed=3) for s in SETTINGS}


@pytest.mark.parametrize("kind", ["boosted", "logistic", "scorecard", "blend"])
def test_planted_signal_is_learned(models: dict[str, FittedModel], kind: str) -> None:
    frame, label = planted(4000, 2)
    assert auc(label, models[kind].predict(frame)) > 0.75
    assert abs(models[kind].predict(frame).mean() - label.mean()) < 0.04


BYTES_PROGRAM = """
import hashlib, sys
sys.path.insert(0, {here!r})
from test_learner_fits import FEATURES, SETTINGS, planted
from jobs.model.learners import fit
frame, label = planted(800, 5)
print([hashlib.sha256(fit(frame, FEATURES, label, settings=s, seed=9).to_bytes()).hexdigest() for s in SETTINGS])
"""


def test_same_inputs_and_seed_give_the_same_bytes_in_another_process() -> None:
    program = BYTES_PROGRAM.format(here=os.path.dirname(__file__))
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": threads},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed, threads in (("1", "1"), ("2", "2"))
    }
    assert len(outputs) == 1
    frame, label = planted(800, 5)
    one, other = (fit(frame, FEATURES, label, settings=SETTINGS[0], seed=s).to_bytes() for s in (9, 10))
    assert one != other, "the seed must matter, or the test above shows nothing"


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 300), max_size=6), start=st.integers(0, 10))
def test_a_row_scores_the_same_in_any_batch(models: dict[str, FittedModel], cuts: list[int], start: int) -> None:
    frame, _ = planted(300, 100 + start)
    edges = [0, *sorted(cuts), 300]
    for model in models.values():
        whole = model.predict(frame)
        parts = [model.predict(frame.iloc[a:b]) for a, b in pairwise(edges)]
        assert np.array_equal(whole, np.concatenate(parts))
        assert ((whole > 0) & (whole < 1)).all()


@pytest.mark.parametrize("kind", ["boosted", "logistic", "scorecard", "blend"])
def test_bytes_come_back_as_the_same_model(models: dict[str, FittedModel], kind: str) -> None:
    frame, label = planted(500, 7)
    model = calibrate(models[kind], frame, label)
    back = FittedModel.from_bytes(model.to_bytes())
    assert np.array_equal(back.predict(frame), model.predict(frame))
    assert back.to_bytes() == model.to_bytes()


def test_unknown_and_rare_levels_share_one_score(models: dict[str, FittedModel]) -> None:
    row = {"income": 3000.0, "debt": 0.0, "job": "x"}
    frame = pd.DataFrame([{**row, "city": c} for c in ("never seen", "rare3", "\ud83d", "")])
    for model in models.values():
        assert len(set(model.predict(frame))) == 1


def test_a_column_type_is_of_no_account(models: dict[str, FittedModel]) -> None:
    frame = pd.DataFrame({"income": [3000.0, np.nan], "debt": [1.0, 2.0], "city": ["a", None], "job": ["x", "y"]})
    other = pd.DataFrame(
        {
            "income": pd.Series([Decimal(3000), None], dtype=object),
            "debt": pd.Series([1, 2], dtype="Int64"),
            "city": pd.Series(["a", None], dtype="category"),
            "job": pd.Series(["x", "y"], dtype="string"),
        }
    )
    for model in models.values():
        assert np.array_equal(model.predict(frame), model.predict(other))


@pytest.mark.parametrize("choice", SETTINGS, ids=lambda s: s.learner)
@pytest.mark.parametrize(
    "damage",
    [
        {"income": np.nan},
        {"income": np.inf},
        {"income": 5.0},
        {"city": None},
        {"city": "one"},
        {"income": np.nan, "debt": np.nan, "city": None, "job": None},
    ],
    ids=["null", "infinite", "constant", "no level", "one level", "nothing at all"],
)
def test_an_empty_column_breaks_nothing(choice: Settings, damage: dict[str, object]) -> None:
    frame, label = planted(400, 8)
    model = fit(frame.assign(**damage), FEATURES, label, settings=choice)
    assert np.isfinite(model.predict(frame)).all()
    assert np.isfinite(model.predict(frame.assign(**damage))).all()


@pytest.mark.parametrize("choice", SETTINGS, ids=lambda s: s.learner)
@pytest.mark.parametrize("value", [0, 1])
def test_one_class_gives_the_smoothed_base_rate(choice: Settings, value: int) -> None:
    frame, _ = planted(99, 9)
    score = fit(frame, FEATURES, np.full(99, value), settings=choice).predict(frame)
    assert score == pytest.approx(np.full(99, (99 * value + 0.5) / 100))


def test_no_rows_give_one_half_and_no_rows_back() -> None:
    frame, _ = planted(10, 9)
    model = fit(frame[:0], FEATURES, [])
    assert model.predict(frame) == pytest.approx(np.full(10, 0.5))
    assert model.predict(frame[:0]).shape == (0,)


def test_weight_two_is_the_row_twice() -> None:
    frame, label = planted(600, 10)
    twice = np.r_[np.arange(600), np.flatnonzero(label)]
    choice = LogisticSettings(min_level=1, knots=0)
    # Ranks come from the rows, so the comparison is on categories only.
    features = Features((), ("city", "job"))
    weighted = fit(frame, features, label, weight=1.0 + label, settings=choice)
    repeated = fit(frame.iloc[twice], features, label[twice], settings=choice)
    assert weighted.predict(frame) == pytest.approx(repeated.predict(frame), abs=1e-4)


@pytest.mark.parametrize("label", [[0, 1, 2], [0, 1], [0, 1, np.nan]])
def test_a_label_that_is_none_is_refused(label: list[float]) -> None:
    frame, _ = planted(3, 1)
    with pytest.raises(ValueError, match="label: expected 3 values of 0 or 1"):
        fit(frame, FEATURES, label)


def test_a_missing_feature_is_named(models: dict[str, FittedModel]) -> None:
    frame, _ = planted(3, 1)
    with pytest.raises(KeyError, match="city, income"):
        models["logistic"].predict(frame.drop(columns=["city", "income"]))


class _Opens:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


@pytest.mark.parametrize("fault", ["cut", "flipped", "other version", "foreign code", "other thing", "no model"])
def test_bytes_that_are_no_model_are_refused(
    models: dict[str, FittedModel], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = models["logistic"].to_bytes()
    if fault == "cut":
        data = data[:-10]
    elif fault == "flipped":
        data = data[:-10] + bytes([data[-10] ^ 1]) + data[-9:]
    elif fault == "other version":
        monkeypatch.setattr(sklearn, "__version__", "0.1")
    elif fault == "foreign code":
        data = pickled.dump(_Opens())
        assert pickle.dumps(_Opens())
    elif fault == "other thing":
        data = pickled.dump(FEATURES)
    else:
        data = b"PAR1"
    with pytest.raises(DataRefused, match="model bytes"):
        FittedModel.from_bytes(data)
