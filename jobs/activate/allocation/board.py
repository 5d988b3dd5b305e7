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

from jobs.activate.allocation.choosers import Luck
from jobs.activate.allocation.program import (
    NOBODY,
    Floats,
    Ints,
    People,
    Program,
    best_channels,
    reduced_costs,
    totals,
    weight,
    worth,
)

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
        amounts = {name: whole[chosen] for name, whole in self.people.amounts.items()}
        luck = {name: draws[chosen] for name, draws in self.luck.items()}
        return Board(self.keys[chosen], People(self.people.may[chosen], amounts), luck)


@dataclass(frozen=True)
class Moves:
    """A choice of everybody on a board, and single changes of it.

    `person`, `channel` (NOBODY: off every list): one a move. `objective`, `rows` (rows x moves): what a move changes.
    `sums`: the exact sums of the choice before any move.
    """

    base: Ints
    person: Ints
    channel: Ints
    objective: Floats
    rows: Floats
    sums: Mapping[str, Ints]

    def __len__(self) -> int:
        return len(self.person)

    def after(self, made: NDArray[np.bool_]) -> Ints:
        """Everybody's channel once some moves are made."""
        choice = self.base.copy()
        choice[self.person[made]] = self.channel[made]
        return choice


def indifference(program: Program, people: People, prices: Floats) -> Floats:
    """How much better each person's best answer is than the next, natural units; infinite where no channel is open."""
    costs = reduced_costs(program, people, prices)
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
    people, count, channels = board.people, len(board), len(program.channels)
    base = best_channels(program, people, prices)
    costs = np.column_stack([reduced_costs(program, people, prices), np.zeros(count)])
    everybody = np.arange(count)
    extra = costs - costs[everybody, base][:, None]
    extra[:, channels] = -1.0
    extra[everybody, base] = np.inf  # NOBODY is the last column
    open_moves = np.flatnonzero(np.isfinite(extra.ravel()))
    cheapest = np.argsort(extra.ravel()[open_moves], kind="stable")[:most]
    person, place = np.divmod(np.sort(open_moves[cheapest]), channels + 1)
    return changes(program, people, base, person, np.where(place == channels, NOBODY, place))


def changes(program: Program, people: People, base: Ints, person: Ints, channel: Ints) -> Moves:
    """What it changes to put each of `person` on `channel` instead of where `base` puts them."""
    chosen, objective = base[person], np.zeros(len(person))
    rows = np.zeros((len(program.rows), len(person)))
    for k in range(len(program.channels)):
        sign = (channel == k).astype(np.float64) - (chosen == k)
        objective += sign * worth(program, people, k)[person]
        for nth, row in enumerate(program.rows):
            if row.channel in (None, k):
                each = weight(program, row, people, k)
                rows[nth] += sign * (each[person] if isinstance(each, np.ndarray) else each)
    return Moves(base, person, channel, objective, rows, totals(program, people, base))
