"""Who is put where: pure choices over a batch of people, each with the probability it was made with.

Luck comes from a salted hash of the person, so that a choice is the same wherever and whenever it is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from jobs.activate.allocation.answers import best_arms
from jobs.activate.allocation.partners import Partners
from jobs.activate.allocation.placed import ELSEWHERE
from jobs.activate.allocation.program import NOBODY, Floats, Ints, People, Program

Luck = dict[str, Floats]


class Chooser(Protocol):
    """Picks an arm or NOBODY for each person of a batch."""

    def choose(self, people: People, luck: Luck) -> Ints:
        """The choice, one a person."""
        ...


@dataclass(frozen=True)
class AtPrices:
    """Each policy person's best arm at some prices; explorers are not its business."""

    program: Program
    prices: Floats
    exploration: float

    def choose(self, people: People, luck: Luck) -> Ints:
        """The cheapest arm by reduced cost."""
        best = best_arms(self.program, people, self.prices)
        return np.where(is_explorer(luck, self.exploration), NOBODY, best)


@dataclass(frozen=True)
class Exploring:
    """Explorers spread evenly over their open channels; a channel keeps the share `keep` of those it is given.

    Each goes to one of the `partners` that take them, by chance, which keeps the share `lend` of those whose late and
    fraudulent are no more than `caps` times their funded (by partner; as the quantities are told). Who goes to none is
    not listed.
    """

    exploration: float
    keep: tuple[float, ...]
    partners: Partners | None = None
    lend: tuple[float, ...] = ()
    caps: tuple[tuple[str, tuple[float, ...]], ...] = ()

    def choose(self, people: People, luck: Luck) -> Ints:
        """A channel drawn evenly among the open ones, kept with the channel's and the partner's share."""
        picked, kept = pick_open(people.may, luck["pick"]), np.append(np.array(self.keep), 0.0)
        explores = is_explorer(luck, self.exploration)
        if self.partners is None or people.kind is None:
            return np.where(explores & (luck["keep"] < kept[picked]), picked, NOBODY)
        # What picking a channel leaves of its luck is luck again.
        rest = np.mod(luck["pick"] * people.may.sum(axis=1), 1.0)
        partner = np.full(len(people), NOBODY, dtype=np.int64)
        partner[explores] = self.partners.drawn(people.kind[explores], rest[explores])
        share = kept[picked] * np.append(np.array(self.lend), 0.0)[partner]
        person = np.arange(len(people))
        for name, caps in self.caps:
            share = share * self._within(people, name, np.array(caps)[partner], (person, picked))
        return np.where(explores & (luck["keep"] < share), picked * len(self.partners) + partner, NOBODY)

    def chances(self, people: People) -> Floats:
        """Probability of each channel for a person who explores, n x channels."""
        open_count = np.maximum(people.may.sum(axis=1), 1)
        chance: Floats = people.may * np.array(self.keep)[None, :] / open_count[:, None]
        if self.partners is None or people.kind is None:
            return chance
        lent = np.zeros(chance.shape)
        for m, share in enumerate((self.partners.chances * np.array(self.lend)[None, :]).T):
            mine = np.broadcast_to(share[people.kind][:, None], chance.shape)
            for name, caps in self.caps:
                mine = mine * self._within(people, name, caps[m], (slice(None), slice(None)))
            lent += mine
        return np.asarray(chance * lent)

    def _within(self, people: People, name: str, cap: Any, where: tuple[Any, Any]) -> NDArray[np.bool_]:
        within: NDArray[np.bool_] = people.amounts[name][where] <= cap * people.amounts["funded"][where]
        return within


@dataclass(frozen=True)
class Mixing:
    """Policy people drawn into one of several plans by weight: totals hold in expectation, chances are known."""

    program: Program
    plans: tuple[tuple[Floats | None, float], ...]
    exploration: float

    def choose(self, people: People, luck: Luck) -> Ints:
        """The arm of the plan the person's luck falls on."""
        choice = np.full(len(people), NOBODY, dtype=np.int64)
        reached = 0.0
        for prices, share in self.plans:
            mine = (luck["mix"] >= reached) & (luck["mix"] < reached + share)
            reached += share
            if prices is not None:
                choice = np.where(mine, best_arms(self.program, people, prices), choice)
        return np.where(is_explorer(luck, self.exploration), NOBODY, choice)

    def chances(self, people: People) -> Floats:
        """Probability of each channel for a person who does not explore, n x channels."""
        chance = np.zeros(people.may.shape)
        for prices, share in self.plans:
            if prices is not None:
                best = self.program.channels_of(best_arms(self.program, people, prices))
                rows = np.flatnonzero(best >= 0)
                chance[rows, best[rows]] += share
        return np.minimum(chance, 1.0)


