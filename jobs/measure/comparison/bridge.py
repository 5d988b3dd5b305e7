"""Why a cost per customer moved between two periods: price, mix, conversion, approval, effect by effect.

Each effect is its Shapley value: what changing that factor adds, averaged over every order of changing all of them. So
effects add up to the move whatever the order, and none depends on which period comes first but for its sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import factorial

EFFECTS = ("price", "mix", "conversion", "approval")


@dataclass(frozen=True)
class Cell:
    """One channel's (or campaign's) period: money, what it bought, and what came of that."""

    spend: float
    clicks: float
    applications: float
    customers: float


@dataclass(frozen=True)
class Bridge:
    """Cost per customer before and after, and the effects between them; all None where either has no customer."""

    before: float | None
    after: float | None
    effects: Mapping[str, float | None]


def bridge(before: Mapping[str, Cell], after: Mapping[str, Cell]) -> Bridge:
    """The move of spend / customers over all cells.

    price: spend a click; mix: a cell's share of clicks; conversion: applications a click; approval: customers an
    application (approved and funded). A factor that a cell did not have in one period is taken as in the other, so
    that a cell's coming or going is mix. Cells are by name; money spent without a click is added to the price of all.
    """
    names = sorted({*before, *after})
    old, new = ({name: side.get(name, Cell(0, 0, 0, 0)) for name in names} for side in (before, after))
    ends = [_cost(_factors(side, other)) for side, other in ((old, new), (new, old))]
    if ends[0] is None or ends[1] is None:
        return Bridge(ends[0], ends[1], dict.fromkeys(EFFECTS))
    start, end = _factors(old, new), _factors(new, old)

    def cost(changed: tuple[str, ...]) -> float | None:
        return _cost({name: (end if name in changed else start)[name] for name in EFFECTS})

    effects: dict[str, float | None] = {}
    for effect in EFFECTS:
        others = [name for name in EFFECTS if name != effect]
        parts = [
            (size, cost((*chosen, effect)), cost(chosen))
            for size in range(len(EFFECTS))
            for chosen in combinations(others, size)
        ]
        if any(with_ is None or without is None for _, with_, without in parts):
            return Bridge(ends[0], ends[1], dict.fromkeys(EFFECTS))
        effects[effect] = sum(
            factorial(size)
            * factorial(len(others) - size)
            / factorial(len(EFFECTS))
            * ((with_ or 0.0) - (without or 0.0))
            for size, with_, without in parts
        )
    return Bridge(ends[0], ends[1], effects)


def _factors(side: Mapping[str, Cell], other: Mapping[str, Cell]) -> dict[str, list[float]]:
    """Each factor of every cell, in one order."""
    clicks = sum(cell.clicks for cell in side.values())
    bare = sum(cell.spend for cell in side.values() if not cell.clicks) / clicks if clicks else 0.0
    found: dict[str, list[float]] = {name: [] for name in EFFECTS}
    for name, cell in side.items():
        twin = other[name]
        found["price"].append(_ratio((cell.spend, cell.clicks), (twin.spend, twin.clicks)) + bare)
        found["mix"].append(cell.clicks / clicks if clicks else 0.0)
        found["conversion"].append(_ratio((cell.applications, cell.clicks), (twin.applications, twin.clicks)))
        found["approval"].append(_ratio((cell.customers, cell.applications), (twin.customers, twin.applications)))
    return found


def _ratio(own: tuple[float, float], twin: tuple[float, float]) -> float:
    """A ratio of this period, else of the other, else 0."""
    for top, bottom in (own, twin):
        if bottom:
            return top / bottom
    return 0.0


def _cost(factors: Mapping[str, list[float]]) -> float | None:
    """Spend a customer, from spend and customers a click over all cells."""
    spend = sum(p * m for p, m in zip(factors["price"], factors["mix"], strict=True))
    rows = zip(factors["mix"], factors["conversion"], factors["approval"], strict=True)
    customers = sum(m * c * a for m, c, a in rows)
    return spend / customers if customers > 0 else None
