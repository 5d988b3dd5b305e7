"""Whole people: the board is put, person by person, beside what everybody else takes, so that every row holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.activate.allocation.board import Board, Moves, changes
from jobs.activate.allocation.master import Followed, master, once_each, steps_for_sale
from jobs.activate.allocation.program import Floats, Ints, Program
from jobs.activate.allocation.quiet import unheard
from jobs.activate.allocation.rounding import rounded
from jobs.activate.allocation.sums import activity, objective_of, totals, violation
from jobs.activate.allocation.trading import traded

# People tried together, beside those whom the linear programme splits; nodes of the search; whether rows may be broken.
# Nodes, not seconds, so that the same inputs give the same plan.
EFFORTS: tuple[tuple[int, int, bool], ...] = ((150, 500, False), (600, 1_000, False), (600, 1_000, True))
MANY = 60  # rows, among which a whole-number search finds no plan in bounded time
WHOLE_GAP = 1e-5
# Kept free of each row but places, and what breaking it costs: both of the weight of one person.
HAIR, PENALTY = 1e-5, 100.0
SPLIT = 1e-6
NOTHING = 1e-8  # of the heaviest person: the solver would ignore what weighs less, and complain


@dataclass(frozen=True)
class Whole:
    """The board's arms (NOBODY: none), and exact sums of everybody."""

    choice: Ints
    sums: dict[str, Ints]


def whole_people(program: Program, board: Board, moves: Moves, others: Mapping[str, Ints], penalty: Floats) -> Whole:
    """Put the board beside what `others` take (exact sums).

    A linear programme splits few people; those and the nearest to them are then put by a whole-number one, or, where
    rows are many, moved greedily; where partners have a few rows the cheaper of both is taken. Rows that whole people
    cannot keep are broken by little.
    """
    efforts, found = EFFORTS, list[Whole]()
    if program.has_partner_rows or len(program.rows) > MANY:
        choice = rounded(program, board, moves, others, penalty)
        found.append(Whole(choice, _plus(others, totals(program, board.people, choice))))
        if len(program.rows) > MANY:
            if _lack(program, found[-1]) == 0.0:
                return found[-1]
            efforts = EFFORTS[-1:]
    taken = _plus(others, moves.sums)
    followed = Followed(np.array([objective_of(program, taken)]), activity(program, taken)[:, None])
    split = master(program, followed, moves, penalty)
    regret = moves.objective + split.prices @ moves.rows
    for tried, nodes, may_lack in efforts:
        few, choice = _few(moves, split.made, regret, tried)
        choice[few] = moves.base[few]
        kept = np.isin(moves.person, few)
        left = changes(program, board.people, choice, moves.person[kept], moves.arm[kept])
        made = _made(program, left, _plus(others, left.sums), split.prices, nodes, may_lack)
        if made is not None:
            final = left.after(made)
            if program.has_partner_rows:
                final = traded(program, board, moves, final, others, split.prices)
            found.append(Whole(final, _plus(others, totals(program, board.people, final))))
            if _lack(program, found[-1]) == 0.0:
                break
    if not found:
        raise ValueError("no whole people were found, not even with rows broken")
    return min(found, key=lambda one: (_lack(program, one), objective_of(program, one.sums)))


def _lack(program: Program, whole: Whole) -> float:
    return violation(program, activity(program, whole.sums))


def _few(moves: Moves, made: Floats, regret: Floats, tried: int) -> tuple[Ints, Ints]:
    """Who is left to the whole-number programme, by place; and everybody's arm by the linear one."""
    count = len(moves.base)
    largest = np.zeros(count)
    np.maximum.at(largest, moves.person, made)
    is_split = (largest > SPLIT) & (largest < 1.0 - SPLIT)
    # At the prices each person's choice costs least, so the nearest are those whose next best costs little more.
    person = np.concatenate([np.arange(count), moves.person])
    cost = np.concatenate([np.zeros(count), regret])  # staying costs nothing
    order = np.lexsort((cost, person))
    first = np.flatnonzero(np.diff(person[order], prepend=-1))
    second = np.minimum(first + 1, len(order) - 1)
    can_move = person[order][second] == np.arange(count)
    margin = np.where(can_move & (second > first), cost[order][second] - cost[order][first], np.inf)
    near = np.argsort(np.where(is_split, -1.0, margin), kind="stable")[: int(is_split.sum()) + tried]
    return np.sort(near[np.isfinite(margin[near])]), moves.after(made > 1.0 - SPLIT)


def _made(
    program: Program, moves: Moves, taken: Mapping[str, Ints], prices: Floats, nodes: int, may_lack: bool
) -> NDArray[np.bool_] | None:
    """Which moves to make; None where none were found that keep the rows.

    Everything is told in the weight of one person: the solver's tolerances are absolute.
    """
    import scipy.sparse as sp
    from scipy.optimize import Bounds, LinearConstraint, milp

    count, made = len(program.rows), len(moves)
    scale = np.maximum(np.abs(moves.rows).max(axis=1, initial=0.0), 1e-9)
    unit = max(float(np.abs(moves.objective).max(initial=0.0)), 1e-9)
    offered, sold, tolls = steps_for_sale(program)
    hair = np.array([0.0 if row.kind == "places" else HAIR for row in program.rows])
    penalty = np.maximum(PENALTY, 10.0 * prices * scale / unit)
    # The last variable is 1: the objective of what is taken, which the relative gap is to count.
    base = objective_of(program, taken) / unit
    objective = np.concatenate([moves.objective / unit, penalty, tolls / unit, [base]])
    rows = sp.hstack([sp.csr_matrix(part) for part in (moves.rows, -np.diag(scale), sold, np.zeros((count, 1)))])
    matrix = sp.csr_matrix(sp.diags(1.0 / scale) @ rows)
    matrix.data[np.abs(matrix.data) < NOTHING] = 0.0
    matrix.eliminate_zeros()
    once = once_each(moves, 0, len(objective))
    upper = np.concatenate([(offered - activity(program, taken)) / scale - hair, np.ones(once.shape[0])])
    most = np.asarray(abs(matrix[:, :made]).sum(axis=1)).ravel() + np.abs(upper[:count])
    top = np.concatenate([np.ones(made), np.where(may_lack, most, 0.0), np.ones(len(tolls) + 1)])
    with unheard():
        found = milp(
            objective,
            integrality=np.concatenate([np.ones(made), np.zeros(count + len(tolls) + 1)]),
            bounds=Bounds(np.concatenate([np.zeros(len(top) - 1), [1.0]]), top),
            constraints=LinearConstraint(sp.vstack([matrix, once]).tocsc(), -np.inf, upper),
            options={"node_limit": nodes, "mip_rel_gap": WHOLE_GAP},
        )
    return None if found.x is None else np.asarray(found.x[:made] > 0.5)


def _plus(left: Mapping[str, Ints], right: Mapping[str, Ints]) -> dict[str, Ints]:
    return {name: left[name] + right[name] for name in left}
