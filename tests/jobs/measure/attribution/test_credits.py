"""Credits add up, whatever the paths; the rules and chains give the figures worked out by hand or by brute force."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.measure.attribution.credits import MODELS, attribute, base_conversion
from jobs.measure.attribution.markov import chain, removal
from jobs.measure.attribution.path_file import read_path_file
from jobs.measure.attribution.paths import UNATTRIBUTED, Paths
from jobs.measure.attribution.rules import RULES
from jobs.runtime.errors import DataRefused, UsageError

CASES = [(model, order) for model in MODELS for order in ((1, 2, 3) if model == "markov" else (1,))]
# first, last, linear, linear_unique, position, markov 1, its removal effect, markov 2
REFERENCE = """
alpha 6308 8447 7574.719 7627.944 7444.824 5344.948 0.558399 5617.454
beta 2831 989 2083.500 1982.739 1969.766 2527.352 0.264039 2439.649
delta 1 5 1.725 2.293 2.587 4.614 0.000482 5.159
epsilon 99 531 272.170 374.677 301.050 599.571 0.062639 614.374
eta 3164 4167 3539.951 3613.656 3618.796 3340.847 0.349026 3391.858
gamma 165 92 121.042 138.186 125.241 171.145 0.017880 171.918
iota 4606 3355 3857.096 3505.044 3944.948 3884.615 0.405835 3810.511
kappa 74 230 137.964 159.057 147.460 274.363 0.028663 266.027
lambda 902 1207 1035.258 987.782 1046.904 1282.847 0.134022 1189.472
mi 2 2 2.222 2.667 2.057 1.722 0.000180 2.073
theta 1606 653 1022.801 1190.963 1092.744 1971.913 0.206010 1902.474
zeta 27 107 136.552 199.992 88.623 381.063 0.039811 374.031
"""


@st.composite
def some_paths(draw: st.DrawFn, least: int = 0) -> Paths:
    """Some paths over at most five channels; both kinds of journey are among those with a touch."""
    channel = st.sampled_from("abcde")
    touched = draw(st.lists(st.lists(channel, min_size=least, max_size=6), min_size=1, max_size=12))
    touched.append([draw(channel)])
    count = st.integers(0, 5)
    size = len(touched)
    won = [*draw(st.lists(count, min_size=size - 1, max_size=size - 1)), 2]
    lost = [*draw(st.lists(count, min_size=size - 1, max_size=size - 1)), 3]
    worth = [n * draw(st.integers(0, 9)) for n in won]
    ages = [sorted((draw(st.integers(0, 10**7)) for _ in path), reverse=True) for path in touched]
    return Paths.of(touched, won, worth, lost, ages)


def random_paths(seed: int) -> Paths:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(5, 40))
    touched = [list(rng.choice(list("abcdefg"), int(rng.integers(1, 8)))) for _ in range(size)]
    won = rng.integers(0, 6, size)
    return Paths.of(touched, won + (np.arange(size) == 0), rng.random(size) * won, rng.integers(0, 9, size))


def brute(paths: Paths, order: int, gone: str | None) -> tuple[float, float]:
    """(conversions, value) a journey when nobody gets past `gone`, by a chain written out state by state."""
    flows: dict[Any, dict[Any, float]] = {}
    worth: dict[Any, float] = {}

    def flow(start: Any, end: Any, much: float) -> None:
        flows.setdefault(start, {})[end] = flows.setdefault(start, {}).get(end, 0.0) + much

    for i in range(len(paths.lengths)):
        names = [paths.channels[c] for c in paths.codes[paths.starts[i] : paths.starts[i + 1]]]
        if not names or not paths.conversions[i] + paths.nulls[i]:
            continue
        states: list[Any] = ["start", *[tuple(names[max(0, t - order + 1) : t + 1]) for t in range(len(names))]]
        for one, two in pairwise(states):
            flow(one, two, paths.conversions[i] + paths.nulls[i])
        flow(states[-1], "won", paths.conversions[i])
        flow(states[-1], "lost", paths.nulls[i])
        worth[states[-1]] = worth.get(states[-1], 0.0) + paths.values[i]
    names = [s for s in flows if gone is None or s == "start" or gone not in s]
    at = {state: i for i, state in enumerate(names)}
    system, won, earned = np.eye(len(names)), np.zeros(len(names)), np.zeros(len(names))
    for state, i in at.items():
        out = sum(flows[state].values())
        for end, much in flows[state].items():
            if end in at:
                system[i, at[end]] -= much / out
            elif end == "won":
                won[i] = much / out
        earned[i] = worth.get(state, 0.0) / out
    return tuple(np.linalg.solve(system, np.column_stack([won, earned]))[at["start"]])


@pytest.mark.parametrize(("model", "order"), CASES)
@given(paths=some_paths())
def test_credits_add_up_to_what_was_converted_and_none_is_below_nothing(model: str, order: int, paths: Paths) -> None:
    found = attribute(paths, model, order)
    assert sum(one.conversions for one in found.credits) == pytest.approx(paths.conversions.sum(), abs=1e-9)
    assert min(one.conversions for one in found.credits) >= 0
    if model in RULES:
        assert sum(one.value for one in found.credits) == pytest.approx(paths.values.sum(), abs=1e-9)
        weights = RULES[model](paths)
        shares = np.bincount(paths.owners, weights, minlength=len(paths.lengths))
        assert np.allclose(shares, paths.lengths > 0, atol=1e-9)
    bare = paths.conversions[paths.lengths == 0].sum()
    assert sum(one.conversions for one in found.credits if one.channel == UNATTRIBUTED) == bare


@pytest.mark.parametrize(("model", "order"), CASES)
@given(paths=some_paths(least=1), times=st.integers(2, 5), seed=st.integers(0, 9))
def test_neither_order_of_rows_nor_unit_of_counts_matters(
    model: str, order: int, paths: Paths, times: int, seed: int
) -> None:
    one = attribute(paths, model, order)
    places = np.random.default_rng(seed).permutation(len(paths.lengths))
    names = [[paths.channels[c] for c in paths.codes[paths.starts[i] : paths.starts[i + 1]]] for i in places]
    ages = [list(paths.ages[paths.starts[i] : paths.starts[i + 1]]) for i in places]  # type: ignore[index]
    turned = Paths.of(names, paths.conversions[places], paths.values[places], paths.nulls[places], ages)
    again = attribute(turned, model, order)
    for left, right in zip(one.credits, again.credits, strict=True):
        assert left.channel == right.channel
        assert left.conversions == pytest.approx(right.conversions, abs=1e-6)
    if model != "shapley_model":  # whose penalty weighs less against more journeys
        more = attribute(replace(paths, conversions=paths.conversions * times, nulls=paths.nulls * times), model, order)
        assert [c.conversions for c in more.credits] == pytest.approx([c.conversions * times for c in one.credits])


@given(paths=some_paths(least=1))
def test_a_chain_of_any_order_converts_as_often_and_is_worth_as_much_as_seen(paths: Paths) -> None:
    journeys = paths.conversions.sum() + paths.nulls.sum()
    for order in (1, 2, 3):
        told = removal(chain(paths, order))
        assert told.base == pytest.approx(base_conversion(paths), abs=1e-12)
        assert told.value == pytest.approx(paths.values.sum() / journeys, abs=1e-12)
        assert ((told.of_conversions >= 0) & (told.of_conversions <= 1)).all()


@pytest.mark.parametrize("seed", range(50))
def test_removal_effects_are_those_of_deleting_and_solving_again(seed: int) -> None:
    paths = random_paths(seed)
    for order in (1, 2, 3):
        told, whole = removal(chain(paths, order)), brute(paths, order, None)
        for i, name in enumerate(paths.channels):
            left = brute(paths, order, name)
            assert told.of_conversions[i] == pytest.approx(1 - left[0] / whole[0], abs=1e-10)
            assert told.of_value[i] == pytest.approx(1 - left[1] / whole[1] if whole[1] else 0.0, abs=1e-10)


def test_a_channel_on_every_winning_path_is_all_and_one_on_losing_paths_nothing() -> None:
    paths = Paths.of([["a", "b"], ["b"], ["a", "c"], ["c"]], [3, 2, 0, 0], nulls=[1, 1, 4, 2])
    told = removal(chain(paths))
    assert told.of_conversions[1] == pytest.approx(1.0)
    assert told.of_conversions[2] == pytest.approx(0.0)
    alone = Paths.of([["a", "a"], ["a"]], [3, 2], nulls=[1, 1])
    for model, order in CASES:
        if model != "time_decay":
            assert attribute(alone, model, order).credits[0].conversions == pytest.approx(5.0)


def test_self_loops_change_no_removal_effect() -> None:
    rng = np.random.default_rng(5)
    touched = [list(rng.choice(list("abcd"), int(rng.integers(1, 9)))) for _ in range(60)]
    once = [[c for i, c in enumerate(path) if not i or path[i - 1] != c] for path in touched]
    won, lost = rng.integers(0, 4, 60), rng.integers(0, 4, 60)
    with_, without = (removal(chain(Paths.of(these, won, nulls=lost))) for these in (touched, once))
    assert with_.of_conversions == pytest.approx(without.of_conversions, abs=1e-12)


def test_small_paths_by_hand() -> None:
    paths = Paths.of([list("ABABBA"), list("ABBAA"), list("AA")], [1, 1, 1])
    found = {one.channel: one for one in attribute(paths, "markov").credits}
    assert (found["A"].conversions, found["B"].conversions) == (pytest.approx(2), pytest.approx(1))
    assert (found["A"].removal_effect, found["B"].removal_effect) == (pytest.approx(1), pytest.approx(0.5))
    direct = Paths.of([["Direct", "Organic", "Direct"]], [1], [140], ages=[[14 * 86_400, 7 * 86_400, 0]])
    by = {model: [one.value for one in attribute(direct, model).credits] for model in RULES}
    assert by["linear"] == pytest.approx([140 * 2 / 3, 140 / 3])
    assert by["position"] == pytest.approx([112, 28])
    assert by["last_non_direct"] == [0, 140]
    assert by["time_decay"] == pytest.approx([140 * 1.25 / 1.75, 140 * 0.5 / 1.75])
    two = attribute(Paths.of([["a", "b"]], [1]), "position")
    assert [one.conversions for one in two.credits] == [0.5, 0.5]


def test_shapley_of_a_model_holds_what_it_planted() -> None:
    touched = [["a"], ["b"], ["a", "b"], ["c", "a"]]
    paths = Paths.of(touched, [100, 100, 600, 100], nulls=[900, 900, 1400, 900])
    found = {one.channel: one.conversions for one in attribute(paths, "shapley_model").credits}
    assert found["a"] > found["b"]
    assert found["c"] < 5, "it adds nothing to a"
    many = Paths.of([[f"ch{i:02d}", "top"] for i in range(20)], [3] * 20, nulls=[5] * 20)
    assert sum(one.conversions for one in attribute(many, "shapley_model").credits) == pytest.approx(60)


def test_bootstrap_intervals_hold_the_credit_and_are_the_same_again() -> None:
    paths = random_paths(3)
    for model in ("linear", "markov"):
        one, two = (attribute(paths, model, replicates=200, seed=4) for _ in range(2))
        assert one == two
        assert all(c.conversions_lo <= c.conversions <= c.conversions_hi for c in one.credits)  # type: ignore[operator]
    wide = attribute(Paths.of([["a"]], [100]), "last", replicates=2000).credits[0]
    assert wide.conversions_lo == pytest.approx(80.4, abs=2)  # Poisson(100)
    assert wide.conversions_hi == pytest.approx(119.6, abs=2)


def test_what_cannot_be_told_is_refused() -> None:
    with pytest.raises(UsageError, match="models: first"):
        attribute(Paths.of([["a"]], [1]), "guess")
    with pytest.raises(DataRefused, match="no times"):
        attribute(Paths.of([["a"]], [1]), "time_decay")
    with pytest.raises(DataRefused, match="no path has both"):
        attribute(Paths.of([[]], [1]), "markov")
    with pytest.raises(DataRefused, match="did not"):
        attribute(Paths.of([["a"]], [1]), "shapley_model")


@pytest.mark.skipif("HUOKE_REAL_DATA" not in os.environ, reason="needs channel_paths.csv.gz in $HUOKE_REAL_DATA")
def test_the_published_sample() -> None:
    paths = read_path_file(Path(os.environ["HUOKE_REAL_DATA"]) / "channel_paths.csv.gz")
    assert (paths.conversions.sum(), paths.nulls.sum()) == (19_785, 68_602)
    assert paths.values.sum() == pytest.approx(74_802.972, abs=0.001)
    wanted = {
        name: [float(x) for x in told] for name, *told in (line.split() for line in REFERENCE.split("\n") if line)
    }
    found = {
        (model, order): {one.channel: one for one in attribute(paths, model, order).credits}
        for model, order in CASES
        if model != "time_decay"
    }
    for name, (first, last, linear, unique, position, markov, effect, second) in wanted.items():
        assert found["first", 1][name].conversions == first
        assert found["last", 1][name].conversions == last
        for model, order, told in (
            ("linear", 1, linear),
            ("linear_unique", 1, unique),
            ("shapley_set", 1, unique),
            ("position", 1, position),
            ("markov", 1, markov),
            ("markov", 2, second),
        ):
            assert round(found[model, order][name].conversions, 3) == told, (model, order, name)
        assert round(found["markov", 1][name].removal_effect or 0.0, 6) == effect
    for order in (1, 2, 3):
        told = removal(chain(paths, order))
        assert told.base == pytest.approx(19_785 / 88_387, abs=1e-12)
        for i, name in enumerate(paths.channels):
            left, whole = brute(paths, order, name), brute(paths, order, None)
            assert told.of_conversions[i] == pytest.approx(1 - left[0] / whole[0], abs=1e-10)
            assert told.of_value[i] == pytest.approx(1 - left[1] / whole[1], abs=1e-10)
