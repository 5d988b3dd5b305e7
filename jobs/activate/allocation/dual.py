"""The price search: a small master on the driver, answered by whoever can sum people's best choices at given prices.

Dantzig-Wolfe with smoothed prices (Wentges). Every answer is a whole plan; the master mixes plans and, where a board is
given, also moves the people on it one by one. The unsmoothed dual value of every price tried is a bound on the best
plan, whatever the convergence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jobs.activate.allocation.answers import best_arms
from jobs.activate.allocation.board import MOVES_A_SEAT, SEATS, Board, Moves, moves_of
from jobs.activate.allocation.columns import regenerated
from jobs.activate.allocation.master import Followed, Settled, master
from jobs.activate.allocation.program import Floats, Ints, Program
from jobs.activate.allocation.sums import activity, objective_of, totals

Answer = Mapping[str, Ints]
Oracle = Callable[[Sequence[Floats]], Sequence[Answer]]
Near = Callable[[Floats, int], Board]
SMOOTHING = (0.0, 0.35, 0.7, 0.9)
TINY = 1e-12
# A unit of slack costs at most this many times what the dearest plan seen spends a unit: only what cannot be met stays
# unmet. It starts lower, as high penalties make prices swing, and rises while anything is unmet.
PENALTY, RAISE = 1e3, 4.0
UNMET = 1e-8  # of a row's scale


@dataclass(frozen=True)
class Plan:
    """One answer: the prices it was asked with (None: the empty plan), its objective and its row activity."""

    prices: Floats | None
    objective: float
    activity: Floats


@dataclass(frozen=True)
class Mixture:
    """What the search found: plans with weights, the master's prices, the mixture's objective, the certified bound.

    `centre`: the prices that gave the bound. `board`, `moves`: people moved one by one.
    `slack`: what each row lacks, which `value` holds at a penalty. `penalty`: the highest there is, by row.
    """

    plans: tuple[Plan, ...]
    weights: Floats
    prices: Floats
    centre: Floats
    value: float
    bound: float
    slack: Floats
    penalty: Floats
    passes: int
    board: Board | None = None
    moves: Moves | None = None

    @property
    def gap(self) -> float:
        """How far the mixture can be from the best plan, relative to it."""
        return max(0.0, self.value - self.bound) / max(abs(self.value), TINY)

    def used(self) -> list[tuple[Plan, float]]:
        """The plans with weight, in the order they were found, so that a small change of weights moves few people."""
        kept = [(plan, float(w)) for plan, w in zip(self.plans, self.weights, strict=True) if w > 1e-9]
        total = sum(w for _, w in kept)
        return [(plan, w / total) for plan, w in kept]


def search(
    program: Program,
    ask: Oracle,
    near: Near | None = None,
    *,
    start: Sequence[Floats] = (),
    max_gap: float,
    max_passes: int,
    seats: int = SEATS,
) -> Mixture:
    """Find a mixture within `max_gap` of the best plan, or the best after `max_passes` questions.

    `near`: the people nearest to indifferent at some prices; none: no board. `seats`: how many of them are asked for
    first; twice as many after each pass that did not come near enough.
    """
    limits = program.limits
    plans = [Plan(None, 0.0, np.zeros(len(limits)))]
    best_bound, centre, level, is_short = -np.inf, np.zeros(len(limits)), 1.0, False
    questions = [*start] or [np.zeros(len(limits))]
    found: Mixture | None = None
    last: Floats | None = None
    for number in range(1, max_passes + 1):
        for prices, sums in zip(questions, ask(questions), strict=True):
            plan = Plan(prices, objective_of(program, sums), activity(program, sums))
            plans.append(plan)
            bound = plan.objective + float(np.dot(prices, plan.activity - limits)) + of_supply(program, prices)
            if bound > best_bound:
                best_bound, centre = bound, prices
        if found is not None and not is_short:
            found = replace(found, bound=best_bound, centre=centre)
            if found.gap <= max_gap:
                return replace(found, passes=number)
        board = near(centre, seats) if near is not None else None
        found = _mixed(program, plans, centre, board, seats, level, best_bound, number, last is not centre)
        last = centre
        seats = min(SEATS, 2 * seats)
        is_short = bool((found.slack > _unmet(program)).any())
        if found.gap <= max_gap and (not is_short or level >= PENALTY):
            break
        level = min(PENALTY, level * RAISE) if is_short else level
        questions = _distinct([(1 - alpha) * found.prices + alpha * centre for alpha in SMOOTHING], plans)
        if not questions:
            break
    if found is None:
        raise ValueError("search needs at least one pass; raise max_passes")
    return found


def _mixed(
    program: Program,
    plans: Sequence[Plan],
    centre: Floats,
    board: Board | None,
    seats: int,
    level: float,
    bound: float,
    passes: int,
    is_new: bool,
) -> Mixture:
    """The cheapest mixture of plans, with the board's moves from its answer to `centre` on top.

    Where partners have rows it is the one plan of a new centre, if the board can make it keep every row: chances of
    following several would leave rows of a few people broken by whoever is not on the board.
    """
    moves = moves_of(program, board, centre, MOVES_A_SEAT * seats) if board is not None else None
    unit = _unit(program, plans, moves)
    # Nobody listed keeps every row but those that ask for something.
    penalty = np.minimum(np.maximum(level * unit, 2.0 * centre), PENALTY * unit)
    penalty = np.where(program.limits < 0.0, penalty, np.inf)
    followed = _followed(program, plans, board, moves)
    if board is not None and moves is not None and program.has_partner_rows:
        alone = _alone(plans, centre) if is_new else None
        moves, found = _generated(program, board, followed, moves, penalty, PENALTY * unit, seats, alone)
    else:
        found = master(program, followed, moves, penalty)
    weights, prices = found.weights, found.prices
    return Mixture(
        tuple(plans), weights, prices, centre, found.value, bound, found.slack, PENALTY * unit, passes, board, moves
    )


def _generated(
    program: Program,
    board: Board,
    followed: Followed,
    moves: Moves,
    penalty: Floats,
    highest: Floats,
    seats: int,
    alone: NDArray[np.bool_] | None,
) -> tuple[Moves, Settled]:
    """The board's moves and the master's answer once no other move would make it much cheaper.

    `alone`: the one plan to follow, if every row can be kept so.
    """
    if alone is not None:
        one = Followed(followed.objective[alone], followed.rows[:, alone])
        others, found = regenerated(program, board, one, moves, highest, MOVES_A_SEAT * seats)
        if (found.slack <= _unmet(program)).all():
            return others, replace(found, weights=alone.astype(np.float64))
    return regenerated(program, board, followed, moves, penalty, MOVES_A_SEAT * seats)


def _alone(plans: Sequence[Plan], prices: Floats) -> NDArray[np.bool_]:
    return np.array([plan.prices is not None and np.array_equal(plan.prices, prices) for plan in plans], dtype=np.bool_)


def _unmet(program: Program) -> Floats:
    return np.asarray(UNMET * np.maximum(np.abs(program.limits), TINY))


def _followed(program: Program, plans: Sequence[Plan], board: Board | None, moves: Moves | None) -> Followed:
    """What each plan takes when the board stays at its own answer instead of following it."""
    objective = np.array([plan.objective for plan in plans])
    rows = np.array([plan.activity for plan in plans]).T.reshape(len(program.rows), len(plans))
    if board is None or moves is None:
        return Followed(objective, rows)
    objective, rows = objective + objective_of(program, moves.sums), rows + activity(program, moves.sums)[:, None]
    for place, plan in enumerate(plans):
        if plan.prices is not None:
            sums = totals(program, board.people, best_arms(program, board.people, plan.prices))
            objective[place] -= objective_of(program, sums)
            rows[:, place] -= activity(program, sums)
    return Followed(objective, rows)


def of_supply(program: Program, prices: Floats) -> float:
    """What places bought in steps add to the bound: those worth their toll at the prices, against all of them."""
    total = 0.0
    for row, price in zip(program.rows, prices, strict=True):
        total += sum(width * (price - max(0.0, price - toll)) for width, toll in program.steps_of(row))
    return total


def _unit(program: Program, plans: Sequence[Plan], moves: Moves | None) -> Floats:
    """What the plans seen spend to move each row by one unit."""
    spread = max(abs(plan.objective) for plan in plans)
    reach = np.max([np.abs(plan.activity) for plan in plans], axis=0)
    if moves is not None:
        spread = max(spread, float(np.abs(moves.objective).sum()))
        reach = np.maximum(reach, np.abs(moves.rows).sum(axis=1))
    return np.asarray((spread or 1.0) / np.maximum(np.maximum(reach, np.abs(program.limits) / 100), 1e-6))


def _distinct(questions: Sequence[Floats], plans: Sequence[Plan]) -> list[Floats]:
    """The questions that were not asked before."""
    asked = {plan.prices.tobytes() for plan in plans if plan.prices is not None}
    fresh: list[Floats] = []
    for prices in questions:
        if prices.tobytes() not in asked:
            asked.add(prices.tobytes())
            fresh.append(prices)
    return fresh
