"""The price search: a small master on the driver, answered by whoever can sum people's best choices at given prices.

Dantzig-Wolfe with smoothed prices (Wentges). Every answer is a whole plan; the master mixes plans. The unsmoothed dual
value of every price tried is a bound on the best plan, whatever the convergence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jobs.activate.allocation.program import Floats, Ints, Program, activity, objective_of

Answer = Mapping[str, Ints]
Oracle = Callable[[Sequence[Floats]], Sequence[Answer]]
SMOOTHING = (0.0, 0.35, 0.7, 0.9)
TINY = 1e-12
# A unit of slack costs this many times the dearest price seen: high enough that only what cannot be met is left unmet.
PENALTY = 1e3


@dataclass(frozen=True)
class Plan:
    """One answer: the prices it was asked with (None: the empty plan), its objective and its row activity."""

    prices: Floats | None
    objective: float
    activity: Floats


@dataclass(frozen=True)
class Mixture:
    """What the search found: plans with weights, the master's prices, the mixture's objective, the certified bound.

    `centre`: the prices that gave the bound.
    """

    plans: tuple[Plan, ...]
    weights: Floats
    prices: Floats
    centre: Floats
    value: float
    bound: float
    slack: Floats
    passes: int

    @property
    def gap(self) -> float:
        """How far the mixture can be from the best plan, relative to it."""
        return max(0.0, self.value - self.bound) / max(abs(self.value), TINY)

    def used(self) -> list[tuple[Plan, float]]:
        """The plans with weight, in the order they were found, so that a small change of weights moves few people."""
        kept = [(plan, float(w)) for plan, w in zip(self.plans, self.weights, strict=True) if w > 1e-9]
        total = sum(w for _, w in kept)
        return [(plan, w / total) for plan, w in kept]


def search(program: Program, ask: Oracle, *, start: Sequence[Floats] = (), max_gap: float, max_passes: int) -> Mixture:
    """Find a mixture within `max_gap` of the best plan, or the best after `max_passes` questions."""
    limits = program.limits
    plans = [Plan(None, 0.0, np.zeros(len(limits)))]
    best_bound, centre = -np.inf, np.zeros(len(limits))
    questions = [*start] or [np.zeros(len(limits))]
    found: Mixture | None = None
    for number in range(1, max_passes + 1):
        for prices, sums in zip(questions, ask(questions), strict=True):
            plan = Plan(prices, objective_of(program, sums), activity(program, sums))
            plans.append(plan)
            bound = plan.objective + float(np.dot(prices, plan.activity - limits)) + _of_supply(program, prices)
            if bound > best_bound:
                best_bound, centre = bound, prices
        found = mix(program, plans, bound=best_bound, passes=number, centre=centre)
        if found.gap <= max_gap:
            break
        mixed = [(1 - alpha) * found.prices + alpha * centre for alpha in SMOOTHING]
        questions = _distinct(mixed, plans)
        if not questions:
            break
    if found is None:
        raise ValueError("search needs at least one pass; raise max_passes")
    return found


def mix(program: Program, plans: Sequence[Plan], *, bound: float, passes: int, centre: Floats | None = None) -> Mixture:
    """The cheapest mixture of plans within the programme's limits; what cannot be met is left as slack at a penalty."""
    # Every command imports the jobs; only a plan should pay for the solver.
    from scipy.optimize import linprog

    limits = program.limits
    scale = np.maximum(np.abs(limits), 1e-6)
    columns = np.array([plan.activity for plan in plans]).T.reshape(len(limits), len(plans)) / scale[:, None]
    objective = np.array([plan.objective for plan in plans])
    unit = float(np.abs(objective).max()) or 1.0
    penalty = _penalties(program, plans)
    needs_slack = np.flatnonzero(limits < 0.0)
    slack = np.zeros((len(limits), len(needs_slack)))
    slack[needs_slack, np.arange(len(needs_slack))] = -1.0
    steps = [(nth, width, toll) for nth, row in enumerate(program.rows) for width, toll in program.steps_of(row)]
    places, offered = np.zeros((len(limits), len(steps))), limits.copy()
    for number, (nth, width, _) in enumerate(steps):
        places[nth, number] = -width / scale[nth]
        offered[nth] -= width
    tolls = np.array([width * toll for _, width, toll in steps])
    result = linprog(
        np.concatenate([objective / unit, penalty[needs_slack] * scale[needs_slack] / unit, tolls / unit]),
        A_ub=np.hstack([columns, slack, places]) if len(limits) else None,
        b_ub=offered / scale if len(limits) else None,
        A_eq=np.concatenate([np.ones(len(plans)), np.zeros(len(needs_slack) + len(steps))])[None, :],
        b_eq=[1.0],
        bounds=[(0, None)] * (len(plans) + len(needs_slack)) + [(0, 1)] * len(steps),
        method="highs-ds",
    )
    if result.x is None or result.fun is None:
        raise ValueError(f"the master programme was not solved: {result.message}")
    left = np.zeros(len(limits))
    left[needs_slack] = result.x[len(plans) : len(plans) + len(needs_slack)] * scale[needs_slack]
    prices = np.maximum(0.0, -result.ineqlin.marginals) * unit / scale if len(limits) else np.zeros(0)
    value = float(result.fun) * unit
    at = prices if centre is None else centre
    return Mixture(tuple(plans), result.x[: len(plans)], prices, at, value, bound, left, passes)


def _of_supply(program: Program, prices: Floats) -> float:
    """What places bought in steps add to the bound: those worth their toll at the prices, against all of them."""
    total = 0.0
    for row, price in zip(program.rows, prices, strict=True):
        total += sum(width * (price - max(0.0, price - toll)) for width, toll in program.steps_of(row))
    return total


def _penalties(program: Program, plans: Sequence[Plan]) -> Floats:
    """A price of slack for each row: far above what the plans seen spend to move the row by one unit."""
    spread = max(abs(plan.objective) for plan in plans) or 1.0
    reach = np.max([np.abs(plan.activity) for plan in plans], axis=0)
    return np.asarray(PENALTY * spread / np.maximum(np.maximum(reach, np.abs(program.limits) / 100), 1e-6))


def _distinct(questions: Sequence[Floats], plans: Sequence[Plan]) -> list[Floats]:
    """The questions that were not asked before."""
    asked = {plan.prices.tobytes() for plan in plans if plan.prices is not None}
    fresh: list[Floats] = []
    for prices in questions:
        if prices.tobytes() not in asked:
            asked.add(prices.tobytes())
            fresh.append(prices)
    return fresh
