"""The affinity model finds planted tastes, wear and popularity, also of creatives and people never met."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.model.affinity.encoder import Encoder
from jobs.model.affinity.factors import Affinity
from jobs.model.affinity.fit import fit_affinity
from jobs.model.affinity.popularity import popularity
from jobs.model.affinity.slopes import slope, surely
from jobs.model.learners import Features
from jobs.runtime.settings import TrainingConf

FEATURES = Features(("income",), ("taste",))
KINDS = {"topic": "categorical"}
TRAINING = TrainingConf()
TOPICS = ("news", "sport")
LIKES = 0.5  # log of clicks gained where topic and taste meet, lost where they do not
BEGAN = date(2025, 1, 1)
DAY = date(2026, 1, 1)


def shown() -> pd.DataFrame:
    """Twelve creatives of two topics on one channel, a month between each and the next; the last four never shown."""
    told = [
        (f"c{i:02d}", "feed", "p", "f", BEGAN + timedelta(days=30 * i), f'{{"topic": "{TOPICS[i % 2]}"}}')
        for i in range(12)
    ]
    return pd.DataFrame(told, columns=["creative", "channel", "placement", "format", "first_day", "features"])


def exposed(likes: float = LIKES, wear: float = 0.0, seed: int = 3, rows: int = 12_000) -> pd.DataFrame:
    """Who likes news clicks on news; the well-paid click five times as much on anything, as `expected` knows."""
    rng = np.random.default_rng(seed)
    creative, taste, is_rich = rng.integers(0, 8, rows), rng.integers(0, 2, rows), rng.integers(0, 2, rows)
    days = rng.integers(240, 360, rows)
    expected = np.where(is_rich == 1, 1.0, 0.2)
    age = (days - 30 * creative) / 30.4375
    meets = np.where(creative % 2 == taste, likes, -likes)
    clicks = rng.poisson(expected * np.exp(meets + wear * age))
    return pd.DataFrame(
        {
            "prospect_key": [f"p{i:05d}" for i in range(rows)],
            "creative": [f"c{c:02d}" for c in creative],
            "channel": "feed",
            "clicks": clicks,
            "seen_day": [BEGAN + timedelta(days=int(d)) for d in days],
            "is_held": np.arange(rows) % 5 == 0,
            "income": is_rich + rng.normal(size=rows) / 10,
            "taste": [TOPICS[t] for t in taste],
            "expected": expected,
        }
    )


def fitted(rows: pd.DataFrame) -> pd.DataFrame:
    return fit_affinity(rows, rows["expected"].to_numpy(), shown(), FEATURES, KINDS, TRAINING)


def model_of(rows: pd.DataFrame) -> Affinity:
    model = Affinity.from_rows(fitted(rows))
    assert model is not None
    return model


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return fitted(exposed())


@pytest.fixture(scope="module")
def model(table: pd.DataFrame) -> Affinity:
    found = Affinity.from_rows(table)
    assert found is not None
    return found


def test_factors_are_those_planted_also_of_creatives_never_shown(model: Affinity) -> None:
    people = model.people(pd.DataFrame({"income": [0.0, 1.0], "taste": ["news", "sport"]}))
    names, scores = model.scores(people, "feed")
    assert names == [f"c{i:02d}" for i in range(12)]
    for first in range(0, 12, 2):  # news, then sport
        gap = scores[:, first] - scores[:, first + 1]
        low, high = (1.5, 2.5) if first < 8 else (0.7, 3.0)
        assert low * LIKES < gap[0] < high * LIKES, first
        assert -high * LIKES < gap[1] < -low * LIKES, first


def test_who_clicks_anyway_is_not_taken_for_taste(model: Affinity) -> None:
    rich, poor = (model.people(pd.DataFrame({"income": [i], "taste": ["news"]})) for i in (1.1, -0.1))
    gaps = [np.ptp(model.scores(one, "feed")[1]) for one in (rich, poor)]
    assert gaps[0] == pytest.approx(gaps[1], rel=0.3)


def test_without_tastes_nobody_is_said_to_have_any() -> None:
    found = fitted(exposed(likes=0.0))
    told = found.set_index("kind")["bias"]
    assert told["trust"] <= 0.3
    model = Affinity.from_rows(found)
    assert model is not None
    people = model.people(pd.DataFrame({"income": [0.0, 1.0], "taste": ["news", "sport"]}))
    assert np.abs(model.scores(people, "feed")[1]).max() < 0.15


def test_wear_is_found_and_an_older_creative_told_as_more_worn() -> None:
    model = model_of(exposed(wear=-0.1))
    assert model.wear == pytest.approx(-0.1, abs=0.03)
    running = {f"c{i:02d}@feed": BEGAN + timedelta(days=30 * i) for i in (0, 8)}
    serving = model.serving({**running, "elsewhere@feed": DAY}, DAY)
    names, scores = serving.scores(serving.people(pd.DataFrame({"income": [0.0], "taste": ["news"]})), "feed")
    assert names == ["c00", "c08"]
    assert scores[0, 1] > scores[0, 0] + 0.4  # eight months younger
    assert abs(model_of(exposed()).wear) < 0.02


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(-1.5, 1.5))
def test_a_slope_is_that_planted_whatever_the_levels_of_groups(seed: int, planted: float) -> None:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 6, 3000)
    x = rng.normal(size=3000) + group
    expected = np.exp(rng.normal(size=3000) / 2)
    clicks = rng.poisson(expected * np.exp(planted * (x - group) + rng.normal(size=6)[group])).astype(float)
    found, error = slope(clicks, expected, x, group)
    assert abs(found - planted) < 5 * error + 1e-9
    assert abs(surely(found, error)) <= abs(found)


def test_a_slope_nothing_tells_of_is_none() -> None:
    assert slope(np.ones(4), np.ones(4), np.ones(4), np.zeros(4, dtype=np.int64)) == (0.0, float("inf"))
    assert surely(*slope(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64))) == 0.0
    assert surely(0.1, 0.2) == 0.0


def test_popularity_is_held_back_by_how_much_creatives_differ() -> None:
    rng = np.random.default_rng(5)
    creative = np.repeat(np.arange(40), 200)
    truth = 0.4 * rng.normal(size=40)
    expected = np.full(8000, 0.1)
    alike = popularity(rng.poisson(expected).astype(float), expected, creative, 41)
    assert np.abs(alike).max() < 0.15
    seen = rng.poisson(expected * np.exp(truth)[creative]).astype(float)
    told = popularity(seen, expected, creative, 41)
    assert told[40] == 0.0  # never shown
    raw = np.log(np.maximum(np.bincount(creative, seen), 1.0) / 20.0)
    assert np.square(told[:40] - truth).mean() < np.square(raw - truth).mean()


def test_a_second_fit_gives_the_same_rows_and_no_identity_is_learned(table: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(table, fitted(exposed()))
    assert not any("p0" in name for name in table["name"])


def test_nothing_clicked_means_nothing_learned() -> None:
    silent = exposed().assign(clicks=0)
    assert fitted(silent).empty
    assert Affinity.from_rows(fitted(silent)) is None


values = st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(float("nan")))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(values, st.sampled_from(["news", "sport", "x", None])), min_size=1, max_size=40))
def test_a_score_does_not_depend_on_its_batch(model: Affinity, told: list[tuple[float | None, str | None]]) -> None:
    frame = pd.DataFrame(told, columns=["income", "taste"]).astype({"income": float})
    whole = model.scores(model.people(frame), "feed")[1]
    alone = [model.scores(model.people(frame.iloc[[at]]), "feed")[1][0] for at in range(len(frame))]
    assert whole.tolist() == [one.tolist() for one in alone]
    assert Encoder.from_json(model.encoder.to_json()) == model.encoder
