"""What one person costs at the rows' prices and weighs on each row, and the best answer to prices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.activate.allocation.lending import Lent, cheapest_partners
from jobs.activate.allocation.partners import RATE
from jobs.activate.allocation.program import NOBODY, UNITS, Floats, Ints, People, Program, Row


@dataclass(frozen=True)
class Offers:
    """Arms a person could be put on and what each costs at some prices, people x offers; infinite: not open."""

    cost: Floats
    arm: Ints


def reduced_costs(program: Program, people: People, prices: Floats) -> Floats:
    """What each pair costs at the rows' prices, with the partner that makes it least; closed pairs cost infinity.

    Built channel by channel from elementwise steps only, so that a person's figure does not depend on its batch.
    """
    if program.partners is not None:
        return _lent(program, people, prices)[0]
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
    """What each person weighs on a row when put on channel k, natural units, whoever lends."""
    if row.kind == "places":
        return 1.0
    name = row.kind.removeprefix("-")
    amount: Floats = people.amounts[name][:, k] / UNITS[name]
    if name == "cost" and program.load:
        return amount * program.load_of(k)
    return -amount if row.kind.startswith("-") else amount


def best_arms(program: Program, people: People, prices: Floats) -> Ints:
    """Each person's cheapest arm at the prices, NOBODY where every one costs something; ties to the first."""
    if program.partners is None:
        costs, partner = reduced_costs(program, people, prices), None
    else:
        costs, lent = _lent(program, people, prices)
        partner = lent.partner
    best = np.argmin(costs, axis=1).astype(np.int64) if costs.shape[1] else np.zeros(len(people), dtype=np.int64)
    lowest = costs[np.arange(len(people)), best]
    if partner is not None:
        best = best * program.lenders + partner[np.arange(len(people)), best]
    return np.where(lowest < 0.0, best, NOBODY)


def offers(program: Program, people: People, prices: Floats) -> Offers:
    """Each channel, with its cheapest partner and with the next."""
    channels = np.broadcast_to(np.arange(len(program.channels)), people.may.shape)
    if program.partners is None:
        return Offers(reduced_costs(program, people, prices), channels)
    costs, lent = _lent(program, people, prices, second=True)
    assert lent.next_cost is not None
    assert lent.next_partner is not None
    with np.errstate(invalid="ignore"):  # closed both ways
        dearer = np.where(np.isfinite(lent.next_cost), costs - lent.cost + lent.next_cost, np.inf)
    arms = [np.maximum(channels * program.lenders + one, 0) for one in (lent.partner, lent.next_partner)]
    return Offers(np.column_stack([costs, dearer]), np.column_stack(arms))


@dataclass(frozen=True)
class Priced:
    """Reduced costs taken apart: `own` + sum over p of `parts[p]` (people x channels) times `tables[p]` (classes x
    partners). Whatever a partner brings more of is in parts, multiplied with the pass rate of the person's class there.
    """

    own: Floats
    parts: list[Floats]
    tables: list[Floats]


def priced(program: Program, people: People, prices: Floats) -> Priced:
    """What people bring and take at the prices, and what partners' own rows charge for it; every pair, open or not."""
    assert program.partners is not None
    own, scaled = np.zeros(people.may.shape), np.zeros(people.may.shape)
    for k in range(len(program.channels)):
        cost = people.amounts["cost"][:, k] / UNITS["cost"]
        if program.objective != "good":
            own[:, k] += cost * program.load_of(k)
        if program.objective == "value":
            scaled[:, k] -= (people.amounts["value"][:, k] + people.amounts["cost"][:, k]) / UNITS["value"]
        if program.objective == "good":
            scaled[:, k] -= people.amounts["good"][:, k] / UNITS["good"]
        for row, price in zip(program.rows, prices, strict=True):
            if price != 0.0 and row.partner is None and row.channel in (None, k):
                part = own if row.kind in ("places", "cost") else scaled
                part[:, k] += price * weight(program, row, people, k)
    rate = program.partners.rates / RATE
    parts, tables = [scaled], [rate]
    for name, charge in _charges(program, prices).items():
        if charge.any():
            parts.append(people.amounts[name] / UNITS[name])
            tables.append(rate * charge)
    return Priced(own, parts, tables)


