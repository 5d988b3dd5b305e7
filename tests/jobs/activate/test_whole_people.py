"""The board: its moves against plain sums, its seats against sorting everybody, whole people against exact solvers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from test_allocation import exact, luck_of, program_of, sold, world

from jobs.activate.allocation.answers import best_arms, reduced_costs
from jobs.activate.allocation.board import Board, indifference, moves_of, nearest
from jobs.activate.allocation.choosers import Exploring, Mixing, Policy
from jobs.activate.allocation.crowd import Here
from jobs.activate.allocation.dual import search
from jobs.activate.allocation.placed import ELSEWHERE, Placed
from jobs.activate.allocation.program import NOBODY, People, Program
from jobs.activate.allocation.solve import start_prices
from jobs.activate.allocation.sums import activity, objective_of, totals, violation
from jobs.activate.allocation.whole import whole_people


def board_of(people: People, seed: int = 0) -> Board:
    return Board(np.array([f"p{n:06d}" for n in range(len(people))], dtype=object), people, luck_of(len(people), seed))


def nobody(program: Program) -> dict[str, Any]:
    return {name: np.zeros(len(program.channels), dtype=np.int64) for name in ("places", *program.quantities)}


def rounded(program: Program, people: People) -> tuple[Any, Any]:
    """The search, with everybody on the board, and its whole people."""
    here = Here(program, board_of(people))
    found = search(program, here.ask, here.near, max_gap=1e-6, max_passes=40)
    assert found.board is not None
    assert found.moves is not None
    assert len(found.board) == len(people)
    return found, whole_people(program, found.board, found.moves, nobody(program), found.penalty)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_board_too_small_to_meet_the_rows_grows_until_it_is_not(seed: int) -> None:
    people = world(3000, 4, seed)
    program = program_of(people)
    here = Here(program, board_of(people))
    whole = search(program, here.ask, here.near, max_gap=1e-7, max_passes=60)
    found = search(program, here.ask, here.near, max_gap=1e-7, max_passes=60, seats=2)
    assert found.board is not None
    assert len(found.board) > 2
    assert found.gap <= 1e-7
    assert found.value == pytest.approx(whole.value, rel=2e-7)


prices_of_rows = st.lists(st.floats(0, 20), min_size=10, max_size=10)


@settings(max_examples=40, deadline=None)
@given(prices=prices_of_rows, seed=st.integers(0, 5), loaded=st.booleans())
def test_a_move_changes_objective_and_rows_by_what_it_says(prices: list[float], seed: int, loaded: bool) -> None:
    people = world(40, 4, seed)
    program = sold(program_of(people), seed) if loaded else program_of(people)
    board, at = board_of(people), np.array(prices)
    moves = moves_of(program, board, at)
    assert np.array_equal(moves.base, best_arms(program, people, at))
    dice = np.random.default_rng(seed)
    made = np.zeros(len(moves), dtype=np.bool_)
    for person in np.unique(moves.person):
        made[dice.choice(np.flatnonzero(moves.person == person))] = dice.random() < 0.5
    before, after = moves.sums, totals(program, people, moves.after(made))
    changed = objective_of(program, after) - objective_of(program, before)
    assert changed == pytest.approx(moves.objective[made].sum(), abs=1e-9)
    assert activity(program, after) - activity(program, before) == pytest.approx(
        moves.rows[:, made].sum(axis=1), abs=1e-9
    )


@settings(max_examples=40, deadline=None)
@given(prices=prices_of_rows, seed=st.integers(0, 5), most=st.integers(30, 120))
def test_few_moves_are_the_cheapest_and_anybody_can_be_dropped(prices: list[float], seed: int, most: int) -> None:
    people = world(30, 4, seed)
    program, at = program_of(people), np.array(prices)
    costs = reduced_costs(program, people, at)
    moves = moves_of(program, board_of(people), at, most)
    listed = np.flatnonzero(moves.base != NOBODY)
    assert set(listed) <= set(moves.person[moves.arm == NOBODY])
    kept = {(int(p), int(k)) for p, k in zip(moves.person, moves.arm, strict=True) if k != NOBODY}
    others = [
        (costs[p, k] - min(0.0, costs[p].min()), (p, k))
        for p in range(30)
        for k in range(4)
        if np.isfinite(costs[p, k]) and k != moves.base[p]
    ]
    cheapest = [pair for _, pair in sorted(others)[: most - len(listed)]]
    assert kept == set(cheapest)


@settings(max_examples=30, deadline=None)
@given(prices=prices_of_rows, seats=st.integers(1, 70))
def test_seats_go_to_the_nearest_by_key(prices: list[float], seats: int) -> None:
    people = world(60, 4, 3)
    people.may[5] = False
    twins = np.array([*range(20, 40), *range(60)])  # equal people, so that margins tie
    people = People(people.may[twins], {name: amounts[twins] for name, amounts in people.amounts.items()})
    board, program, at = board_of(people), program_of(people), np.array(prices)
    margin = indifference(program, people, at)
    wanted = [n for n in np.lexsort((np.arange(len(people)), margin)) if np.isfinite(margin[n])][:seats]
    assert list(nearest(program, board, at, seats).keys) == list(board.keys[np.sort(wanted)])


def exact_whole(program: Program, people: People) -> float:
    """The best plan of whole people, by HiGHS with a variable a pair."""
    costs = reduced_costs(replace(program, rows=()), people, np.zeros(0))
    pairs = np.argwhere(people.may)
    one = np.eye(len(program.channels))
    matrix = np.zeros((len(program.rows), len(pairs)))
    for place, (i, k) in enumerate(pairs):
        single = People(people.may[i : i + 1], {name: amounts[i : i + 1] for name, amounts in people.amounts.items()})
        matrix[:, place] = activity(program, totals(program, single, np.array([k]))) if one[k, k] else 0.0
    each = sp.csr_matrix((np.ones(len(pairs)), (pairs[:, 0], np.arange(len(pairs)))), shape=(len(people), len(pairs)))
    limits = np.concatenate([program.limits, np.ones(len(people))])
    scale = np.concatenate([np.abs(matrix).max(axis=1), np.ones(len(people))])
    rows = sp.diags(1 / scale) @ sp.vstack([sp.csr_matrix(matrix), each])
    found = milp(
        costs[pairs[:, 0], pairs[:, 1]],
        integrality=np.ones(len(pairs)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(rows, -np.inf, limits / scale),
        options={"mip_rel_gap": 1e-6},
    )
    assert found.status == 0
    return float(found.fun)


@pytest.mark.parametrize(("objective", "share"), [("value", None), ("cost", 0.5)])
@pytest.mark.parametrize("seed", [1, 2])
def test_whole_people_are_as_good_as_the_exact_whole_number_solver(
    objective: str, share: float | None, seed: int
) -> None:
    people = world(120, 3, seed)
    floor = None if share is None else share * -exact(program_of(people, "good"), people).fun
    program = program_of(people, objective, floor)
    _, whole = rounded(program, people)
    truth = exact_whole(program, people)
    assert violation(program, activity(program, whole.sums)) == 0.0
    assert objective_of(program, whole.sums) == pytest.approx(truth, rel=1e-4)
    assert {name: total.tolist() for name, total in totals(program, people, whole.choice).items()} == {
        name: total.tolist() for name, total in whole.sums.items()
    }


@pytest.mark.parametrize(("objective", "share"), [("value", None), ("cost", 0.6)])
def test_two_thousand_people_agree_with_the_exact_solver(objective: str, share: float | None) -> None:
    people = world(2000, 6, 4)
    floor = None if share is None else share * -exact(program_of(people, "good"), people).fun
    program = program_of(people, objective, floor)
    found, whole = rounded(program, people)
    truth = exact(program, people).fun
    assert found.value == pytest.approx(truth, rel=1e-6)
    assert found.bound == pytest.approx(truth, rel=1e-6)
    assert violation(program, activity(program, whole.sums)) == 0.0
    value, person = objective_of(program, whole.sums), abs(truth) / whole.sums["places"].sum()
    assert truth - 1e-9 * abs(truth) <= value <= truth + person / 2


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 100), factor=st.integers(2, 50))
def test_another_currency_changes_no_plan(seed: int, factor: int) -> None:
    """All money times a factor: value and bound as well, and whole people are no further off."""
    people = world(80, 4, seed)
    program = program_of(people)
    money = {name: people.amounts[name] * factor for name in ("cost", "value")}
    dear = People(people.may, {**people.amounts, **money})
    scaled = program.with_limits([row.limit * (factor if row.kind == "cost" else 1) for row in program.rows])
    (cheap, whole), (found, other) = rounded(program, people), rounded(scaled, dear)
    assert found.value == pytest.approx(factor * cheap.value, rel=1e-6)
    assert found.bound == pytest.approx(factor * cheap.bound, rel=1e-6)
    assert objective_of(scaled, other.sums) == pytest.approx(factor * objective_of(program, whole.sums), rel=1e-2)


def test_others_are_counted_against_the_rows() -> None:
    people = world(400, 4, 9)
    program = program_of(people)
    found, alone = rounded(program, people)
    others = {name: total // 3 for name, total in alone.sums.items()}
    whole = whole_people(program, found.board, found.moves, others, found.penalty)
    mine = totals(program, people, whole.choice)
    assert all(np.array_equal(whole.sums[name], mine[name] + others[name]) for name in mine)
    assert violation(program, activity(program, whole.sums)) == 0.0
    assert mine["places"].sum() < alone.sums["places"].sum()


def test_who_is_placed_goes_there_unless_exploring_and_chances_say_so() -> None:
    people = world(300, 4, 5)
    program = program_of(people)
    policy = Policy(Exploring(0.2, (1.0, 0.5, 0.3, 1.0)), Mixing(program, ((np.zeros(10), 0.5), (None, 0.5)), 0.2), 0.1)
    keys = board_of(people).keys
    placed = Placed(keys[100:200], np.where(people.may[100:200, 1], 1, NOBODY))
    import pyarrow as pa

    named = policy.placing(placed.of(pa.array(keys, type=pa.string())))
    assert named.placed is not None
    assert set(named.placed[:100]) == set(named.placed[200:]) == {ELSEWHERE}
    luck = luck_of(300, 1)
    explores, chances = luck["role"] < 0.2, named.chances(people)
    before, after = policy.choose(people, luck), named.choose(people, luck)
    assert np.array_equal(before[explores], after[explores])
    assert np.array_equal(before[:100], after[:100])
    assert np.array_equal(after[100:200][~explores[100:200]], placed.arm[~explores[100:200]])
    explored = 0.9 * 0.2 * policy.exploring.chances(people)
    sure = np.zeros((100, 4))
    sure[np.arange(100), placed.arm] = placed.arm >= 0
    assert chances[100:200] == pytest.approx(explored[100:200] + 0.9 * 0.8 * sure)
    assert np.array_equal(chances[:100], policy.chances(people)[:100])


def test_what_the_solver_prints_does_not_reach_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    import ctypes

    from jobs.activate.allocation.quiet import unheard

    with unheard():
        ctypes.CDLL(None).puts(b"a word")
    print("the answer")
    told = capfd.readouterr()
    assert told.out == "the answer\n"
    assert told.err == ""


def dual_value(program: Program, here: Here, prices: Any) -> float:
    sums = here.ask([prices])[0]
    return objective_of(program, sums) + float(np.dot(prices, activity(program, sums) - program.limits))


@pytest.mark.parametrize("start", [[], [np.zeros(10), np.full(10, 0.3)]])
def test_the_centre_is_the_prices_that_gave_the_bound(start: list[Any]) -> None:
    """Also where the search ends on a better bound before the board moves again."""
    people = world(3000, 4, 2)
    program = program_of(people)
    here = Here(program, board_of(people))
    for gap in (1e-2, 1e-3, 1e-4):
        found = search(program, here.ask, here.near, start=start, max_gap=gap, max_passes=40)
        assert dual_value(program, here, found.centre) == pytest.approx(found.bound, rel=1e-12)


def test_what_a_sample_gets_wrong_is_made_up_for_before_everybody_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    people = world(6000, 4, 2)
    program, board = program_of(people), board_of(people)
    few = board.only(board.luck["pick"] < 0.1)
    here = Here(program, board)
    bounds = {}
    for corrections in (0, 2):
        monkeypatch.setattr("jobs.activate.allocation.solve.CORRECTIONS", corrections)
        bounds[corrections] = dual_value(program, here, start_prices(program, here, few, 0.1, 1e-4)[-1])
    best = search(program, here.ask, here.near, max_gap=1e-6, max_passes=40).bound
    assert best - bounds[2] < 0.5 * (best - bounds[0])
