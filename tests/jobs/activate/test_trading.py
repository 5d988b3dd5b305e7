"""Column generation on the board against every column there is, and trades of whole people."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_partners import exact, here_of, lenders, lending_program, lent, prices_for

from jobs.activate.allocation import rounding
from jobs.activate.allocation.answers import best_arms, cheapest_at, weights
from jobs.activate.allocation.board import moves_of
from jobs.activate.allocation.columns import regenerated
from jobs.activate.allocation.dual import search
from jobs.activate.allocation.master import Followed, master
from jobs.activate.allocation.program import Program
from jobs.activate.allocation.sums import activity, objective_of, totals, violation
from jobs.activate.allocation.trading import traded


def program_of(people: Any, seed: int, objective: str, count: int = 20) -> Program:
    partners = lenders(seed, count)
    floor = None
    if objective == "cost":
        floor = 0.6 * -exact(lending_program(people, partners, "good"), people).fun
    return lending_program(people, partners, objective, floor)


@pytest.mark.parametrize("objective", ["value", "cost"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_few_moves_grow_to_what_all_of_them_would_reach(objective: str, seed: int) -> None:
    people = lent(300, 4, seed)
    program = program_of(people, seed, objective)
    here = here_of(program, people)
    prices = np.zeros(len(program.rows))
    moves = moves_of(program, here.board, prices, most=40)
    followed = Followed(np.array([objective_of(program, moves.sums)]), activity(program, moves.sums)[:, None])
    penalty = np.full(len(program.rows), 1e6)
    few = master(program, followed, moves, penalty)
    best = float(exact(program, people).fun)
    assert few.value > best + 1e-3 * abs(best), "nothing was left to find"
    _, found = regenerated(program, here.board, followed, moves, penalty, most=400)
    assert found.value == pytest.approx(best, rel=2e-5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), objective=st.sampled_from(["value", "cost"]))
def test_the_cheapest_channel_at_a_partner_is_the_cheapest_of_all_arms(seed: int, objective: str) -> None:
    people = lent(30, 4, seed % 5)
    program = lending_program(people, lenders(seed), objective, 0.1)
    assert program.partners is not None
    assert people.kind is not None
    prices = prices_for(program, seed)
    cost, channel = cheapest_at(program, people, prices)
    arms = len(program.channels) * program.lenders
    person, arm = np.repeat(np.arange(30), arms), np.tile(np.arange(arms), 30)
    own, rows = weights(program, people, person, arm)
    takes = program.partners.rates[people.kind] > 0
    is_open = people.may[:, :, None] & takes[:, None, :]
    every = np.where(is_open, (own + prices @ rows).reshape(30, len(program.channels), -1), np.inf)
    assert cost == pytest.approx(every.min(axis=1), abs=1e-9)
    some = np.isfinite(cost)
    assert np.take_along_axis(every, channel[:, None, :], axis=1)[:, 0][some] == pytest.approx(cost[some], abs=1e-9)


def whole(program: Program, people: Any) -> tuple[float, float, float]:
    """Objectives: of people put in part, of whole people before trades, and after."""
    here = here_of(program, people)
    found = search(program, here.ask, here.near, max_gap=1e-5, max_passes=60)
    assert found.board is not None
    assert found.moves is not None
    others = {name: 0 * sums for name, sums in found.moves.sums.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounding, "traded", lambda _p, _b, _m, choice, _o, _q: choice)
        before = rounding.rounded(program, found.board, found.moves, others, found.penalty)
    kept = before.copy()
    after = traded(program, found.board, found.moves, before, others, found.prices)
    assert (before == kept).all(), "the choice given was changed in place"
    sums = [totals(program, found.board.people, choice) for choice in (before, after)]
    for one in sums:
        assert violation(program, activity(program, one)) == 0.0
    first, last = (objective_of(program, one) for one in sums)
    return found.value, first, last


@pytest.mark.parametrize("objective", ["value", "cost"])
def test_trades_keep_every_row_and_win_back_some_of_what_whole_people_lose(objective: str) -> None:
    lost, left = 0.0, 0.0
    for seed in (1, 2, 3):
        people = lent(1000, 3, seed)
        split, before, after = whole(program_of(people, seed, objective), people)
        assert after <= before
        lost, left = lost + before - split, left + after - split
    assert lost > 0.0
    assert left < 0.96 * lost


def test_nobody_is_traded_where_everybody_has_what_is_best() -> None:
    people = lent(200, 3, 1)
    program = lending_program(people, lenders(1, 5))
    loose = program.with_limits(np.full(len(program.rows), 1e9))
    board, prices = here_of(program, people).board, np.zeros(len(program.rows))
    choice = best_arms(loose, people, prices)
    moves = moves_of(loose, board, prices)
    others = {name: 0 * sums for name, sums in moves.sums.items()}
    assert (traded(loose, board, moves, choice, others, prices) == choice).all()
