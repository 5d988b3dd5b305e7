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

SEATS, MOVES_A_SEAT = 20_000, 2  # at most
FEWEST_SEATS, PEOPLE_A_SEAT = 2_000, 50
OWN_SEATS = 200  # seats beside those for each partner's own people: rows of a partner few are sent to need them


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


@dataclass(frozen=True)
class Nearness:
    """How far from indifferent people are at some prices (infinite: no open channel), and who would lend to each."""

    margin: Floats
    partner: Ints

    @classmethod
    def of(cls, program: Program, people: People, prices: Floats) -> Nearness:
        """Of people at prices; NOBODY lends where partners are alike, or somebody is better left off every list."""
        margin = indifference(program, people, prices)
        if program.partners is None:
            return cls(margin, np.full(len(people), NOBODY))
        return cls(margin, program.partners_of(best_arms(program, people, prices)))

    def nearest(self, seats: int) -> NDArray[np.bool_]:
        """Who gets one of the `seats` for anybody or of the OWN_SEATS of their partner; ties to the first."""
        found = _first(self.margin, np.isfinite(self.margin), seats)
        for partner in np.unique(self.partner[self.partner >= 0]):
            found |= _first(self.margin, (self.partner == partner) & np.isfinite(self.margin), OWN_SEATS)
        return found


def _first(margin: Floats, among: NDArray[np.bool_], seats: int) -> NDArray[np.bool_]:
    places = np.flatnonzero(among)
    taken = np.zeros(len(margin), dtype=np.bool_)
    taken[places[np.argsort(margin[places], kind="stable")[:seats]]] = True
    return taken


def nearest(program: Program, board: Board, prices: Floats, seats: int) -> Board:
    """Those nearest to indifferent at the prices, at most `seats` and OWN_SEATS of each partner's people; ties by key.

    Who has no open channel is left out.
    """
    return board.only(np.flatnonzero(Nearness.of(program, board.people, prices).nearest(seats)))


def seats_for(program: Program, people: int) -> int:
    """Seats to begin with: the solver's time goes with them, and few people of all are near to indifferent.

    Where partners have rows of their own each needs people at hand, so there are as many as may be.
    """
    return SEATS if program.partners is not None else min(SEATS, max(FEWEST_SEATS, people // PEOPLE_A_SEAT))


def moves_of(program: Program, board: Board, prices: Floats, most: int = MOVES_A_SEAT * SEATS) -> Moves:
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
