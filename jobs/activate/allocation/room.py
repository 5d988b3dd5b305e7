"""How much room a choice of whole people leaves on each row, told in persons."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from jobs.activate.allocation.board import Board
from jobs.activate.allocation.program import Floats, Ints, Program
from jobs.activate.allocation.sums import activity, totals

HAIR = 1e-7  # of a person's weight, kept free of each row


def floors(program: Program) -> NDArray[np.bool_]:
    """Which rows ask for something."""
    return np.array([row.kind.startswith("-") for row in program.rows], dtype=np.bool_)


def per_person(rows: Floats) -> Floats:
    """What a person weighs on each row, on average over the moves that touch it."""
    touched: NDArray[np.int64] = np.maximum((rows != 0).sum(axis=1), 1)
    return np.asarray(np.maximum(np.abs(rows).sum(axis=1) / touched, 1e-12))


def room_left(program: Program, board: Board, choice: Ints, others: Mapping[str, Ints], unit: Floats) -> Floats:
    """What is left of each row, in units of `unit`, beside what `others` take; below 0 where it is broken."""
    mine = totals(program, board.people, choice)
    room = (program.limits - activity(program, {name: others[name] + mine[name] for name in mine})) / unit
    hair = np.array([0.0 if row.kind == "places" else HAIR for row in program.rows])
    return np.asarray(np.maximum(room - hair, np.minimum(room, 0.0)))
