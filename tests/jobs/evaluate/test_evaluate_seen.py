"""What may be seen: the pairs that are open, each where it belongs; and what of it a look-alike is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from jobs.evaluate.baselines import look_alike
from jobs.evaluate.seen import Seen, pair_grid
from jobs.model.learners import Features
from jobs.model.person_features import APPLIED_BEFORE

CHANNELS = ["feed_a", "feed_b", "sms"]
pairs = st.sets(st.tuples(st.sampled_from("abcdefg"), st.sampled_from([*CHANNELS, "closed_down"])), min_size=1)


@given(open_pairs=pairs)
def test_the_grid_says_of_every_pair_whether_it_is_there(open_pairs: set[tuple[str, str]]) -> None:
    found = pair_grid(pd.DataFrame(list(open_pairs), columns=["prospect_key", "channel"]), CHANNELS)
    assert list(found.columns) == CHANNELS
    assert list(found.index) == sorted({key for key, _ in open_pairs})
    assert {(key, name) for key in found.index for name in CHANNELS if found.loc[key, name]} == {
        pair for pair in open_pairs if pair[1] in CHANNELS
    }


def test_look_alikes_are_not_told_by_when_they_were_won() -> None:
    """Whoever was won had applied for the first time; that candidates have applied since says nothing of them."""
    dice = np.random.default_rng(2)
    income = dice.normal(size=4000)
    people = pd.DataFrame({"income": income, APPLIED_BEFORE: dice.integers(0, 3, 4000).astype(float)})
    won = pd.DataFrame({"income": dice.normal(1.0, 1.0, 1000), APPLIED_BEFORE: 0.0, "is_funded": True})
    nothing = pd.DataFrame(index=people.index)
    features = Features(("income", APPLIED_BEFORE))
    seen = Seen(features, people, nothing, pd.DataFrame(), won, np.zeros(4000, dtype=bool), nothing)
    found = look_alike(seen)
    assert np.corrcoef(found, income)[0, 1] > 0.7
    again = look_alike(replace(seen, candidates=people.assign(**{APPLIED_BEFORE: 3.0})))
    np.testing.assert_array_equal(found, again)
