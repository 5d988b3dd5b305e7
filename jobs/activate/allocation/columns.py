"""Column generation on the board: after each master programme, the moves that would make it cheaper at its prices."""

from __future__ import annotations

import numpy as np

from jobs.activate.allocation.answers import offers, weights
from jobs.activate.allocation.board import Board, Moves, changes
from jobs.activate.allocation.master import Followed, Settled, master
from jobs.activate.allocation.program import NOBODY, Floats, Program

ROUNDS, MISSED = 8, 1e-5  # master programmes at most; what of the value the board may leave


def regenerated(
    program: Program, board: Board, followed: Followed, moves: Moves, penalty: Floats, most: int
) -> tuple[Moves, Settled]:
    """The master programme's answer, and its moves, once no other move of the board would make it much cheaper.

    `moves`: those to begin with. `most`: about so many are held at a time.
    """
    for _ in range(ROUNDS):
        found = master(program, followed, moves, penalty)
        others, missed = _others(program, board, moves, found, most)
        if missed <= MISSED * abs(found.value):
            return moves, found
        moves = others
    return moves, master(program, followed, moves, penalty)


def _others(program: Program, board: Board, moves: Moves, found: Settled, most: int) -> tuple[Moves, float]:
    """Other moves from the same base, and how much less than with `moves` the board could cost at the prices.

    Of the moves `most` stay: those in use, those that drop somebody (so that whatever is taken of a row can be given
    back), and those that cost least against what they leave their person with. Beside them come those that would make
    it cheaper, or nearly: half of `most` at least, `most` at most.
    """
    people, base, none, prices = board.people, moves.base, np.full(len(board), NOBODY), found.prices
    open_to = offers(program, people, prices)
    costs, arms = np.column_stack([open_to.cost, np.zeros(len(board))]), np.column_stack([open_to.arm, none])
    objective, rows = weights(program, people, np.arange(len(board)), base)
    regret, saved = moves.objective + prices @ moves.rows, np.zeros(len(board))
    np.minimum.at(saved, moves.person, regret)
    extra = costs - (objective + prices @ rows + saved)[:, None]
    missed = float(-np.minimum(extra.min(axis=1), 0.0).sum())
    stays = (found.made > 0.0) | (moves.arm == NOBODY)
    old = np.argsort(np.where(stays, -np.inf, regret - saved[moves.person]), kind="stable")[:most]
    extra[(arms == base[:, None]) | ~np.isfinite(extra)] = np.inf
    order = np.argsort(extra.ravel(), kind="stable")
    count = min(max(int((extra < 0.0).sum()), most // 2), most, int(np.isfinite(extra).sum()))
    new, width = order[:count], len(program.channels) * program.lenders + 1
    person = np.concatenate([moves.person[old], new // arms.shape[1]])
    arm = np.concatenate([moves.arm[old], arms.ravel()[new]])
    pair = np.unique(person * width + arm + 1)
    return changes(program, people, base, pair // width, pair % width - 1), missed
