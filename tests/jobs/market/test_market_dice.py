"""Common random numbers: no draw depends on company or order, and each follows its law."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from jobs.market.dice import Dice

keys = st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=50, unique=True)


@given(seed=st.integers(0, 2**40), who=keys, data=st.data())
def test_a_draw_depends_on_its_key_alone(seed: int, who: list[int], data: st.DataObject) -> None:
    dice = Dice(seed)
    order = data.draw(st.permutations(range(len(who))))
    together = dice.uniform("stream", np.array(who), 3)
    shuffled = dice.uniform("stream", np.array(who)[order], 3)
    assert (together[order] == shuffled).all()
    assert dice.uniform("stream", who[0], 3)[0] == together[0]
    assert ((together > 0) & (together < 1)).all()


def test_golden_draws() -> None:
    """Written once: a change of these changes every market ever made."""
    assert [round(float(u), 12) for u in Dice(7).uniform("golden", np.arange(3))] == GOLDEN


def test_draws_are_uniform_and_streams_and_keys_independent() -> None:
    who = np.arange(200_000)
    dice = Dice(11)
    a, b, c = dice.uniform("a", who), dice.uniform("b", who), dice.uniform("a", who, 1)
    assert stats.kstest(a, "uniform").pvalue > 1e-4
    for other in (b, c, np.roll(a, 1), Dice(12).uniform("a", who)):
        assert abs(np.corrcoef(a, other)[0, 1]) < 5 / np.sqrt(len(who))


@settings(max_examples=20, deadline=None)
@given(mean=st.floats(0.001, 200.0), seed=st.integers(0, 1000))
def test_poisson_has_its_mean_and_variance_and_rises_with_the_mean(mean: float, seed: int) -> None:
    who = np.arange(40_000)
    drawn = Dice(seed).poisson("p", np.full(len(who), mean), who)
    error = 6 * np.sqrt(mean / len(who))
    assert abs(drawn.mean() - mean) < error
    assert abs(drawn.var() - mean) < 6 * np.sqrt((mean + 2 * mean**2) / len(who))
    assert (Dice(seed).poisson("p", np.full(len(who), mean * 1.3), who) >= drawn).all()


GOLDEN = [0.381621596187, 0.447335813574, 0.934209660947]
