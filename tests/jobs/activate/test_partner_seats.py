"""Whole people among many partners: who sits on the board, and rows that only they can keep."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_partners import exact, here_of, lenders, lending_program, lent, people_columns, planned_terms, prices_for

from jobs.activate.allocation.answers import best_arms
from jobs.activate.allocation.board import indifference, nearest
from jobs.activate.allocation.dual import search
from jobs.activate.allocation.passes import Passes
from jobs.activate.allocation.people import Layout
from jobs.activate.allocation.program import People, Program
from jobs.activate.allocation.rounding import rounded
from jobs.activate.allocation.sums import activity, objective_of, totals, violation
from support import make_conf


def made_whole(program: Program, people: People) -> Any:
    """What the search found, and the sums of its plan made whole greedily, which keep every row."""
    here = here_of(program, people)
    found = search(program, here.ask, here.near, max_gap=1e-5, max_passes=60)
    assert found.board is not None
    assert found.moves is not None
    others = {name: 0 * whole for name, whole in found.moves.sums.items()}
    choice = rounded(program, found.board, found.moves, others, found.penalty)
    sums = totals(program, found.board.people, choice)
    assert violation(program, activity(program, sums)) == 0.0
    return found, sums


@pytest.mark.parametrize(("objective", "share"), [("value", None), ("cost", 0.6)])
@pytest.mark.parametrize("seed", [1, 2])
def test_many_rows_are_kept_by_whole_people_at_little_cost(objective: str, share: float | None, seed: int) -> None:
    people, partners = lent(1000, 3, seed), lenders(seed, 20)
    floor = None if share is None else share * -exact(lending_program(people, partners, "good"), people).fun
    program = lending_program(people, partners, objective, floor)
    found, sums = made_whole(program, people)
    person, binding = abs(found.value) / sums["places"].sum(), int((found.prices > 1e-9).sum())
    assert binding > 0
    assert objective_of(program, sums) <= found.value + (binding + 1) * person, (
        "more than a person a binding row is lost"
    )


@pytest.mark.parametrize("count", [500, 2000])
def test_caps_of_many_partners_are_kept_where_the_first_mending_leaves_one_broken(count: int) -> None:
    """Who could mend a partner's late cap has moved already: the cap must be tightened, or they move again."""
    people, nth = lent(count, 3, 0), range(20)
    partners = replace(
        lenders(0, 20),
        quota=tuple(count * 2e-5 * (1 + m % 3) for m in nth),
        max_late=tuple(0.05 + 0.002 * (m % 3) for m in nth),
    )
    program = lending_program(people, partners)
    found, sums = made_whole(program, people)
    person, binding = abs(found.value) / sums["places"].sum(), int((found.prices > 1e-9).sum())
    assert binding > 20
    assert objective_of(program, sums) <= found.value + (binding + 1) * person


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 5), seats=st.integers(0, 60))
def test_each_partner_has_seats_for_its_own_nearest_beside_those_of_all(seed: int, seats: int) -> None:
    people = lent(400, 3, seed)
    program = lending_program(people, lenders(seed, 5))
    prices, here = prices_for(program, seed), here_of(program, people)
    margin, partner = indifference(program, people, prices), program.partners_of(best_arms(program, people, prices))
    order = [n for n in np.lexsort((np.arange(400), margin)) if np.isfinite(margin[n])]
    wanted = set(order[:seats])
    for place in range(5):
        wanted |= set([n for n in order if partner[n] == place][:4])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.activate.allocation.board.OWN_SEATS", 4)
        found = nearest(program, here.board, prices, seats)
    assert list(found.keys) == list(here.board.keys[sorted(wanted)])


def test_the_same_people_are_seated_from_spark_as_from_memory(make_shell: Any, spark: Any) -> None:
    people, seats = 3000, 150
    terms, columns = planned_terms(people), people_columns(people, 2)
    program = terms.program()
    layout = Layout(terms.channels, program.quantities, has_kind=True)
    frame = spark.createDataFrame(columns).repartition(3).select(*layout.columns)
    prices = prices_for(program, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.activate.allocation.passes.SAMPLE", 500)
        there = Passes(make_shell(make_conf()), frame, layout, program)
        boards = [passes.crowd(0.05, people).near(prices, seats) for passes in (there, there.holding(people))]
    assert len(boards[0]) > seats, "no partner had a seat of its own"
    assert list(boards[0].keys) == list(boards[1].keys)
