"""Split people made whole where rows are many: each does what they do most, then moves one by one mend the rows.

Among a hundred binding rows a whole-number search finds no plan in bounded time; a greedy one loses some persons. What
rows still lack in the end they are tightened by, and everybody is split and made whole again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jobs.activate.allocation.board import Board, Moves, changes
from jobs.activate.allocation.master import Followed, master
from jobs.activate.allocation.program import NOBODY, Floats, Ints, Program
from jobs.activate.allocation.room import floors, per_person, room_left
from jobs.activate.allocation.sums import activity, objective_of
from jobs.activate.allocation.trading import traded

# Tightenings; times the moves are laid out anew in each, as everybody moves at most once; moves made in each.
ROUNDS, AGAIN, STEPS = 6, 3, 400
TINY = 1e-9  # persons
FURTHER = 1.1  # how much of what a row lacked it is tightened by next


def rounded(program: Program, board: Board, moves: Moves, others: Mapping[str, Ints], penalty: Floats) -> Ints:
    """Everybody's arm on the board, within every row beside what `others` take; else the least short that was found."""
    taken = {name: others[name] + whole for name, whole in moves.sums.items()}
    followed = Followed(np.array([objective_of(program, taken)]), activity(program, taken)[:, None])
    person = per_person(moves.rows)
    over, found = np.zeros(len(person)), list[tuple[float, Ints]]()
    for _ in range(ROUNDS):
        split = master(program.with_limits(program.limits - over), followed, moves, penalty)
        choice = _largest(moves, split.made)
        for _ in range(AGAIN):
            choice, lacks = _mended(program, board, moves, choice, others, split.prices, person)
            if not lacks.any():
                return traded(program, board, moves, choice, others, split.prices)
        found.append((float((lacks / person).max()), choice))
        over = over + FURTHER * lacks
    return min(found, key=lambda one: one[0])[1]


def _mended(
    program: Program, board: Board, moves: Moves, choice: Ints, others: Mapping[str, Ints], prices: Floats, unit: Floats
) -> tuple[Ints, Floats]:
    """Moves made one by one, and what rows lack in the end.

    First caps, places and money are mended, whatever that takes of a floor; then the floor, and what the plan costs, by
    moves that break no row.
    """
    import scipy.sparse as sp

    back = np.unique(moves.person)
    person = np.concatenate([moves.person, back])
    arm = np.concatenate([moves.arm, moves.base[back]])
    now = changes(program, board.people, choice, person, arm)
    room = room_left(program, board, choice, others, unit)
    regret = np.maximum(now.objective + prices @ now.rows, 0.0)
    regret = regret + 1e-3 * float(np.abs(now.objective).mean())
    table = sp.csc_matrix(now.rows / unit[:, None])
    is_floor = floors(program)
    free, choice = arm != choice[person], choice.copy()
    for phase in (~is_floor, is_floor, None):
        for _ in range(STEPS):
            lack = np.maximum(-room, 0.0)[table.indices]
            more = np.maximum(table.data - room[table.indices], 0.0) - lack
            if phase is None:
                score = np.where(free & (_sum(table, np.maximum(more, 0.0)) <= 0.0), -now.objective, 0.0)
            else:
                counted = phase[table.indices]
                fits = (
                    free
                    if phase is not is_floor
                    else free & (_sum(table, np.where(counted, 0.0, np.maximum(more, 0.0))) <= 0.0)
                )
                gained = -_sum(table, np.where(counted, more, 0.0))
                score = np.where(fits & (gained > TINY), gained / regret, 0.0)
                if phase is not is_floor and not score.any():  # whoever is dropped takes their weight off
                    eased = np.where(counted, np.minimum(np.maximum(-table.data, 0.0), lack), 0.0)
                    score = np.where(free & (arm == NOBODY), _sum(table, eased) / regret, 0.0)
            best = int(np.argmax(score))
            if score[best] <= 0.0:
                break
            mine_only = slice(table.indptr[best], table.indptr[best + 1])
            room[table.indices[mine_only]] -= table.data[mine_only]
            choice[person[best]] = arm[best]
            free &= person != person[best]
    return choice, np.maximum(-room, 0.0) * unit


def _largest(moves: Moves, made: Floats) -> Ints:
    """Everybody's arm where each does whatever the linear programme has them do most."""
    stays = 1.0 - np.bincount(moves.person, made, minlength=len(moves.base))
    order = np.argsort(made, kind="stable")
    largest, which = np.zeros(len(moves.base)), np.zeros(len(moves.base), dtype=np.int64)
    largest[moves.person[order]], which[moves.person[order]] = made[order], order
    return np.where(largest > stays, moves.arm[which], moves.base)


def _sum(table: Any, values: Floats) -> Floats:
    """Sums of values by move; exactly zero where all are."""
    summed = np.add.reduceat(np.append(values, 0.0), table.indptr[:-1])
    return np.where(np.diff(table.indptr) > 0, summed, 0.0)
