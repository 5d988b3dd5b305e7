"""The cheapest plan at a volume: against an exact solver where prices stand still, against itself where they rise."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from jobs.evaluate.judge import Caps, Stakes, judge_at
from jobs.evaluate.optimum import NO_CAPS, Hopes, cheapest_plan
from segments.impact import Impact

PEOPLE, CHANNELS = 3000, 4


def stakes(seed: int, elasticity: float) -> Stakes:
    draw = np.random.default_rng(seed)
    intent = draw.normal(size=(PEOPLE, 1))
    funded = np.exp(-6 + 0.8 * intent + 0.7 * draw.normal(size=(PEOPLE, CHANNELS)))
    cost = np.exp(0.5 * intent + 0.5 * draw.normal(size=(PEOPLE, CHANNELS)) + np.linspace(-0.5, 0.5, CHANNELS))
    room = np.full(CHANNELS, PEOPLE // 8)
    impact = Impact((elasticity,) * CHANNELS, (PEOPLE / 16,) * CHANNELS)
    late = np.exp(-3.2 + 0.9 * draw.normal(size=PEOPLE) + 0.4 * intent[:, 0])
    return Stakes(cost, funded, funded, np.minimum(late, 0.9), np.zeros(PEOPLE), room, impact)


def played(known: Stakes, planned_for: Impact, goal: float, caps: Caps = NO_CAPS) -> float:
    everything = np.ones(known.cost.shape, dtype=np.bool_)
    hopes = Hopes(known.cost, known.good, known.late, known.fraud)
    order = cheapest_plan(hopes, everything, known.capacity, planned_for, goal * 1.02, caps)
    assert len(np.unique(order.person)) == len(order)
    assert (np.bincount(order.channel, minlength=CHANNELS) <= known.capacity).all()
    verdict = judge_at(known, order, goal)
    assert verdict is not None
    assert caps.late is None or 0.95 * caps.late < verdict.late_rate < 1.005 * caps.late
    return verdict.spend


def exact(known: Stakes, goal: float, caps: Caps = NO_CAPS) -> float:
    """Least spend for a volume with a variable a pair, by HiGHS."""
    one_each = sp.kron(sp.eye(PEOPLE), np.ones((1, CHANNELS)))
    places = sp.kron(np.ones((1, PEOPLE)), sp.eye(CHANNELS))
    rows = sp.vstack([one_each, places, -sp.csr_matrix(known.good.ravel())])
    limits = np.concatenate([np.ones(PEOPLE), known.capacity, [-goal]])
    if caps.late is not None:
        over = known.funded * (known.late - caps.late)[:, None]
        rows, limits = sp.vstack([rows, sp.csr_matrix(over.ravel())]), np.append(limits, 0.0)
    return float(linprog(known.cost.ravel(), A_ub=rows.tocsr(), b_ub=limits, bounds=(0, None), method="highs").fun)


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_where_prices_stand_still_nothing_is_cheaper(share: float) -> None:
    known = stakes(3, 0.0)
    goal = share * float(np.sort(known.good.max(axis=1))[-PEOPLE // 2 :].sum())
    assert played(known, known.impact, goal) == pytest.approx(exact(known, goal), rel=0.01)


def test_under_a_cap_on_lateness_nothing_is_cheaper_and_the_cap_is_paid_for() -> None:
    known = stakes(3, 0.0)
    goal = 0.2 * float(np.sort(known.good.max(axis=1))[-PEOPLE // 2 :].sum())
    caps = Caps(late=0.03)
    assert played(known, known.impact, goal, caps) == pytest.approx(exact(known, goal, caps), rel=0.02)
    assert exact(known, goal, caps) > 1.04 * exact(known, goal)


@pytest.mark.parametrize("seed", [1, 2])
def test_where_prices_rise_with_use_a_plan_that_knows_it_is_cheaper(seed: int) -> None:
    known = stakes(seed, 0.3)
    goal = 0.3 * float(np.sort(known.good.max(axis=1))[-PEOPLE // 2 :].sum())
    flat = Impact((0.0,) * CHANNELS, known.impact.usual)
    assert played(known, known.impact, goal) < played(known, flat, goal)
