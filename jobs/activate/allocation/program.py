"""The linear programme of a plan: its rows, what one person weighs on each, and one person's best answer to prices.

    minimise   objective . x      subject to   A x <= limit,  sum_k x_ik <= 1,  x >= 0
    rows       places and budget of each channel, the total budget, late cap, fraud cap, floor (volume mode)

Everything about people is in whole numbers (`UNITS`), so that sums are exact in any order and on any engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# What one whole number stands for: money in millionths, expected customers in billionths.
UNITS = {"cost": 1e6, "value": 1e6, "good": 1e9, "late": 1e9, "fraud": 1e9}
NOBODY = -1


@dataclass(frozen=True)
class Row:
    """One coupling row: what is summed (`kind`), over which channel (None is all), and its limit in natural units."""

    name: str
    kind: str
    channel: int | None
    limit: float


@dataclass(frozen=True)
class Program:
    """Rows over channels; `objective`: `value` or `good` (most, under budgets) or `cost` (least, above a floor).

    `load`: what each channel's costs are multiplied with at the use it is planned for. `supply`: each channel's places
    in steps of (people, toll), where a person on such a place makes the others there pay so much more (base currency);
    tolls rise. Both empty: prices do not move with use.
    """

    channels: tuple[str, ...]
    objective: str
    rows: tuple[Row, ...]
    load: tuple[float, ...] = ()
    supply: tuple[tuple[tuple[float, float], ...], ...] = ()

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
        return tuple(sorted(needed))

    @property
    def limits(self) -> Floats:
        """The limit of each row."""
        return np.array([row.limit for row in self.rows], dtype=np.float64)

    def with_limits(self, limits: Sequence[float] | Floats) -> Program:
        """The same programme with other limits."""
        rows = tuple(Row(r.name, r.kind, r.channel, float(b)) for r, b in zip(self.rows, limits, strict=True))
        return replace(self, rows=rows)

    def scaled(self, share: float) -> Program:
        """The same for a share of the people."""
        supply = tuple(tuple((width * share, toll) for width, toll in steps) for steps in self.supply)
        return replace(self.with_limits(self.limits * share), supply=supply)

    def beside(self, taken: Floats, places: Ints) -> Program:
        """What is left when others already take so much of each row, and so many of each channel's cheapest places.

        Money and places are never less than nothing.
        """
        left = self.limits - taken
        hard = np.array([row.kind in ("places", "cost") for row in self.rows], dtype=np.bool_)
        supply = tuple(_after(steps, float(used)) for steps, used in zip(self.supply, places, strict=bool(self.supply)))
        return replace(self.with_limits(np.where(hard, np.maximum(left, 0.0), left)), supply=supply)


@dataclass(frozen=True)
class People:
    """A batch of people: whole numbers by quantity, n x channels; `may` says which pairs are open."""

    may: NDArray[np.bool_]
    amounts: Mapping[str, Ints]

    def __len__(self) -> int:
        return len(self.may)


def reduced_costs(program: Program, people: People, prices: Floats) -> Floats:
    """What each pair costs at the rows' prices, n x channels; closed pairs cost infinity.

    Built channel by channel from elementwise steps only, so that a person's figure does not depend on its batch.
    """
    result = np.full(people.may.shape, np.inf)
    for k in range(len(program.channels)):
        total = worth(program, people, k)
        for row, price in zip(program.rows, prices, strict=True):
            if price != 0.0 and row.channel in (None, k):
                total = total + price * weight(program, row, people, k)
        result[:, k] = np.where(people.may[:, k], total, np.inf)
    return result


def worth(program: Program, people: People, k: int) -> Floats:
    """Each person's part of the objective when put on channel k, to be made small, natural units."""
    amount: Floats = people.amounts[program.objective][:, k] / UNITS[program.objective]
    if program.objective == "cost":
        return amount * program.load_of(k) if program.load else amount
    if program.objective == "value" and program.load:
        return -amount + (people.amounts["cost"][:, k] / UNITS["cost"]) * (program.load_of(k) - 1.0)
    return -amount


def weight(program: Program, row: Row, people: People, k: int) -> Floats | float:
    """What each person weighs on a row when put on channel k, natural units."""
    if row.kind == "places":
        return 1.0
    name = row.kind.removeprefix("-")
    amount: Floats = people.amounts[name][:, k] / UNITS[name]
    if name == "cost" and program.load:
        return amount * program.load_of(k)
    return -amount if row.kind.startswith("-") else amount


def best_channels(program: Program, people: People, prices: Floats) -> Ints:
    """Each person's cheapest channel at the prices, NOBODY where every channel costs something; ties to the first."""
    costs = reduced_costs(program, people, prices)
    best = np.argmin(costs, axis=1).astype(np.int64) if costs.shape[1] else np.zeros(len(people), dtype=np.int64)
    lowest = costs[np.arange(len(people)), best]
    return np.where(lowest < 0.0, best, NOBODY)


def totals(program: Program, people: People, choice: Ints) -> dict[str, Ints]:
    """Exact sums of a choice: `places` and every quantity, by channel."""
    found = {"places": np.bincount(choice[choice >= 0], minlength=len(program.channels)).astype(np.int64)}
    for name in program.quantities:
        sums = [people.amounts[name][choice == k, k].sum() for k in range(len(program.channels))]
        found[name] = np.array(sums, dtype=np.int64)
    return found


def objective_of(program: Program, sums: Mapping[str, Ints]) -> float:
    """The objective of exact sums but for tolls, natural units, to be made small."""
    total = float(sums[program.objective].sum()) / UNITS[program.objective]
    if not program.load or program.objective == "good":
        return total if program.objective == "cost" else -total
    cost = sums["cost"] / UNITS["cost"]
    if program.objective == "cost":
        return float(np.dot(cost, program.load))
    return -total + float(np.dot(cost, np.array(program.load) - 1.0))


def _after(steps: tuple[tuple[float, float], ...], used: float) -> tuple[tuple[float, float], ...]:
    """The steps that are left when the first `used` places are taken."""
    left = []
    for width, toll in steps:
        free = max(0.0, width - used)
        used = max(0.0, used - width)
        left.append((free, toll))
    return tuple(left)


def activity(program: Program, sums: Mapping[str, Ints]) -> Floats:
    """The left side of each row for exact sums, natural units."""
    result = np.zeros(len(program.rows))
    for place, row in enumerate(program.rows):
        name = row.kind.removeprefix("-")
        if name == "cost" and program.load:
            spent = sums[name] / UNITS[name] * np.array(program.load)
            result[place] = float(spent.sum() if row.channel is None else spent[row.channel])
            continue
        total = sums[name].sum() if row.channel is None else sums[name][row.channel]
        scaled = float(total) / (1.0 if name == "places" else UNITS[name])
        result[place] = -scaled if row.kind.startswith("-") else scaled
    return result


def violation(program: Program, done: Floats) -> float:
    """The largest amount by which a row is broken, relative to its limit (to one unit where the limit is below one)."""
    if not program.rows:
        return 0.0
    over = (done - program.limits) / np.maximum(np.abs(program.limits), 1.0)
    return float(max(0.0, over.max()))