@dataclass(frozen=True)
class BestFirst:
    """Day zero: channels take people in an order, each with its own chance among those it may have and are left."""

    order: tuple[int, ...]
    take: tuple[float, ...]

    def chances(self, people: People) -> Floats:
        """Probability of each channel, n x channels."""
        chance = np.zeros(people.may.shape)
        left = np.ones(len(people))
        for k in self.order:
            chance[:, k] = np.where(people.may[:, k], left * self.take[k], 0.0)
            left = left - chance[:, k]
        return chance

    def choose(self, people: People, luck: Luck) -> Ints:
        """The channel the person's luck falls on."""
        choice = np.full(len(people), NOBODY, dtype=np.int64)
        chance, reached = self.chances(people), np.zeros(len(people))
        for k in self.order:
            upper = reached + chance[:, k]
            choice = np.where((luck["pick"] >= reached) & (luck["pick"] < upper), k, choice)
            reached = upper
        return choice


@dataclass(frozen=True)
class Policy:
    """The whole randomisation of a day: explorers, the others by the mixture, each choice with its real probability.

    `holdout` is the share held out before anybody was chosen: chances over all channels, the holdout and no channel
    at all sum to one a person. `placed`: for one batch, the arm of whoever does not explore and is placed by name.
    """

    exploring: Exploring
    mixing: Mixing
    holdout: float
    placed: Ints | None = None

    def placing(self, placed: Ints) -> Policy:
        """The same for a batch of which some are placed: an arm, NOBODY or ELSEWHERE each."""
        return replace(self, placed=placed)

    def choose(self, people: People, luck: Luck) -> Ints:
        """Explorers' and the others' arms."""
        explored, mixed = self.exploring.choose(people, luck), self.mixing.choose(people, luck)
        if self.placed is not None:
            mixed = np.where((self.placed == ELSEWHERE) | self.is_exploration(luck), mixed, self.placed)
        return np.where(explored >= 0, explored, mixed)

    def is_exploration(self, luck: Luck) -> NDArray[np.bool_]:
        """Who was chosen by exploration."""
        return is_explorer(luck, self.exploring.exploration)

    def chances(self, people: People) -> Floats:
        """Probability of each channel, n x channels."""
        share = self.exploring.exploration
        mixed = self.mixing.chances(people)
        if self.placed is not None:
            sure = self.mixing.program.channels_of(self.placed)[:, None] == np.arange(mixed.shape[1])[None, :]
            mixed = np.where((self.placed == ELSEWHERE)[:, None], mixed, sure)
        both = share * self.exploring.chances(people) + (1.0 - share) * mixed
        return np.asarray((1.0 - self.holdout) * both)


@dataclass(frozen=True)
class DayZero:
    """Everybody explores, the best channel first."""

    best_first: BestFirst
    holdout: float

    def choose(self, people: People, luck: Luck) -> Ints:
        """The channel drawn."""
        return self.best_first.choose(people, luck)

    def is_exploration(self, luck: Luck) -> NDArray[np.bool_]:
        """Everybody."""
        return np.ones(len(luck["role"]), dtype=np.bool_)

    def chances(self, people: People) -> Floats:
        """Probability of each channel, n x channels."""
        return np.asarray((1.0 - self.holdout) * self.best_first.chances(people))


def is_explorer(luck: Luck, share: float) -> NDArray[np.bool_]:
    """The share of people who explore."""
    return luck["role"] < share


def pick_open(may: NDArray[np.bool_], luck: Floats) -> Ints:
    """One open channel a person, evenly; NOBODY where none is open."""
    counts = may.sum(axis=1)
    wanted = np.minimum((luck * counts).astype(np.int64), np.maximum(counts - 1, 0))
    nth = np.cumsum(may, axis=1) - 1
    picked = np.argmax(may & (nth == wanted[:, None]), axis=1)
    return np.where(counts > 0, picked, NOBODY).astype(np.int64)
