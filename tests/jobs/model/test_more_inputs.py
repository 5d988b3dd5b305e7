"""What people did before, and LightFM's word on who is keen where, as the bench of ablations adds them to rows."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.model.learners import Features
from support import make_conf

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
from history import ANSWERED, ANSWERED_HERE, HISTORY_DAYS, SHOWN, with_history
from taste_score import TASTE, TasteScore, fold_of, with_taste

FIRST = date(2025, 1, 1)
PEOPLE, CHANNELS = ["a", "b", "c"], ["feed_a", "sms"]
TOUCH = st.tuples(
    st.sampled_from(PEOPLE), st.sampled_from(CHANNELS), st.integers(0, 400), st.integers(0, 3), st.integers(0, 2)
)
ASKED = st.tuples(st.sampled_from([*PEOPLE, "unknown"]), st.sampled_from([*CHANNELS, "none"]), st.integers(0, 420))
COLUMNS = ["prospect_key", "channel", "touch_day", "shown", "answered"]


def day_of(number: int) -> date:
    return FIRST + timedelta(days=number)


@given(touches=st.lists(TOUCH, min_size=1, max_size=30), asked=st.lists(ASKED, min_size=1, max_size=8))
def test_history_ends_a_fortnight_before_the_day_and_is_half_a_year_long(
    touches: list[tuple[str, str, int, int, int]], asked: list[tuple[str, str, int]]
) -> None:
    touched = pd.DataFrame(touches, columns=COLUMNS).groupby(COLUMNS[:3], as_index=False).sum()
    touched["touch_day"] = [day_of(number) for number in touched["touch_day"]]
    rows = pd.DataFrame(asked, columns=["prospect_key", "channel", "number"])
    rows["day"] = [day_of(number) for number in rows["number"]]
    found = with_history(rows, "day", touched)
    rate = {
        name: sum(t[4] for t in touches if t[1] == name) / max(sum(t[3] for t in touches if t[1] == name), 1)
        for name in CHANNELS
    }
    for at, (person, channel, number) in enumerate(asked):
        told = found.loc[at, [SHOWN, ANSWERED, ANSWERED_HERE]].astype(float)
        if number - 14 <= min(t[2] for t in touches):
            assert told.isna().all(), "nothing was logged yet"
            continue
        mine = [t for t in touches if t[0] == person and number - 14 - HISTORY_DAYS <= t[2] < number - 14]
        here = [t for t in mine if t[1] == channel]
        assert told[SHOWN] == sum(t[3] for t in mine)
        for name, those in ((ANSWERED, mine), (ANSWERED_HERE, here)):
            expected = sum(rate[t[1]] * t[3] for t in those)
            assert told[name] == pytest.approx(np.log((sum(t[4] for t in those) + 1) / (expected + 1)))


def test_rows_without_a_channel_have_the_history_of_all_channels_alone() -> None:
    touched = pd.DataFrame([("a", "sms", day_of(0), 4, 2), ("b", "sms", day_of(0), 4, 0)], columns=COLUMNS)
    found = with_history(pd.DataFrame({"prospect_key": ["a", "b"]}), day_of(30), touched)
    assert ANSWERED_HERE not in found
    assert found[ANSWERED].tolist() == pytest.approx([np.log(3 / 2), np.log(1 / 2)])


def shown_rows(count: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """People of the north click what runs on the feed, those of the south what comes by SMS; and the creatives."""
    chance = np.random.default_rng(seed)
    creatives = pd.DataFrame({"creative": [f"c{n}" for n in range(6)], "channel": [CHANNELS[n % 2] for n in range(6)]})
    creatives = creatives.assign(placement="top", format="image", first_day=FIRST, features="{}")
    chosen = creatives.iloc[chance.integers(0, 6, count)].reset_index(drop=True)
    region = chance.choice(["north", "south"], count)
    keen = (region == "north") == (chosen["channel"] == "feed_a").to_numpy()
    rows = chosen.assign(prospect_key=[f"p{n:05d}" for n in range(count)], region=pd.Categorical(region), exposures=1)
    return rows.assign(clicks=(chance.random(count) < np.where(keen, 0.4, 0.1)).astype(int)), creatives


def test_lightfm_tells_who_is_keen_where() -> None:
    shown, creatives = shown_rows(6000, 1)
    conf = make_conf(base=make_conf().base.model_copy(update={"features": {}}))
    score = TasteScore.of(shown, creatives, Features((), ("region",)), conf)
    people = pd.DataFrame({"region": pd.Categorical(["north", "south"])})
    feed, sms = score.told(people, "feed_a"), score.told(people, "sms")
    assert feed[0] > feed[1] + 0.1
    assert sms[1] > sms[0] + 0.1
    assert score.told(people, "display").tolist() == [0.0, 0.0], "a channel without creatives"


def test_nobody_is_told_by_a_fit_on_their_own_clicks() -> None:
    shown, _ = shown_rows(400, 2)
    taught: list[set[str]] = []

    class Remembering:
        def __init__(self, part: pd.DataFrame) -> None:
            self.keys = set(part["prospect_key"])
            taught.append(self.keys)

        def told(self, people: pd.DataFrame, channel: str) -> np.ndarray:
            assert not self.keys & set(people["prospect_key"])
            return np.full(len(people), 1.0)

    found = with_taste(shown, shown, Remembering)
    assert (found[TASTE] == 1.0).all(), "everybody is told"
    assert set.union(*taught) == set(shown["prospect_key"])
    assert {len(keys) for keys in taught} == set(np.bincount(fold_of(shown["prospect_key"])).tolist())
