"""Before there is a model: the best channel first, under budgets, everybody by chance with a known probability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import functions as F

from jobs.activate.allocation.choosers import BestFirst, DayZero
from jobs.activate.allocation.passes import Passes
from jobs.activate.allocation.program import violation
from jobs.activate.allocation.solve import Outcome
from jobs.activate.allocation.terms import Terms

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

# A channel's cost per outcome is compared only when every channel that spent has this many of them.
ENOUGH = 5
OUTCOMES = ("funded", "applied", "clicked")


def best_first(assignments: DataFrame, spent: Mapping[str, float], terms: Terms, shell: Shell) -> tuple[list[str], str]:
    """Channels by what their deepest common outcome has cost, cheapest first, and the name of that outcome.

    Channels that never spent come last, by name; without any history the order is by name.
    """
    counted = assignments.groupBy("channel").agg(
        F.count_if(F.coalesce("is_funded", F.lit(False))).alias("funded"),
        F.count_if(F.coalesce("is_applied", F.lit(False))).alias("applied"),
        F.count_if(F.col("clicks") > 0).alias("clicked"),
    )
    rows = {row["channel"]: row for row in shell.small(counted, 10_000, ["channel"]).to_dict("records")}
    known = [name for name in terms.channels if spent.get(name, 0.0) > 0.0 and name in rows]
    for outcome in OUTCOMES:
        if known and all(rows[name][outcome] >= ENOUGH for name in known):
            cost = {name: spent[name] / rows[name][outcome] for name in known}
            ordered = sorted(known, key=lambda name: (cost[name], name))
            return [
                *ordered,
                *[name for name in terms.channels if name not in known],
            ], f"past cost per {outcome} person"
    return list(terms.channels), "name, for want of any history"


def spread(passes: Passes, terms: Terms, order: list[str]) -> Outcome:
    """Each channel takes what its places and money allow of those left to it, the best first; small ones are closed."""
    notes: list[str] = []
    while True:
        outcome, sizes = _spread(passes, terms, order)
        small = [k for k in range(len(sizes)) if 0 < sizes[k] < terms.smallest[k]]
        if not small:
            return replace(outcome, notes=(*notes, *outcome.notes))
        name = terms.channels[small[-1]]
        notes.append(f"{name} closed: {sizes[small[-1]]} people are fewer than its smallest audience")
        passes = replace(passes, layout=replace(passes.layout, closed=passes.layout.closed | {name}))


def _spread(passes: Passes, terms: Terms, order: list[str]) -> tuple[Outcome, list[int]]:
    places = tuple(terms.channels.index(name) for name in order if name not in passes.layout.closed)
    take = np.zeros(len(terms.channels))
    money, capacity = np.array(terms.budget_left), np.array(terms.capacity, dtype=np.float64)
    total = np.inf if terms.total_left is None else terms.total_left
    asked = 0
    for k in places:
        # What this channel would get if it took everybody left, then the share of them it can afford.
        take[k] = 1.0
        fits = False
        for _ in range(30):
            sums = passes.tally([BestFirst(places, tuple(take))])[0]
            asked += 1
            got, cost = float(sums["places"][k]), float(sums["cost"][k]) / 1e6
            room = min(money[k], max(0.0, total))
            fits = got <= capacity[k] and cost <= room
            if fits:
                total -= cost
                break
            share = min(capacity[k] / got, room / cost if cost > 0 else 1.0)
            # A margin for the luck of the draw, so that two passes are nearly always enough.
            take[k] *= max(0.0, min(share, 1.0) - 2.0 * np.sqrt(max(share, 0.0) / max(got, 1.0)))
        if not fits:
            take[k] = 0.0
    chooser = BestFirst(places, tuple(float(x) for x in take))
    sums = passes.tally([chooser])[0]
    done = np.concatenate([sums["places"].astype(np.float64), sums["cost"] / 1e6])
    program = terms.program()
    broken = violation(replace(program, rows=program.rows[: len(done)]), done)
    sizes = [int(x) for x in sums["places"]]
    outcome = Outcome(
        chooser=DayZero(chooser, terms.holdout),
        layout=passes.layout,
        prices={},
        gap=None,
        max_violation=broken,
        notes=(),
        passes=asked + 1,
    )
    return outcome, sizes
