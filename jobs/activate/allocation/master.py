"""The master programme on the driver: how much of each plan people follow, and which moves the board makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jobs.activate.allocation.board import Moves
from jobs.activate.allocation.program import Floats, Ints, Program


@dataclass(frozen=True)
class Followed:
    """Plans to be mixed: objective of each, and rows x plans what each takes of the rows."""

    objective: Floats
    rows: Floats


@dataclass(frozen=True)
class Settled:
    """Weights of the plans, extent of each move (0 to 1), prices, value, and what of each row is left unmet."""

    weights: Floats
    made: Floats
    prices: Floats
    value: float
    slack: Floats


def master(program: Program, followed: Followed, moves: Moves | None, penalty: Floats) -> Settled:
    """The cheapest mixture and moves within the rows; what cannot be met is slack at a penalty, by row (inf: none)."""
    # Every command imports the jobs; only a plan should pay for the solver.
    import scipy.sparse as sp
    from scipy.optimize import linprog

    count, plans, made = len(program.rows), len(followed.objective), 0 if moves is None else len(moves)
    limits, change = program.limits, np.zeros((count, 0)) if moves is None else moves.rows
    gain = np.zeros(0) if moves is None else moves.objective
    reach = np.abs(followed.rows).max(axis=1, initial=0.0) + np.abs(change).sum(axis=1)
    scale = np.maximum(np.maximum(np.abs(limits), 0.01 * reach), 1e-9)
    unit = max(float(np.abs(followed.objective).max(initial=0.0) + np.abs(gain).sum()), 1e-9)
    offered, sold, tolls = steps_for_sale(program)
    may_lack = np.isfinite(penalty)
    lack = np.where(may_lack, penalty, 0.0) * scale
    objective = np.concatenate([followed.objective, gain, lack, tolls]) / unit
    rows = sp.hstack([sp.csr_matrix(part) for part in (followed.rows, change, -np.diag(scale), sold)])
    once = once_each(moves, plans, len(objective))
    found = linprog(
        objective,
        A_ub=sp.vstack([sp.diags(1.0 / scale) @ rows, once]).tocsc(),
        b_ub=np.concatenate([offered / scale, np.ones(once.shape[0])]),
        A_eq=np.concatenate([np.ones(plans), np.zeros(len(objective) - plans)])[None, :],
        b_eq=[1.0],
        bounds=[(0, 1)] * (plans + made) + [(0, None if may else 0) for may in may_lack] + [(0, 1)] * len(tolls),
        method="highs-ds",
    )
    if found.x is None or found.fun is None:
        raise ValueError(f"the master programme was not solved: {found.message}")
    prices = np.maximum(0.0, -found.ineqlin.marginals[:count]) * unit / scale
    slack = found.x[plans + made : plans + made + count] * scale
    return Settled(found.x[:plans], found.x[plans : plans + made], prices, float(found.fun) * unit, slack)


def steps_for_sale(program: Program) -> tuple[Floats, Floats, Floats]:
    """Limits without what is sold in steps; rows x steps what each step adds (negative); what each whole step costs."""
    steps = [(nth, width, toll) for nth, row in enumerate(program.rows) for width, toll in program.steps_of(row)]
    offered, sold = program.limits.copy(), np.zeros((len(program.rows), len(steps)))
    for number, (nth, width, _) in enumerate(steps):
        sold[nth, number] = -width
        offered[nth] -= width
    return offered, sold, np.array([width * toll for _, width, toll in steps])


def once_each(moves: Moves | None, before: int, width: int) -> Any:
    """A row for each person with several moves: at most one of them is made."""
    import scipy.sparse as sp

    if moves is None:
        return sp.csr_matrix((0, width))
    several, group = _several(moves.person)
    count = int(group.max(initial=-1)) + 1
    return sp.csr_matrix((np.ones(len(several)), (group, before + several)), shape=(count, width))


def _several(person: Ints) -> tuple[Ints, Ints]:
    """The moves of people who have more than one, and the number of each such person."""
    _, back, often = np.unique(person, return_inverse=True, return_counts=True)
    several = np.flatnonzero(often[back] > 1)
    _, group = np.unique(person[several], return_inverse=True)
    return several, group.astype(np.int64)
