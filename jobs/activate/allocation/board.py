"""The board: people nearest to indifferent at some prices, held on the driver, each with the moves open to them.

Prices decide for everybody else. Whoever is on the board is put person by person, so that rows are met as prices alone
cannot meet them. How many that are does not depend on how many people there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.activate.allocation.answers import best_arms, offers, weights
from jobs.activate.allocation.choosers import Luck
from jobs.activate.allocation.program import NOBODY, Floats, Ints, People, Program
from jobs.activate.allocation.sums import totals

SEATS, MOVES = 20_000, 40_000


@dataclass(frozen=True)
class Board:
    """People with their keys and luck, in the order of their keys."""

    keys: NDArray[np.object_]
    people: People
    luck: Luck

    def __len__(self) -> int:
        return len(self.people)

    def only(self, chosen: NDArray[Any]) -> Board:
        """Some of them, by place or by a mask."""
        luck = {name: draws[chosen] for name, draws in self.luck.items()}
        return Board(self.keys[chosen], self.people.only(chosen), luck)


@dataclass(frozen=True)
class Moves:
    """A choice of everybody on a board, and single changes of it.

    `person`, `arm` (NOBODY: off every list): one a move. `objective`, `rows` (rows x moves): what a move changes.
    `sums`: the exact sums of the choice before any move.
    """

    base: Ints
    person: Ints
    arm: Ints
    objective: Floats
    rows: Floats
    sums: Mapping[str, Ints]

    def __len__(self) -> int:
        return len(self.person)

    def after(self, made: NDArray[np.bool_]) -> Ints:
        """Everybody's arm once some moves are made."""
        choice = self.base.copy()
        choice[self.person[made]] = self.arm[made]
        return choice


def indifference(program: Program, people: People, prices: Floats) -> Floats:
    """How much better each person's best answer is than the next, natural units; infinite where no channel is open."""
    costs = offers(program, people, prices).cost
    lowest, second = np.zeros(len(people)), np.full(len(people), np.inf)
    for k in range(costs.shape[1]):
        second = np.minimum(second, np.maximum(lowest, costs[:, k]))
        lowest = np.minimum(lowest, costs[:, k])
    return second - lowest


def nearest(program: Program, board: Board, prices: Floats, seats: int) -> Board:
    """Those nearest to indifferent at the prices, at most `seats`; ties by key. Who has no open channel is left out."""
    margin = indifference(program, board.people, prices)
    found = np.flatnonzero(np.isfinite(margin))
    if len(found) > seats:
        last = np.partition(margin[found], seats - 1)[seats - 1]
        sure, tied = found[margin[found] < last], found[margin[found] == last]
        found = np.sort(np.concatenate([sure, tied[: seats - len(sure)]]))
    return board.only(found)


def moves_of(program: Program, board: Board, prices: Floats, most: int = MOVES) -> Moves:
    """The board's best answer to prices and, of all changes of it, the `most` that cost least there.

    Dropping somebody always counts among the cheapest, so that whatever the board takes of a row can be given back.
    """
    people = board.people
    base, open_to = best_arms(program, people, prices), offers(program, people, prices)
    nobody = np.full(len(board), NOBODY)
    costs, arms = np.column_stack([open_to.cost, np.zeros(len(board))]), np.column_stack([open_to.arm, nobody])
    stays = (arms == base[:, None]) & np.isfinite(costs)
    extra = costs - costs[stays][:, None]
    extra[:, -1] = -1.0
    extra[stays] = np.inf
    open_moves = np.flatnonzero(np.isfinite(extra.ravel()))
    cheapest = np.argsort(extra.ravel()[open_moves], kind="stable")[:most]
    chosen = np.sort(open_moves[cheapest])
    return changes(program, people, base, chosen // arms.shape[1], arms.ravel()[chosen])


def changes(program: Program, people: People, base: Ints, person: Ints, arm: Ints) -> Moves:
    """What it changes to put each of `person` on `arm` instead of where `base` puts them."""
    before, after = (weights(program, people, person, one) for one in (base[person], arm))
    return Moves(base, person, arm, after[0] - before[0], after[1] - before[1], totals(program, people, base))
