"""Before there is a model: the best channel first, under budgets, everybody by chance with a known probability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import functions as F

from jobs.activate.allocation.choosers import BestFirst, DayZero
from jobs.activate.allocation.passes import Passes
from jobs.activate.allocation.program import UNITS, Floats
from jobs.activate.allocation.solve import Outcome
from jobs.activate.allocation.sums import activity, violation
from jobs.activate.allocation.terms import Terms

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

# A channel's cost per outcome is compared only when every channel that spent has this many of them.
ENOUGH = 5
PASSES = 12
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


def spread(passes: Passes, terms: Terms, order: list[str], people: int) -> Outcome:
    """Each channel takes what its places and money allow of those left to it, the best first; small ones are closed."""
    notes: list[str] = []
    while True:
        outcome, sizes = _spread(passes, terms, order, people)
        small = [name for name in reversed(order) if 0 < sizes[name] < terms.smallest[terms.channels.index(name)]]
        if not small:
            return replace(outcome, notes=(*notes, *outcome.notes))
        notes.append(f"{small[0]} closed: {sizes[small[0]]} people are fewer than its smallest audience")
        passes = replace(passes, layout=replace(passes.layout, closed=passes.layout.closed | {small[0]}))


def _spread(passes: Passes, terms: Terms, order: list[str], people: int) -> tuple[Outcome, dict[str, int]]:
    places = tuple(terms.channels.index(name) for name in order if name not in passes.layout.closed)
    program = terms.program()
    program = replace(program, rows=tuple(row for row in program.rows if row.kind in ("places", "cost")))
    take = first_take(passes, terms, places, people)
    for asked in range(1, PASSES + 1):
        chooser = BestFirst(places, tuple(float(x) for x in take))
        sums = passes.tally([chooser])[0]
        broken = violation(program, activity(program, sums))
        if broken == 0.0:
            break
        take = take * max(0.0, 1.0 - 2.0 * broken) if asked < PASSES - 1 else take * 0.0
    outcome = Outcome(
        chooser=DayZero(chooser, terms.holdout),
        layout=passes.layout,
        sizes=sums["places"],
        prices={},
        gap=None,
        max_violation=broken,
        notes=(),
        passes=asked,
    )
    return outcome, {name: int(sums["places"][k]) for k, name in enumerate(terms.channels)}


def first_take(passes: Passes, terms: Terms, places: tuple[int, ...], people: int) -> Floats:
    """The share each channel takes of those left to it, so that its places and money hold but for luck."""
    sample, share = passes.sample(people)
    batch = sample.people
    take, left = np.zeros(len(terms.channels)), np.ones(len(batch))
    total = np.inf if terms.total_left is None else terms.total_left
    for k in places:
        mine = np.where(batch.may[:, k], left, 0.0)
        count = float(mine.sum()) / share
        cost = float((mine * (batch.amounts["cost"][:, k] / UNITS["cost"])).sum()) / share
        room = min(terms.budget_left[k], max(0.0, total))
        fit = min(1.0, terms.capacity[k] / max(count, 1e-9), room / max(cost, 1e-9))
        if fit < 1.0:
            fit *= max(0.0, 1.0 - 3.0 / np.sqrt(max(fit * count, 1.0)))
        take[k] = fit
        total -= fit * cost
        left = left - mine * fit
    return take
