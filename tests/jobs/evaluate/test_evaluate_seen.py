"""What may be seen: the pairs that are open, each where it belongs."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from jobs.evaluate.seen import pair_grid

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
