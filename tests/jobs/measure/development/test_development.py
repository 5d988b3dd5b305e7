"""Development gives the published figures, what was planted, and intervals that hold what comes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.measure.development.chain_ladder import developed, factors
from jobs.measure.development.exposure import developed_rate
from jobs.measure.development.nowcast import lag_curve, nowcast
from jobs.measure.development.triangles import Triangle

# Taylor and Ashe (1983), on which Mack (1993) prints reserves and standard errors, in thousands.
TAYLOR_ASHE = """
357848 1124788 1735330 2218270 2745596 3319994 3466336 3606286 3833515 3901463
352118 1236139 2170033 3353322 3799067 4120063 4647867 4914039 5339085
290507 1292306 2218525 3235179 3985995 4132918 4628910 4909315
310608 1418858 2195047 3757447 4029929 4381982 4588268
443160 1136350 2128333 2897821 3402672 3873311
396132 1333217 2180715 2985752 3691712
440832 1288463 2419861 3483130
359480 1421128 2864498
376686 1363294
344014
"""
RESERVES = [0, 95, 470, 710, 985, 1419, 2178, 3920, 4279, 4626]
ERRORS = [0, 76, 122, 134, 261, 411, 558, 875, 971, 1363]


def taylor_ashe() -> Triangle:
    rows = [[float(x) for x in line.split()] for line in TAYLOR_ASHE.split("\n") if line]
    return Triangle(np.array([row + [np.nan] * (10 - len(row)) for row in rows]))


def test_macks_published_reserves_and_errors() -> None:
    triangle = taylor_ashe()
    told = developed(triangle)
    assert np.round((told.ultimate - triangle.latest) / 1000).tolist() == RESERVES
    assert np.round(told.error / 1000).tolist() == ERRORS
    low, high = told.bounds
    assert (low <= told.ultimate).all()
    assert (told.ultimate <= high).all()


def cohorts(rng: np.random.Generator, size: int, hazards: np.ndarray, many: int = 14) -> tuple[Triangle, np.ndarray]:
    """A triangle of running late counts seen month by month, and what each cohort comes to."""
    left, added = np.full(many, size), []
    for hazard in hazards:
        added.append(rng.binomial(left, hazard))
        left = left - added[-1]
    table = np.column_stack(added).astype(float)
    newest = np.minimum(np.arange(many)[::-1], len(hazards) - 1)
    return Triangle.of(table, newest), table.sum(axis=1) / size


def one_state(triangle: Triangle, sizes: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same cohorts, all that are not counted in one state: what was counted, the others, their age, the moves."""
    running, newest = triangle.seen, triangle.newest
    before, after = running[:, :-1], running[:, 1:]
    is_seen = ~np.isnan(after)
    added = np.where(is_seen, after - before, 0).sum(axis=0)
    exposed = np.where(is_seen, sizes[:, None] - before, 0).sum(axis=0)
    moves = np.stack([exposed - added, added], axis=1)[:, None, :]
    return triangle.latest, (sizes - triangle.latest)[:, None], newest, moves


def test_late_rates_of_half_grown_cohorts_are_unbiased_and_their_intervals_hold() -> None:
    hazards = np.concatenate([[0, 0, 0], 0.008 * 0.85 ** np.arange(9)])
    rng = np.random.default_rng(7)
    gaps, held = [], []
    for world in range(200):
        triangle, came_to = cohorts(rng, 2000, hazards)
        told = developed_rate(*one_state(triangle, np.full(14, 2000.0)), draws=500, seed=world)
        at = int(np.flatnonzero(triangle.newest == 5)[0])  # MOB 6
        gaps.append(told.rate[at] / came_to[at] - 1)
        held.append(told.lo[at] <= came_to[at] <= told.hi[at])
        assert (told.lo[0], told.hi[0]) == (told.rate[0], told.rate[0]), "all of it was seen"
    assert abs(np.mean(gaps)) < 0.01
    # Half of some 78 late loans are still to come, by chance: by ages alone nobody is within a tenth in over 8 of 10.
    assert np.mean(np.abs(gaps) < 0.1) > 0.7
    assert 181 <= sum(held) <= 199


