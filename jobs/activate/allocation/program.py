"""The linear programme of a plan, and a batch of people it is about.

    minimise   objective . x      subject to   A x <= limit,  sum_k x_ik <= 1,  x >= 0
    rows       places and budget of each channel, the total budget, late cap, fraud cap, floor (volume mode),
               quota, late cap and fraud cap of each partner

What one is put on is an arm: a channel and, where partners differ, the partner that lends; its number is
channel x partners + partner. Everything about people is in whole numbers (`UNITS`), so that sums are exact in any order
and on any engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.activate.allocation.partners import RATE, Partners

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# What one whole number stands for: money in millionths, expected customers in billionths.
UNITS = {"cost": 1e6, "value": 1e6, "good": 1e9, "late": 1e9, "fraud": 1e9, "funded": 1e9}
NOBODY = -1


@dataclass(frozen=True)
class Row:
    """One coupling row: what is summed (`kind`) over which channel and partner (None is all), limit in natural units.

    `less`: so many times the funded customers are taken off the sum (a partner's own cap on a rate).
    """

    name: str
    kind: str
    channel: int | None
    limit: float
    partner: int | None = None
    less: float = 0.0


@dataclass(frozen=True)
class Program:
    """Rows over channels; `objective`: `value` or `good` (most, under budgets) or `cost` (least, above a floor).

    `load`: what each channel's costs are multiplied with at the use it is planned for. `supply`: each channel's places
    in steps of (people, toll), where a person on such a place makes the others there pay so much more (base currency);
    tolls rise. Both empty: prices do not move with use. `partners`: who lends; None: they are all alike.
    """

    channels: tuple[str, ...]
    objective: str
    rows: tuple[Row, ...]
    load: tuple[float, ...] = ()
    supply: tuple[tuple[tuple[float, float], ...], ...] = ()
    partners: Partners | None = None

    @property
    def lenders(self) -> int:
        """Arms a channel."""
        return 1 if self.partners is None else len(self.partners)

    @property
    def has_partner_rows(self) -> bool:
        """Whether any partner has a quota or a cap of its own."""
        return any(row.partner is not None for row in self.rows)

    def unit(self, name: str) -> float:
        """What one of a sum's whole numbers is of its natural unit."""
        if name == "places":
            return 1.0
        return UNITS[name] if self.partners is None or name == "cost" else UNITS[name] * RATE

    def channels_of(self, choice: Ints) -> Ints:
        """The channel of each arm; whoever is on none stays as they are."""
        return choice if self.partners is None else np.where(choice >= 0, choice // self.lenders, choice)

    def partners_of(self, choice: Ints) -> Ints:
        """The partner of each arm, by place; -1 for whoever is on none."""
        return np.where(choice >= 0, choice % self.lenders, NOBODY)

    def by_channel(self, sums: Ints) -> Ints:
        """Sums by arm added up by channel."""
        return sums if self.partners is None else sums.reshape(len(self.channels), -1).sum(axis=1)

    def by_partner(self, sums: Ints) -> Ints:
        """Sums by arm added up by partner."""
        return np.asarray(sums.reshape(len(self.channels), -1).sum(axis=0))

    def load_of(self, k: int) -> float:
        """The factor on the costs of the channel at a place."""
        return self.load[k] if self.load else 1.0

    def steps_of(self, row: Row) -> tuple[tuple[float, float], ...]:
        """The steps of the places that a row counts; none where its places cost nothing."""
        return self.supply[row.channel] if self.supply and row.kind == "places" and row.channel is not None else ()

    def tolls(self, places: Ints) -> float:
        """What so many people on each channel make each other pay beyond the load planned for."""
        total = 0.0
        for taken, steps in zip(places.tolist(), self.supply, strict=bool(self.supply)):
            left = float(taken)
            for width, toll in steps:
                total += toll * min(left, width)
                left = max(0.0, left - width)
        return total

    @property
    def quantities(self) -> tuple[str, ...]:
        """The whole-number quantities a person-channel pair needs, in a fixed order."""
        needed = {self.objective, "cost", *(row.kind.removeprefix("-") for row in self.rows)} - {"places"}
        if self.partners is not None:
            needed.add("funded")
        return tuple(sorted(needed))

    @property
    def limits(self) -> Floats:
        """The limit of each row."""
        return np.array([row.limit for row in self.rows], dtype=np.float64)

    def with_limits(self, limits: Sequence[float] | Floats) -> Program:
        """The same programme with other limits."""
        rows = tuple(replace(row, limit=float(b)) for row, b in zip(self.rows, limits, strict=True))
        return replace(self, rows=rows)

    def scaled(self, share: float) -> Program:
        """The same for a share of the people."""
        supply = tuple(tuple((width * share, toll) for width, toll in steps) for steps in self.supply)
        return replace(self.with_limits(self.limits * share), supply=supply)

    def beside(self, taken: Floats, places: Ints) -> Program:
        """What is left when others already take so much of each row, and so many of each channel's cheapest places.

        Money, places and quotas are never less than nothing.
        """
        left = self.limits - taken
        hard = np.array([row.kind in ("places", "cost", "funded") for row in self.rows], dtype=np.bool_)
        supply = tuple(_after(steps, float(used)) for steps, used in zip(self.supply, places, strict=bool(self.supply)))
        return replace(self.with_limits(np.where(hard, np.maximum(left, 0.0), left)), supply=supply)


@dataclass(frozen=True)
class People:
    """A batch of people: whole numbers by quantity, n x channels; `may` says which pairs are open.

    `kind`: the class of each, by which partners differ; None where they do not.
    """

    may: NDArray[np.bool_]
    amounts: Mapping[str, Ints]
    kind: Ints | None = None

    def __len__(self) -> int:
        return len(self.may)

    def only(self, chosen: NDArray[Any] | slice) -> People:
        """Some of them, by place or by a mask."""
        amounts = {name: whole[chosen] for name, whole in self.amounts.items()}
        return People(self.may[chosen], amounts, None if self.kind is None else self.kind[chosen])


def _after(steps: tuple[tuple[float, float], ...], used: float) -> tuple[tuple[float, float], ...]:
    """The steps that are left when the first `used` places are taken."""
    left = []
    for width, toll in steps:
        free = max(0.0, width - used)
        used = max(0.0, used - width)
        left.append((free, toll))
    return tuple(left)
