"""The cheapest plan at a volume: against an exact solver where prices stand still, against itself where they rise."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from jobs.evaluate.judge import Stakes, judge_at
from jobs.evaluate.optimum import cheapest_plan
from segments.impact import Impact

PEOPLE, CHANNELS = 3000, 4


def stakes(seed: int, elasticity: float) -> Stakes:
    draw = np.random.default_rng(seed)
    intent = draw.normal(size=(PEOPLE, 1))
    funded = np.exp(-6 + 0.8 * intent + 0.7 * draw.normal(size=(PEOPLE, CHANNELS)))
    cost = np.exp(0.5 * intent + 0.5 * draw.normal(size=(PEOPLE, CHANNELS)) + np.linspace(-0.5, 0.5, CHANNELS))
    room = np.full(CHANNELS, PEOPLE // 8)
    impact = Impact((elasticity,) * CHANNELS, (PEOPLE / 16,) * CHANNELS)
    return Stakes(cost, funded, funded, np.zeros(PEOPLE), np.zeros(PEOPLE), room, impact)


def played(known: Stakes, planned_for: Impact, goal: float) -> float:
    everything = np.ones(known.cost.shape, dtype=np.bool_)
    order = cheapest_plan(known.cost, known.good, everything, known.capacity, planned_for, goal * 1.02)
    assert len(np.unique(order.person)) == len(order)
    assert (np.bincount(order.channel, minlength=CHANNELS) <= known.capacity).all()
    verdict = judge_at(known, order, goal)
    assert verdict is not None
    return verdict.spend


def exact(known: Stakes, goal: float) -> float:
    """Least spend for a volume with a variable a pair, by HiGHS."""
    one_each = sp.kron(sp.eye(PEOPLE), np.ones((1, CHANNELS)))
    places = sp.kron(np.ones((1, PEOPLE)), sp.eye(CHANNELS))
    rows = sp.vstack([one_each, places, -sp.csr_matrix(known.good.ravel())])
    limits = np.concatenate([np.ones(PEOPLE), known.capacity, [-goal]])
    return float(linprog(known.cost.ravel(), A_ub=rows.tocsr(), b_ub=limits, bounds=(0, None), method="highs").fun)


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_where_prices_stand_still_nothing_is_cheaper(share: float) -> None:
    known = stakes(3, 0.0)
    goal = share * float(np.sort(known.good.max(axis=1))[-PEOPLE // 2 :].sum())
    assert played(known, known.impact, goal) == pytest.approx(exact(known, goal), rel=0.01)


@pytest.mark.parametrize("seed", [1, 2])
def test_where_prices_rise_with_use_a_plan_that_knows_it_is_cheaper(seed: int) -> None:
    known = stakes(seed, 0.3)
    goal = 0.3 * float(np.sort(known.good.max(axis=1))[-PEOPLE // 2 :].sum())
    flat = Impact((0.0,) * CHANNELS, known.impact.usual)
    assert played(known, known.impact, goal) < played(known, flat, goal)
