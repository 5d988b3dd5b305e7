"""The programme against an exact solver, its bound, its chances and its rows, on people made of numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from jobs.activate.allocation.answers import best_arms, reduced_costs, weight
from jobs.activate.allocation.choosers import BestFirst, DayZero, Exploring, Mixing, Policy
from jobs.activate.allocation.dual import Mixture, search
from jobs.activate.allocation.program import NOBODY, UNITS, People, Program, Row
from jobs.activate.allocation.sums import activity, objective_of, totals


def world(people: int, channels: int, seed: int) -> People:
    dice = np.random.default_rng(seed)
    intent, affinity = dice.normal(size=(people, 1)), dice.normal(size=(people, channels))
    cost = 0.5 * np.exp(0.7 * dice.normal(size=channels) + 0.3 * intent + 0.4 * affinity)
    good = 0.002 * np.exp(0.7 * intent + 0.8 * affinity - 0.8) - 0.0005
    late = (0.05 * np.exp(0.5 * intent + 0.3 * dice.normal(size=(people, channels))) - 0.05) * np.abs(good) * 1.3
    natural = {"cost": cost, "value": good * 500 - cost, "good": good, "late": late}
    amounts = {name: np.rint(value * UNITS[name]).astype(np.int64) for name, value in natural.items()}
    return People(dice.random((people, channels)) < 0.9, amounts)


def program_of(people: People, objective: str = "value", floor: float | None = None) -> Program:
    count, channels = people.may.shape
    rows = [Row(f"places:{k}", "places", k, count * 0.08) for k in range(channels)]
    rows += [Row(f"budget:{k}", "cost", k, count * 0.03) for k in range(channels)]
    rows += [Row("budget", "cost", None, count * 0.02 * channels), Row("late", "late", None, 0.0)]
    if floor is not None:
        rows.append(Row("floor", "-good", None, -floor))
    return Program(tuple(f"c{k}" for k in range(channels)), objective, tuple(rows))


def answer(program: Program, people: People) -> Any:
    return lambda questions: [totals(program, people, best_arms(program, people, q)) for q in questions]


def solve(program: Program, people: People, max_gap: float = 1e-4) -> Mixture:
    return search(program, answer(program, people), max_gap=max_gap, max_passes=120)


def exact(program: Program, people: People) -> Any:
    """The same programme with a variable a pair, by HiGHS."""
    count, channels = people.may.shape
    open_pairs = np.flatnonzero(people.may.ravel())
    bare = Program(program.channels, program.objective, ())
    objective = reduced_costs(bare, people, np.zeros(0)).ravel()[open_pairs]
    coupling = np.zeros((len(program.rows), count, channels))
    for place, row in enumerate(program.rows):
        for k in range(channels):
            if row.channel in (None, k):
                coupling[place, :, k] = weight(program, row, people, k)
    flat = sp.csr_matrix(coupling.reshape(len(program.rows), -1))
    one_each = sp.kron(sp.eye(count), np.ones((1, channels)))
    matrix = sp.vstack([flat, one_each]).tocsc()[:, open_pairs]
    limits = np.concatenate([program.limits, np.ones(count)])
    return linprog(objective, A_ub=matrix, b_ub=limits, bounds=(0, None), method="highs")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_value_mode_agrees_with_the_exact_solver(seed: int) -> None:
    people = world(500, 4, seed)
    program = program_of(people)
    found, truth = solve(program, people), exact(program, people).fun
    assert found.gap <= 1e-4
    assert found.value == pytest.approx(truth, rel=1e-3)
    assert found.bound <= truth + 1e-6 * abs(truth)
    mixed = sum(w * plan.activity for plan, w in found.used())
    assert np.all(mixed <= program.limits + 1e-6 * np.maximum(np.abs(program.limits), 1.0))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_volume_mode_agrees_and_says_when_the_floor_is_out_of_reach(seed: int) -> None:
    people = world(500, 4, seed)
    most = -exact(program_of(people, "good"), people).fun
    program = program_of(people, "cost", floor=0.6 * most)
    found, truth = solve(program, people), exact(program, people).fun
    assert found.value == pytest.approx(truth, rel=1e-3)
    assert float(found.slack.max()) < 1e-9
    beyond = program_of(people, "cost", floor=1.2 * most)
    assert exact(beyond, people).status == 2, "the exact solver must find it infeasible too"
    short = solve(beyond, people, max_gap=1e-6)
    assert float(short.slack[-1]) == pytest.approx(0.2 * most, rel=0.02)


@settings(max_examples=60, deadline=None)
@given(prices=st.lists(st.floats(0, 50), min_size=10, max_size=10), seed=st.integers(0, 3))
def test_any_prices_give_a_bound(prices: Sequence[float], seed: int) -> None:
    """Weak duality: whatever the prices, the dual value is no better than the best plan."""
    people = world(60, 4, seed)
    program = program_of(people)
    chosen = np.array(prices)
    sums = answer(program, people)([chosen])[0]
    bound = objective_of(program, sums) + float(np.dot(chosen, activity(program, sums) - program.limits))
    best = BEST.setdefault(seed, exact(program, people).fun)
    assert bound <= best + 1e-9 * max(1.0, abs(best))


BEST: dict[int, float] = {}


def sold(program: Program, seed: int) -> Program:
    """The same with places sold in four steps at rising tolls, and costs at some load."""
    dice = np.random.default_rng(seed)
    supply, scale = [], {"cost": 1.0, "value": 1.0, "good": 0.002}[program.objective]
    for row in program.rows[: len(program.channels)]:
        tolls = np.sort(scale * dice.random(4) * 0.6)
        supply.append(tuple((row.limit / 4, float(toll)) for toll in tolls))
    load = tuple(float(x) for x in 0.7 + 0.6 * dice.random(len(program.channels)))
    return replace(program, load=load, supply=tuple(supply))


def exact_sold(program: Program, people: People) -> float:
    """The exact solver with a variable a pair and a variable a step."""
    count, channels = people.may.shape
    pairs = [(i, k) for i in range(count) for k in range(channels) if people.may[i, k]]
    steps = [(k, width, toll) for k, sold_in in enumerate(program.supply) for width, toll in sold_in]
    bare = replace(program, rows=())
    cost = reduced_costs(bare, people, np.zeros(0))
    weights = [[weight(program, row, people, k) for k in range(channels)] for row in program.rows]
    matrix = np.zeros((len(program.rows) + count, len(pairs) + len(steps)))
    for column, (i, k) in enumerate(pairs):
        for place, row in enumerate(program.rows):
            if row.channel in (None, k):
                matrix[place, column] = np.broadcast_to(weights[place][k], count)[i]
        matrix[len(program.rows) + i, column] = 1.0
    limits = np.concatenate([program.limits, np.ones(count)])
    for number, (k, width, _) in enumerate(steps):
        matrix[k, len(pairs) + number] = -1.0
        limits[k] -= width
    objective = np.concatenate([[cost[i, k] for i, k in pairs], [toll for _, _, toll in steps]])
    bounds = [(0, None)] * len(pairs) + [(0, width) for _, width, _ in steps]
    found = linprog(objective, A_ub=sp.csr_matrix(matrix), b_ub=limits, bounds=bounds, method="highs")
    return float(found.fun)


@pytest.mark.parametrize(("objective", "share"), [("value", None), ("cost", 0.5)])
def test_places_sold_at_rising_tolls_agree_with_the_exact_solver(objective: str, share: float | None) -> None:
    people = world(300, 4, 7)
    floor = None if share is None else share * -exact(program_of(people, "good"), people).fun
    program = sold(program_of(people, objective, floor), 3)
    found, truth = solve(program, people), exact_sold(program, people)
    assert found.value == pytest.approx(truth, rel=1e-3)
    assert found.bound <= truth + 1e-6 * abs(truth)


@settings(max_examples=40, deadline=None)
@given(prices=st.lists(st.floats(0, 20), min_size=10, max_size=10), seed=st.integers(0, 2))
def test_any_prices_give_a_bound_where_places_are_sold(prices: Sequence[float], seed: int) -> None:
    people = world(60, 4, seed)
    program = sold(program_of(people), seed)
    best = SOLD.setdefault(seed, exact_sold(program, people))
    found = search(program, answer(program, people), start=[np.array(prices)], max_gap=1e-9, max_passes=1)
    assert found.bound <= best + 1e-9 * max(1.0, abs(best))


SOLD: dict[int, float] = {}


@settings(max_examples=40, deadline=None)
@given(
    used=st.lists(st.integers(0, 40), min_size=4, max_size=4), more=st.lists(st.integers(0, 30), min_size=4, max_size=4)
)
def test_tolls_of_people_beside_others_add_up(used: list[int], more: list[int]) -> None:
    program = sold(program_of(world(500, 4, 1)), 5)
    first, second = np.array(used), np.array(more)
    beside = program.beside(np.zeros(len(program.rows)), first)
    assert program.tolls(first) + beside.tolls(second) == pytest.approx(program.tolls(first + second))


def luck_of(count: int, seed: int) -> dict[str, Any]:
    dice = np.random.default_rng(seed)
    return {name: dice.random(count) for name in ("role", "pick", "keep", "mix")}


def test_chances_sum_to_one_and_are_what_happens() -> None:
    """Over many draws of luck each person meets each channel as often as its propensity says."""
    people = world(200, 4, 5)
    program = program_of(people)
    found = solve(program, people)
    mixing = Mixing(program, tuple((plan.prices, w) for plan, w in found.used()), 0.2)
    policy = Policy(Exploring(0.2, (1.0, 0.5, 0.3, 0.0)), mixing, holdout=0.1)
    first = BestFirst((2, 0, 3, 1), (0.4, 1.0, 0.25, 0.5))
    for chooser in (policy, DayZero(first, 0.1)):
        chances = chooser.chances(people)
        nobody = (1 - 0.1) - chances.sum(axis=1)
        assert np.all(nobody >= -1e-12)
        assert np.all(chances[~people.may] == 0.0)
        draws, met = 1500, np.zeros(people.may.shape)
        for number in range(draws):
            choice = chooser.choose(people, luck_of(len(people), number))
            rows = np.flatnonzero(choice != NOBODY)
            met[rows, choice[rows]] += 1
            assert np.all(chances[rows, choice[rows]] > 0)
        shares, wanted = met / draws, chances / (1 - 0.1)
        spread = np.sqrt(wanted * (1 - wanted) / draws)
        assert np.all(np.abs(shares - wanted) <= 6 * spread + 1e-9)