def _lent(program: Program, people: People, prices: Floats, *, second: bool = False) -> tuple[Floats, Lent]:
    """Reduced costs, and the partners that make them least."""
    assert program.partners is not None
    assert people.kind is not None
    one = priced(program, people, prices)
    lent = cheapest_partners(people.kind, program.partners.slots, one.tables, one.parts, second=second)
    return np.where(people.may, one.own + lent.cost, np.inf), lent


def cheapest_at(program: Program, people: People, prices: Floats) -> tuple[Floats, Ints]:
    """People x partners: what lending there costs on the cheapest channel, and that channel; infinite: none is open."""
    assert program.partners is not None
    assert people.kind is not None
    one, rate = priced(program, people, prices), program.partners.rates[people.kind]
    tables = [table[people.kind] for table in one.tables]
    cost, channel = np.full(rate.shape, np.inf), np.zeros(rate.shape, dtype=np.int64)
    for k in range(len(program.channels)):
        here = np.broadcast_to(one.own[:, k, None], rate.shape).copy()
        for part, table in zip(one.parts, tables, strict=True):
            here += part[:, k, None] * table
        here[~((rate > 0) & people.may[:, k, None])] = np.inf
        is_less = here < cost
        cost[is_less], channel[is_less] = here[is_less], k
    return cost, channel


def _charges(program: Program, prices: Floats) -> dict[str, Floats]:
    """What partners' own rows and prices charge for each funded, late and fraudulent customer, by partner."""
    assert program.partners is not None
    charges = {name: np.zeros(program.lenders) for name in ("funded", "late", "fraud")}
    if program.objective == "value":
        charges["funded"] -= np.array(program.partners.price)
    for row, price in zip(program.rows, prices, strict=True):
        if row.partner is not None:
            charges[row.kind][row.partner] += price
            charges["funded"][row.partner] -= price * row.less
    return charges


def weights(program: Program, people: People, person: Ints, arm: Ints) -> tuple[Floats, Floats]:
    """Each of `person` put on each of `arm` (NOBODY: nothing): objective, and rows x what it takes; natural units."""
    listed = arm >= 0
    k = program.channels_of(np.maximum(arm, 0))
    partner = program.partners_of(arm)
    load = np.array(program.load)[k] if program.load else None
    told = {
        name: np.where(listed, whole, 0) / program.unit(name)
        for name, whole in amounts_of(program, people, person, np.maximum(arm, 0)).items()
    }
    cost = told["cost"] if load is None else told["cost"] * load
    objective = cost if program.objective == "cost" else -told[program.objective]
    if program.objective == "value":
        if load is not None:
            objective = objective + told["cost"] * (load - 1.0)
        if program.partners is not None:
            objective = objective - told["funded"] * np.where(listed, np.array(program.partners.price)[partner], 0.0)
    told = {**told, "cost": cost, "places": listed.astype(np.float64)}
    rows = np.zeros((len(program.rows), len(person)))
    for nth, row in enumerate(program.rows):
        mine = listed if row.channel is None else listed & (k == row.channel)
        if row.partner is not None:
            mine = mine & (partner == row.partner)
        amount = told[row.kind.removeprefix("-")]
        if row.less:
            amount = amount - row.less * told["funded"]
        rows[nth] = np.where(mine, -amount if row.kind.startswith("-") else amount, 0.0)
    return objective, rows


def amounts_of(program: Program, people: People, person: Ints, arm: Ints) -> dict[str, Ints]:
    """Each quantity of each of `person` put on each of `arm`, in whole numbers of `program.unit`."""
    k = program.channels_of(arm)
    found = {name: people.amounts[name][person, k] for name in program.quantities}
    if program.partners is None:
        return found
    assert people.kind is not None
    rate = program.partners.rates[people.kind[person], program.partners_of(arm)]
    result = {name: whole if name == "cost" else whole * rate for name, whole in found.items()}
    if "value" in result:
        result["value"] = (found["value"] + found["cost"]) * rate - found["cost"] * RATE
    return result
