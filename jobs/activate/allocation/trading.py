"""Whole people traded: pairs of moves at one partner that together keep every row and cost less than they save.

Rounding leaves room on rows that bind, too little for any one person. Somebody in and somebody else out uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.activate.allocation.answers import cheapest_at, reduced_costs
from jobs.activate.allocation.board import Board, Moves, changes
from jobs.activate.allocation.program import Floats, Ints, Program
from jobs.activate.allocation.room import floors, per_person, room_left

# Sweeps over all partners: with floors at their price, given back after each, then with floors kept like any row.
LOOSE, STRICT = 2, 6
PICKS, WIDTH, TRIED = 12, 400, 20  # trades of a partner a sweep; its cheapest moves; pairs looked at in full
OWN_MOVES = 100  # beside the moves given: the cheapest to each partner
RESTORED, REST = 400, 0.02  # moves that give a floor back what it lacks or has too much; what is near enough, persons
TINY = 1e-9


def traded(
    program: Program, board: Board, moves: Moves, choice: Ints, others: Mapping[str, Ints], prices: Floats
) -> Ints:
    """Everybody's arm on the board after trades, from a `choice` that keeps every row beside what `others` take.

    `prices`: of the rows, at which everybody is about as well off as can be.
    """
    person, arm = _open_moves(program, board, moves, prices)
    best, saved = choice, 0.0
    choice, found = choice.copy(), 0.0
    for sweep in range(LOOSE + STRICT):
        table = _Table.of(program, board, choice, others, prices, person, arm)
        loose = sweep < LOOSE and bool(table.is_floor.any())
        made = sum(table.trade(partner, loose) for partner in range(program.lenders))
        if loose:
            table.restore()
        found += table.cost
        if found < saved and (table.room >= 0.0).all():
            best, saved = choice.copy(), found
        if not made and not loose:
            break
    return best


@dataclass
class _Table:
    """What each move changes of the choice as it is, rows in persons; changed in place as moves are made."""

    choice: Ints
    person: Ints
    arm: Ints
    objective: Floats
    rows: Floats
    prices: Floats
    room: Floats
    partner: Ints  # of each row; -1: everybody's
    is_floor: NDArray[np.bool_]
    free: NDArray[np.bool_]
    cost: float = 0.0  # of the moves made

    @classmethod
    def of(
        cls,
        program: Program,
        board: Board,
        choice: Ints,
        others: Mapping[str, Ints],
        prices: Floats,
        person: Ints,
        arm: Ints,
    ) -> _Table:
        now = changes(program, board.people, choice, person, arm)
        unit = per_person(now.rows)
        return cls(
            choice=choice,
            person=person,
            arm=arm,
            objective=now.objective,
            rows=now.rows / unit[:, None],
            prices=prices * unit,
            room=room_left(program, board, choice, others, unit),
            partner=np.array([-1 if row.partner is None else row.partner for row in program.rows]),
            is_floor=floors(program),
            free=arm != choice[person],
        )

    def trade(self, partner: int, loose: bool) -> int:
        """Make the trades of one partner that save most; how many moves that were.

        `loose`: floors count at their prices instead of being kept.
        """
        others = (self.partner >= 0) & (self.partner != partner)
        near = np.flatnonzero((self.rows[self.partner == partner] != 0.0).any(axis=0) & self.free)
        fits = (self.rows[np.ix_(others, near)] <= np.maximum(self.room[others], 0.0)[:, None]).all(axis=0)
        near = near[fits]
        regret = self.objective[near] + self.prices @ self.rows[:, near]
        near, made = near[np.argsort(regret, kind="stable")[:WIDTH]], 0
        for _ in range(PICKS):
            near = near[self.free[near]]
            pair = self._best_pair(near, ~others, loose)
            if not len(pair):
                break
            self._make(pair)
            made += len(pair)
        return made

    def _best_pair(self, near: Ints, watched: NDArray[np.bool_], loose: bool) -> Ints:
        """Of these moves the one or two that save most and keep the rows; none where none save anything."""
        if not len(near):
            return near
        kept = self._kept(loose)
        cost = np.append(self._costs(near, loose), 0.0)  # the last stands for no second move
        heaviest = np.abs(self.rows[:, near]).max(axis=1)
        tight = np.flatnonzero(watched & kept & (heaviest > 0.0) & (self.room < 2.0 * heaviest))
        person = np.append(self.person[near], -1)
        fits = person[:, None] != person[None, :]
        for row in tight:
            weight = np.append(self.rows[row, near], 0.0)
            fits &= weight[:, None] + weight[None, :] <= max(self.room[row], 0.0)
        saving = np.where(fits, cost[:, None] + cost[None, :], 0.0).ravel()
        good = np.flatnonzero(saving < -TINY)
        if len(good) > TRIED:
            good = good[np.argpartition(saving[good], TRIED)[:TRIED]]
        for one in good[np.argsort(saving[good], kind="stable")]:
            pair = near[[place for place in divmod(int(one), len(cost)) if place < len(near)]]
            left = self.room - self.rows[:, pair].sum(axis=1)
            if not (kept & (left < np.minimum(self.room, 0.0))).any():
                return pair
        return near[:0]

    def restore(self) -> None:
        """Give back what a floor has too much, or gain what it lacks, where that costs least and keeps other rows."""
        floor = int(np.argmax(self.is_floor))
        others = np.flatnonzero(~self.is_floor)
        cost, gained = self._costs(np.arange(len(self.arm)), True), -self.rows[floor]
        for _ in range(RESTORED):
            if 0.0 <= self.room[floor] <= REST:
                break
            if self.room[floor] > 0.0:
                can = self.free & (gained < 0.0) & (-gained <= self.room[floor]) & (self.objective < 0.0)
            else:
                can = self.free & (gained > 0.0)
            able = np.flatnonzero(can)
            able = able[(self.rows[np.ix_(others, able)] <= np.maximum(self.room[others], 0.0)[:, None]).all(axis=0)]
            if not len(able):
                break
            self._make(able[[np.argmin(cost[able] / np.abs(gained[able]))]])

    def _kept(self, loose: bool) -> NDArray[np.bool_]:
        return np.asarray(~self.is_floor if self._is_priced(loose) else np.ones_like(self.is_floor))

    def _costs(self, moves: Ints, loose: bool) -> Floats:
        charge = self.prices[self.is_floor] @ self.rows[np.ix_(self.is_floor, moves)]
        return np.asarray(self.objective[moves] + charge if self._is_priced(loose) else self.objective[moves])

    def _is_priced(self, loose: bool) -> bool:
        return loose or bool((self.room[self.is_floor] < 0.0).any())

    def _make(self, moves: Ints) -> None:
        self.room -= self.rows[:, moves].sum(axis=1)
        self.cost += float(self.objective[moves].sum())
        self.choice[self.person[moves]] = self.arm[moves]
        self.free &= ~np.isin(self.person, self.person[moves])


def _open_moves(program: Program, board: Board, moves: Moves, prices: Floats) -> tuple[Ints, Ints]:
    """The moves given, those back to where each person was, and the cheapest to each partner; in order, each once."""
    back = np.unique(moves.person)
    person, arm = [moves.person, back], [moves.arm, moves.base[back]]
    if program.partners is not None:
        cost, where = cheapest_at(program, board.people, prices)
        extra = cost - np.minimum(reduced_costs(program, board.people, prices).min(axis=1), 0.0)[:, None]
        for partner in range(program.lenders):
            first = np.argsort(extra[:, partner], kind="stable")[:OWN_MOVES]
            first = first[np.isfinite(extra[first, partner])]
            person.append(first)
            arm.append(where[first, partner] * program.lenders + partner)
    width = len(program.channels) * program.lenders + 1
    pair = np.unique(np.concatenate(person) * width + np.concatenate(arm) + 1)
    return pair // width, pair % width - 1
