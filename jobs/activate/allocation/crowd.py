"""All the people whom prices are to choose for, wherever they are held: what a search asks of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from jobs.activate.allocation.answers import best_arms
from jobs.activate.allocation.board import Board, nearest
from jobs.activate.allocation.choosers import is_explorer
from jobs.activate.allocation.program import Floats, Ints, Program
from jobs.activate.allocation.sums import totals


class Crowd(Protocol):
    """Sums over all of them, and a bounded number of them in person."""

    def ask(self, questions: Sequence[Floats]) -> Sequence[Mapping[str, Ints]]:
        """Exact sums of everybody's best answer to each of several prices."""
        ...

    def near(self, prices: Floats, seats: int) -> Board:
        """At most so many people, those nearest to indifferent at the prices, some of each partner's too; by key."""
        ...


@dataclass(frozen=True)
class Here:
    """People in memory."""

    program: Program
    board: Board

    def ask(self, questions: Sequence[Floats]) -> list[dict[str, Ints]]:
        """Exact sums of everybody's best answer to each of several prices."""
        people = self.board.people
        return [totals(self.program, people, best_arms(self.program, people, prices)) for prices in questions]

    def near(self, prices: Floats, seats: int) -> Board:
        """At most so many people, those nearest to indifferent at the prices, some of each partner's too; by key."""
        return nearest(self.program, self.board, prices, seats)


def policy_people(board: Board, exploration: float) -> Board:
    """Those of a board who do not explore."""
    return board.only(~is_explorer(board.luck, exploration))
