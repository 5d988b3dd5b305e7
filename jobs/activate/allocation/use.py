"""How much each channel will be used, where its prices rise with use: found on a sample, by going round a few times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jobs.activate.allocation.answers import best_arms
from jobs.activate.allocation.choosers import AtPrices, Luck
from jobs.activate.allocation.dual import search
from jobs.activate.allocation.program import Floats, Ints, People, Program
from jobs.activate.allocation.sums import totals
from jobs.activate.allocation.terms import Terms

ROUNDS, PASSES = 6, 30
PEOPLE, LENT_PEOPLE = 20_000, 6_000  # asked; where partners are chosen a person's answer takes tens of times as long
ROUGH = 3e-3  # gap of each round's programme; what it is for is known to some per cent only
STEADY = 0.02  # relative change of every load at which going round ends


def at_its_use(terms: Terms, batch: People, luck: Luck, share: float) -> Terms:
    """The terms with the load that the programme's own answer implies.

    Each round takes costs at the use planned for, sells places at rising tolls (so that no channel looks cheaper than
    it will be when it is used), and plans next for a use half way to its answer.
    """
    if terms.impact.is_flat:
        return terms
    most = PEOPLE if terms.partners is None else LENT_PEOPLE
    step = max(1, -(-len(batch) // most))
    batch = batch.only(slice(None, None, step))
    luck, share = {name: draws[::step] for name, draws in luck.items()}, share / step
    listed, mean = _start(terms, batch)
    start: list[Floats] = []
    for _ in range(ROUNDS):
        program = terms.used(listed, mean).program().scaled(share)

        def ask(questions: Sequence[Floats], program: Program = program) -> list[dict[str, Ints]]:
            made = [AtPrices(program, prices, terms.exploration) for prices in questions]
            return [totals(program, batch, chooser.choose(batch, luck)) for chooser in made]

        found = search(program, ask, start=start, max_gap=ROUGH, max_passes=PASSES)
        start = [found.centre, found.prices]
        count, cost = _use(program, batch, [(plan.prices, weight) for plan, weight in found.used()])
        mean = np.where(count > 0, cost / np.maximum(count, 1e-9), mean)
        wanted = np.maximum(count / share, 1.0)
        after = np.sqrt(np.maximum(listed, 1.0) * wanted)
        moved = np.abs(terms.impact.factor(after) / terms.impact.factor(listed) - 1.0).max()
        listed = after
        if moved < STEADY:
            break
    return terms.used(listed, mean)


def _start(terms: Terms, batch: People) -> tuple[Floats, Floats]:
    """Half of what a channel has room for, at the mean cost of all who may be put on it."""
    cost = np.where(batch.may, batch.amounts["cost"], 0).sum(axis=0) / 1e6
    mean = cost / np.maximum(batch.may.sum(axis=0), 1)
    return np.minimum(np.array(terms.capacity), len(batch) / 2) / 2.0, np.asarray(mean)


def _use(program: Program, batch: People, plans: Sequence[tuple[Floats | None, float]]) -> tuple[Floats, Floats]:
    """People and cost at the usual load, by channel, that a mixture of plans puts there."""
    count, cost = np.zeros(len(program.channels)), np.zeros(len(program.channels))
    for prices, weight in plans:
        if prices is not None:
            sums = totals(program, batch, best_arms(program, batch, prices))
            count += weight * program.by_channel(sums["places"])
            cost += weight * program.by_channel(sums["cost"]) / 1e6
    return count, cost
