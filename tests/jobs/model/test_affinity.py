"""LightFM's embeddings find planted tastes, also of creatives never shown, and are served as they were fitted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.model.affinity.encoder import Encoder
from jobs.model.affinity.factors import Affinity
from jobs.model.affinity.fit import fit_affinity
from jobs.model.learners import Features
from jobs.runtime.conf import TrainingConf

FEATURES = Features(("income",), ("taste",))
TRAINING = TrainingConf(affinity_components=6, affinity_epochs=15)
TOPICS = ("news", "sport")


def shown() -> pd.DataFrame:
    """Six creatives of two topics on one channel; the last two are never shown to anybody."""
    told = [(f"c{i}", "feed", "p", "f", f'{{"topic": "{TOPICS[i % 2]}"}}') for i in range(6)]
    return pd.DataFrame(told, columns=["creative", "channel", "placement", "format", "features"])


def pairs() -> pd.DataFrame:
    """Who likes news clicks on news, who likes sport on sport; income is of no account."""
    rng = np.random.default_rng(3)
    rows = []
    for i in range(4000):
        taste, creative = TOPICS[i % 2], int(rng.integers(4))
        likes = TOPICS[creative % 2] == taste
        clicked = rng.random() < (0.6 if likes else 0.1)
        rows.append((f"p{i:04d}", f"c{creative}", "feed", int(clicked), 1, float(rng.normal()), taste))
    names = ["prospect_key", "creative", "channel", "clicks", "exposures", "income", "taste"]
    return pd.DataFrame(rows, columns=names)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return fit_affinity(pairs(), shown(), FEATURES, {"topic": "categorical"}, TRAINING)


def test_the_liked_topic_ranks_first_also_among_creatives_never_shown(table: pd.DataFrame) -> None:
    model = Affinity.from_rows(table)
    assert model is not None
    people = model.people(pd.DataFrame({"income": [0.0, 0.0], "taste": ["news", "sport"]}))
    names, scores = model.scores(people, "feed")
    at = {name: place for place, name in enumerate(names)}
    for known, other in (("c0", "c1"), ("c2", "c3"), ("c4", "c5")):
        assert scores[0, at[known]] > scores[0, at[other]] + 0.05
        assert scores[1, at[known]] < scores[1, at[other]] - 0.05
    assert np.isnan(model.best(people, "elsewhere")).all()


def test_a_second_fit_gives_the_same_rows_and_no_identity_is_learned(table: pd.DataFrame) -> None:
    again = fit_affinity(pairs(), shown(), FEATURES, {"topic": "categorical"}, TRAINING)
    pd.testing.assert_frame_equal(table, again)
    assert not any("p0" in name for name in table["name"])


def test_nothing_clicked_means_nothing_learned() -> None:
    silent = pairs().assign(clicks=0)
    assert fit_affinity(silent, shown(), FEATURES, {}, TRAINING).empty
    assert Affinity.from_rows(fit_affinity(silent, shown(), FEATURES, {}, TRAINING)) is None


values = st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(float("nan")))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(values, st.sampled_from(["news", "sport", "x", None])), min_size=1, max_size=40))
def test_a_score_does_not_depend_on_its_batch(table: pd.DataFrame, told: list[tuple[float | None, str | None]]) -> None:
    model = Affinity.from_rows(table)
    assert model is not None
    frame = pd.DataFrame(told, columns=["income", "taste"]).astype({"income": float})
    whole = model.best(model.people(frame), "feed")
    alone = [model.best(model.people(frame.iloc[[at]]), "feed")[0] for at in range(len(frame))]
    assert whole.tolist() == alone
    assert Encoder.from_json(model.encoder.to_json()) == model.encoder
