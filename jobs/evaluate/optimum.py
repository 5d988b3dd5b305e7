"""The cheapest plan there is at a volume, for someone who expects given costs and customers: what rungs 7 and 8 play.

Solved by the product's own price search, so that a rung differs from the product only by what it knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.activate.allocation.answers import best_arms, reduced_costs
from jobs.activate.allocation.choosers import AtPrices
from jobs.activate.allocation.dual import search
from jobs.activate.allocation.program import NOBODY, UNITS, Ints, People, Program
from jobs.activate.allocation.sums import totals
from jobs.activate.allocation.terms import Terms
from jobs.activate.allocation.use import at_its_use
from jobs.evaluate.judge import Caps
from jobs.market.dice import Dice, Floats
from jobs.market.taking import TakingOrder
from segments.impact import Impact

UNBOUNDED = 1e12
SAMPLE, PASSES, MAX_GAP = 60_000, 60, 5e-4
NO_CAPS = Caps()
BEYOND = 1.02  # the price of a customer at which the order is taken further than the volume asked for


@dataclass(frozen=True)
class Hopes:
    """What somebody expects: cost at the usual load and good customers, people x channels; late and fraud by person."""

    cost: Floats
    good: Floats
    late: Floats
    fraud: Floats


def cheapest_plan(
    hopes: Hopes, is_open: NDArray[np.bool_], capacity: Ints, impact: Impact, goal: float, caps: Caps = NO_CAPS
) -> TakingOrder:
    """Pairs in the order in which a least-cost plan takes them, some way past `goal` expected customers.

    Capacities and caps are kept, one channel a person, and prices that rise with use are planned for.
    """
    whole = _people(hopes, is_open & (hopes.good > 0), caps)
    luck = {"role": np.ones(len(whole))}
    terms = at_its_use(_terms(capacity, impact, goal, caps), whole, luck, 1.0)
    chosen = np.sort(np.argsort(Dice(0).uniform("optimum", np.arange(len(whole))), kind="stable")[:SAMPLE])
    few = People(whole.may[chosen], {name: amounts[chosen] for name, amounts in whole.amounts.items()})
    program = terms.program()
    scaled = program.scaled(len(chosen) / max(len(whole), 1))
    dice = {"role": np.ones(len(few))}

    def ask(questions: Sequence[Floats]) -> list[dict[str, Ints]]:
        made = [AtPrices(scaled, prices, 0.0) for prices in questions]
        return [totals(scaled, few, chooser.choose(few, dice)) for chooser in made]

    found = search(scaled, ask, max_gap=MAX_GAP, max_passes=PASSES)
    return _in_order(program, whole, found.centre, capacity)


def _in_order(program: Program, people: People, prices: Floats, capacity: Ints) -> TakingOrder:
    """Everybody's channel at prices somewhat beyond, by what a customer costs there with the toll of its place."""
    floor = [row.name for row in program.rows].index("floor")
    dear = prices.copy()
    dear[floor] *= BEYOND
    choice = best_arms(program, people, dear)
    person = np.flatnonzero(choice != NOBODY)
    channel = choice[person]
    bare = prices.copy()
    bare[floor] = 0.0
    paid = reduced_costs(program, people, bare)[person, channel]
    ratio = paid / (people.amounts["good"][person, channel] / UNITS["good"])
    order = np.argsort(ratio, kind="stable")
    person, channel = person[order], channel[order]
    kept = np.ones(len(person), dtype=np.bool_)
    for k, places in enumerate(capacity):
        mine = np.flatnonzero(channel == k)
        kept[mine[int(places) :]] = False
    return TakingOrder(person[kept], channel[kept])


def _people(hopes: Hopes, may: NDArray[np.bool_], caps: Caps) -> People:
    natural = {"cost": np.maximum(hopes.cost, 0.0), "good": hopes.good}
    funded = hopes.good / np.maximum(1.0 - hopes.late, 1e-9)[:, None]
    for name, risk, cap in (("late", hopes.late, caps.late), ("fraud", hopes.fraud, caps.fraud)):
        if cap is not None:
            natural[name] = funded * (risk - cap)[:, None]
    return People(may, {name: np.rint(values * UNITS[name]).astype(np.int64) for name, values in natural.items()})


def _terms(capacity: Ints, impact: Impact, goal: float, caps: Caps) -> Terms:
    count = len(capacity)
    return Terms(
        channels=tuple(str(k) for k in range(count)),
        capacity=tuple(int(places) for places in capacity),
        budget_left=(UNBOUNDED,) * count,
        total_left=None,
        smallest=(0,) * count,
        exploration=0.0,
        holdout=0.0,
        objective="volume",
        good_floor=goal,
        max_late_rate=caps.late,
        max_fraud_rate=caps.fraud,
        max_gap=MAX_GAP,
        impact=impact,
    )
