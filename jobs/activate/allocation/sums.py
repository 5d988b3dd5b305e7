"""Exact sums of a choice, and what they make of the objective and the rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jobs.activate.allocation.answers import amounts_of
from jobs.activate.allocation.program import Floats, Ints, People, Program


def totals(program: Program, people: People, choice: Ints) -> dict[str, Ints]:
    """Exact sums of a choice: `places` and every quantity, by arm."""
    arms = len(program.channels) * program.lenders
    listed = np.flatnonzero(choice >= 0)
    found = {"places": np.bincount(choice[listed], minlength=arms).astype(np.int64)}
    person = listed[np.argsort(choice[listed], kind="stable")]
    mine = found["places"] > 0
    starts = (np.cumsum(found["places"]) - found["places"])[mine]
    amounts = amounts_of(program, people, person, choice[person])
    for name in program.quantities:
        found[name] = np.zeros(arms, dtype=np.int64)
        found[name][mine] = np.add.reduceat(amounts[name], starts) if len(starts) else 0
    return found


def objective_of(program: Program, sums: Mapping[str, Ints]) -> float:
    """The objective of exact sums but for tolls, natural units, to be made small."""
    total = float(sums[program.objective].sum()) / program.unit(program.objective)
    if program.objective == "value" and program.partners is not None:
        funded = program.by_partner(sums["funded"]) / program.unit("funded")
        total += float(np.dot(funded, np.array(program.partners.price)))
    if not program.load or program.objective == "good":
        return total if program.objective == "cost" else -total
    cost = program.by_channel(sums["cost"]) / program.unit("cost")
    if program.objective == "cost":
        return float(np.dot(cost, program.load))
    return -total + float(np.dot(cost, np.array(program.load) - 1.0))


def activity(program: Program, sums: Mapping[str, Ints]) -> Floats:
    """The left side of each row for exact sums, natural units."""
    result = np.zeros(len(program.rows))
    by_channel = {name: program.by_channel(whole) for name, whole in sums.items()}
    by_partner = {} if program.partners is None else {name: program.by_partner(whole) for name, whole in sums.items()}
    for place, row in enumerate(program.rows):
        name = row.kind.removeprefix("-")
        if name == "cost" and program.load:
            spent = by_channel[name] / program.unit(name) * np.array(program.load)
            result[place] = float(spent.sum() if row.channel is None else spent[row.channel])
            continue
        if row.partner is not None:
            total = by_partner[name][row.partner]
        else:
            total = by_channel[name].sum() if row.channel is None else by_channel[name][row.channel]
        scaled = float(total) / program.unit(name)
        if row.less:
            scaled -= row.less * float(by_partner["funded"][row.partner]) / program.unit("funded")
        result[place] = -scaled if row.kind.startswith("-") else scaled
    return result


def violation(program: Program, done: Floats) -> float:
    """The largest amount by which a row is broken, relative to its limit (to one unit where the limit is below one)."""
    if not program.rows:
        return 0.0
    over = (done - program.limits) / np.maximum(np.abs(program.limits), 1.0)
    return float(max(0.0, over.max()))