def test_who_is_on_the_way_is_told_from_who_is_not() -> None:
    """Cohorts of which a tenth, or a fiftieth, are in the state from which members are counted come to what is told."""
    rng, steps = np.random.default_rng(4), 6
    # From well and from ill, to well, ill, counted.
    shares = np.array([[0.93, 0.07, 0.0], [0.1, 0.2, 0.7]])
    gaps, held, blind = [], [], []
    for world in range(100):
        moves, ill = np.zeros((steps, 2, 3)), np.array([50, 10] * 8)
        state = np.column_stack([500 - ill, ill, np.zeros(16)]).astype(int)
        at, newest = [], np.array([6] * 8 + [1] * 8)
        for step in range(steps):
            gone = [[rng.multinomial(state[i, s], shares[s]) for s in (0, 1)] for i in range(16)]
            at.append(state.copy())
            state = np.array([g[0] + g[1] + [0, 0, state[i, 2]] for i, g in enumerate(gone)])
            moves[step] += sum(np.array(g) for i, g in enumerate(gone) if step < newest[i])
        seen = np.where((newest == 1)[:, None], at[1], state)
        told = developed_rate(seen[:, 2].astype(float), seen[:, :2].astype(float), newest, moves, seed=world)
        came, young = state[:, 2] / 500, newest == 1
        gaps += (told.rate / came - 1)[young].tolist()
        held += ((told.lo <= came) & (came <= told.hi))[young].tolist()
        blind += (came[young].mean() / came[young] - 1).tolist()
    assert abs(np.mean(gaps)) < 0.02
    assert np.std(gaps) < np.std(blind)
    assert 0.92 < np.mean(held) < 0.98


def test_a_finished_cohort_is_what_was_seen_and_an_unseen_one_rests_on_the_others() -> None:
    table = np.array([[0.0, 10, 10], [0, 20, 0], [0, 0, 0]])
    told = developed_rate(*one_state(Triangle.of(table, np.array([2, 2, 0])), np.array([100.0, 100, 100])))
    assert told.rate[:2] == pytest.approx([0.2, 0.2])
    assert 0.1 < told.rate[2] < 0.3
    assert told.lo[2] < told.rate[2] < told.hi[2]
    nobody = developed_rate(*one_state(Triangle.of(table[:, :2], np.array([0, 0, 0])), np.array([100.0, 100, 100])))
    assert np.isnan(nobody.rate).all(), "a month that no cohort has reached is not known"


def test_counts_on_their_way_are_told_with_intervals_that_hold() -> None:
    rng, arrive = np.random.default_rng(2), 0.25 * 0.75 ** np.arange(20)
    arrive = arrive / arrive.sum()
    held, said = [], []
    for _ in range(200):
        table = rng.multinomial(300, arrive, 40).astype(float)
        triangle = Triangle.of(table, np.minimum(np.arange(40)[::-1], 19))
        told = nowcast(triangle)
        for i in range(25, 39):
            if told.arrived[i] < 1 and not np.isnan(told.total[i]):
                held.append(told.lo[i] <= 300 <= told.hi[i])
                said.append(told.total[i])
        assert np.isnan(told.total[39]), "a quarter has arrived: too little to tell"
    assert np.mean(said) == pytest.approx(300, rel=0.01)
    assert 0.92 < np.mean(held) < 0.98


@given(st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=4, max_size=9))
def test_the_lag_curve_is_the_chain_ladders(rows: list[list[int]]) -> None:
    table = np.array(rows, dtype=float) + 1
    triangle = Triangle.of(table, np.minimum(np.arange(len(rows))[::-1], 3))
    growth = factors(triangle).growth
    assert lag_curve(triangle) == pytest.approx(np.concatenate([1 / np.cumprod(growth[::-1])[::-1], [1.0]]))
    assert (np.diff(lag_curve(triangle)) >= 0).all()
