"""How many people an experiment needs, or how small a lift it can tell."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import ndtri

from jobs.measure.experiments.sequences import ALPHA, half_width
from jobs.runtime.errors import UsageError

POWER = 0.8
DEARER = 100.0  # times the people of one look, more than any number of looks asks


@dataclass(frozen=True)
class Design:
    """`rate`: outcomes a held-out person; `holdout`: share held out; chance of missing a lift is 1 - `power`.

    `is_sequential`: judged at every look (a confidence sequence) instead of once at the end.
    """

    rate: float
    holdout: float
    alpha: float = ALPHA
    power: float = POWER
    is_sequential: bool = False

    def __post_init__(self) -> None:
        for name in ("rate", "holdout", "alpha", "power"):
            if not 0 < getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}; write a share between 0 and 1")


def variance(design: Design, lift: float) -> float:
    """Variance of one person's part in the difference, `lift` added to the rate of whoever is not held out."""
    treated = design.rate + lift
    return treated * (1 - treated) / (1 - design.holdout) + design.rate * (1 - design.rate) / design.holdout


def people_needed(design: Design, lift: float) -> int:
    """People in both arms to tell an absolute `lift`; UsageError when it is 0 or takes the rate out of (0, 1)."""
    if lift == 0 or not 0 < design.rate + lift < 1:
        raise UsageError(
            f"a lift of {lift} on a rate of {design.rate} cannot be told; give one that keeps it in (0, 1)"
        )
    spread, beta = variance(design, lift), float(ndtri(design.power))
    fixed = (float(ndtri(1 - design.alpha / 2)) + beta) ** 2 * spread / lift**2
    if not design.is_sequential:
        return math.ceil(fixed)

    def short(size: float) -> float:
        people = math.ceil(size)
        return half_width(people, spread, people, design.alpha) + beta * math.sqrt(spread / people) - abs(lift)

    return math.ceil(brentq(short, fixed, DEARER * fixed, xtol=0.5)) if short(fixed) > 0 else math.ceil(fixed)


def smallest_lift(design: Design, people: int) -> float:
    """The least positive absolute lift that `people` in both arms can tell; UsageError when none below 1 can."""
    top = (1 - design.rate) * (1 - 1e-9)

    def short(lift: float) -> float:
        return float(people_needed(design, lift) - people)

    if short(top) > 0:
        raise UsageError(f"{people:,} people cannot tell any lift on a rate of {design.rate}; take more people")
    least = math.sqrt(variance(design, 0.0) / people) / DEARER
    return float(brentq(short, min(least, top), top, xtol=1e-12))
