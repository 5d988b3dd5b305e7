"""The information limit: planted expectations come back, from rows that hold what nobody can see."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from jobs.evaluate.limit import Expected, Lesson, expectations
from jobs.evaluate.network import learned
from jobs.evaluate.optimum import Hopes
from jobs.evaluate.seen import Seen
from jobs.model.learners import Features

PEOPLE, CHANNELS = 8_000, 2
FEATURES = Features(("known", "nothing"), ("place",))


def planted(seed: int, people: int = PEOPLE) -> tuple[Seen, Hopes, Hopes]:
    """People, their truth, and what of it can be expected: a hidden half of the logs is nobody's to know."""
    draw = np.random.default_rng(seed)
    known, hidden = draw.normal(size=people), draw.normal(size=people)
    place = draw.integers(0, 3, people)
    listed = draw.poisson(0.3, people)
    crowded = np.arange(people) % 300 == 0
    level = np.array([0.0, 0.5, -0.5])[place] + 0.6 * known + 0.5 * np.log1p(listed)
    slope = np.array([1.0, 0.5])
    good = 0.002 * np.exp(level[:, None] * slope)
    cost = 2.0 * np.exp(0.3 * known[:, None] * slope)
    late = 1.0 / (1.0 + np.exp(3.0 + 0.8 * known))
    seen = Seen(
        features=FEATURES,
        candidates=pd.DataFrame(
            {
                "known": np.where(draw.random(people) < 0.05, np.nan, np.exp(known)),
                "nothing": draw.normal(size=people),
                "place": pd.Categorical.from_codes(place, ["a", "b", "c"]),
            }
        ),
        is_open=pd.DataFrame(np.ones((people, CHANNELS), dtype=bool)),
        sent=pd.DataFrame(),
        decided=pd.DataFrame(),
        is_crowded=crowded,
        history=pd.DataFrame({"listed": listed.astype(float)}),
    )
    noise = np.exp(0.7 * hidden - 0.245)[:, None]
    fraud = np.where(crowded, 0.8, 0.0)
    own_late = np.where(crowded, 0.9, late)
    true_good = np.where(crowded[:, None], 0.1, 1.0) * good * noise
    return seen, Hopes(cost * noise, true_good, own_late, fraud), Hopes(cost, good, late, fraud)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Networks of half as many steps, in this process: starting others takes longer than such fits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.evaluate.network.STEPS", 1_000)
        patch.setattr("jobs.evaluate.limit.learned_all", lambda lessons: [learned(*lesson) for lesson in lessons])
        yield


@pytest.fixture(scope="module")
def told() -> tuple[Seen, Hopes, Hopes, Expected]:
    seen, truth, hoped = planted(1)
    more = planted(2)
    return (
        seen,
        truth,
        hoped,
        expectations(seen, truth, Lesson(more[0].candidates, more[1].cost, more[1].good, more[1].late)),
    )


def test_what_can_be_expected_comes_back_and_what_is_hidden_does_not(told: tuple[Seen, Hopes, Hopes, Expected]) -> None:
    seen, truth, hoped, found = told
    plain = ~seen.is_crowded & seen.candidates["known"].notna().to_numpy()
    for name in ("cost", "good"):
        mine, planned, real = (np.log(np.maximum(getattr(h, name), 1e-9))[plain] for h in (found.best, hoped, truth))
        for k in range(CHANNELS):
            assert np.corrcoef(mine[:, k], planned[:, k])[0, 1] > 0.95
            assert np.std(mine[:, k] - planned[:, k]) < 0.2
            # The hidden part is not in it: beyond what can be expected it goes with nothing that is true.
            rest = mine[:, k] - planned[:, k]
            assert abs(np.corrcoef(rest, real[:, k] - planned[:, k])[0, 1]) < 0.05
    assert np.corrcoef(found.best.late[plain], hoped.late[plain])[0, 1] > 0.95
    assert found.best.late[plain].mean() == pytest.approx(hoped.late[plain].mean(), rel=0.1)


def test_whom_shared_identities_give_away_is_told_by_such_people(told: tuple[Seen, Hopes, Hopes, Expected]) -> None:
    seen, truth, _, found = told
    crowd = seen.is_crowded
    assert found.best.fraud[crowd] == pytest.approx(0.8)
    assert not found.best.fraud[~crowd].any()
    assert found.best.late[crowd] == pytest.approx(0.9)
    assert found.best.good[crowd].sum() == pytest.approx(truth.good[crowd].sum())


def test_half_the_rows_tell_less(told: tuple[Seen, Hopes, Hopes, Expected]) -> None:
    seen, _, hoped, found = told
    plain = ~seen.is_crowded & seen.candidates["known"].notna().to_numpy()
    off = [np.square(h.good - hoped.good)[plain].sum() for h in (found.best, found.rough)]
    assert off[0] < 0.95 * off[1]


def test_a_market_without_further_people_and_people_an_ad_annoys() -> None:
    seen, truth, _ = planted(3, 1_500)
    annoyed = (seen.candidates["place"] == "c").to_numpy()
    sign = np.where(annoyed, -1.0, 1.0)[:, None]
    found = expectations(seen, Hopes(truth.cost, sign * truth.good, truth.late, truth.fraud), None)
    plain = ~seen.is_crowded
    assert (found.best.good[plain & annoyed] < 0).mean() > 0.95
    assert (found.best.good[plain & ~annoyed] > 0).mean() > 0.95


def test_the_same_rows_give_the_same_bytes() -> None:
    draw = np.random.default_rng(5)
    rows, asked = (draw.normal(size=(n, 3)).astype(np.float32) for n in (600, 50))
    amounts = np.column_stack([np.exp(rows[:, 0]), np.exp(rows[:, 1]), np.zeros(600)])
    first, second = (learned(rows, amounts, asked, 1) for _ in range(2))
    assert first.tobytes() == second.tobytes() != learned(rows, amounts, asked, 2).tobytes()
    assert not first[:, 2].any()  # nothing ever: nothing expected
