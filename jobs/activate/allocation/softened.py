"""Prices to start from where rows are many: the dual of choices softened to chances, climbed by L-BFGS on a sample.

The bound is a kinked function of the prices, which a search by whole plans climbs badly in many directions at once.
With chances instead of choices it is smooth. What comes out is a start, and not relied on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jobs.activate.allocation.answers import best_arms, priced, reduced_costs, weights
from jobs.activate.allocation.partners import RATE
from jobs.activate.allocation.program import Floats, People, Program
from jobs.activate.allocation.sums import activity

# Softness, as a share of what those listed at the first prices are worth on average, and steps of the climb.
CLIMB = ((0.2, 60), (0.06, 60), (0.02, 100), (0.006, 100))
HIGHEST = 1e3  # of a row's own unit: what nothing can meet has no price


def softened_prices(program: Program, people: People, prices: Floats) -> Floats:
    """Prices that are nearly best for `people`, climbed to from `prices`; those where nobody is listed there."""
    from scipy import optimize

    minimize: Any = optimize.minimize
    cost = reduced_costs(program, people, prices).min(axis=1)
    if not (cost < 0).any():
        return prices
    worth = float(-cost[cost < 0].mean())
    unit = _units(program, people, prices)
    found = prices / np.where(unit > 0, unit, 1.0)
    for softness, steps in CLIMB:
        dual = _Softened(program, people, softness * worth, unit)
        bounds = [(0.0, max(HIGHEST, 10.0 * one)) for one in found]
        options = {"maxiter": steps, "maxcor": 20}
        found = minimize(dual, found, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    return np.asarray(found * unit)


@dataclass(frozen=True)
class _Softened:
    """Minus the softened dual and its gradient, at prices in units of their rows."""

    program: Program
    people: People
    softness: float
    unit: Floats

    def __call__(self, scaled: Floats) -> tuple[float, Floats]:
        prices = scaled * self.unit
        soft, sums = _chances(self.program, self.people, prices, self.softness)
        slope = activity(self.program, sums) - self.program.limits  # type: ignore[arg-type]
        value = soft - float(np.dot(prices, self.program.limits))
        for nth, row in enumerate(self.program.rows):
            for width, toll in self.program.steps_of(row):
                value += width * min(float(prices[nth]), toll)
                slope[nth] += width * (prices[nth] < toll)
        scale = self.softness * max(len(self.people), 1)
        return -value / scale, -slope * self.unit / scale


def _chances(program: Program, people: People, prices: Floats, softness: float) -> tuple[float, dict[str, Floats]]:
    """The softened least cost of everybody, and expected sums by arm."""
    assert program.partners is not None
    assert people.kind is not None
    one, rate = priced(program, people, prices), program.partners.rates[people.kind] / 1.0
    tables, takes = [table[people.kind] for table in one.tables], rate > 0
    cost, term = np.empty((len(program.channels), *rate.shape)), np.empty(rate.shape)
    for k in range(len(program.channels)):
        np.add(one.own[:, k, None], np.multiply(one.parts[0][:, k, None], tables[0], out=term), out=cost[k])
        for part, table in zip(one.parts[1:], tables[1:], strict=True):
            cost[k] += np.multiply(part[:, k, None], table, out=term)
        cost[k][~(takes & people.may[:, k, None])] = np.inf
    least = np.minimum(cost.min(axis=0).min(axis=1), 0.0)
    cost -= least[:, None]
    cost /= -softness
    np.exp(cost, out=cost)
    whole = np.exp(least / softness) + cost.sum(axis=0).sum(axis=1)
    cost /= whole[:, None]
    return float((least - softness * np.log(whole)).sum()), _expected(program, people, cost, rate)


def _expected(program: Program, people: People, chances: Floats, rate: Floats) -> dict[str, Floats]:
    """Expected sums by arm, where each channel's chances are people x partners."""
    shape = (len(program.channels), program.lenders)
    sums = {name: np.empty(shape) for name in ("places", *program.quantities)}
    for k, chance in enumerate(chances):
        amounts = {name: whole[:, k] / 1.0 for name, whole in people.amounts.items()}
        sums["places"][k], sums["cost"][k] = np.stack([np.ones(len(people)), amounts["cost"]]) @ chance
        if "value" in amounts:
            amounts["value"] = amounts["value"] + amounts["cost"]
        others = [name for name in program.quantities if name != "cost"]
        for name, row in zip(others, np.stack([amounts[name] for name in others]) @ (chance * rate), strict=True):
            sums[name][k] = row - RATE * sums["cost"][k] if name == "value" else row
    return {name: table.ravel() for name, table in sums.items()}


def _units(program: Program, people: People, prices: Floats) -> Floats:
    """A price of each row that is neither high nor low: what those listed are worth, against what they weigh there.

    Each is weighed on the row's own channel and partner. A row on which nobody weighs anything gets no price.
    """
    choice = best_arms(program, people, prices)
    person = np.flatnonzero(choice >= 0)
    channel, partner = program.channels_of(choice[person]), program.partners_of(choice[person])
    worth = -float(np.minimum(reduced_costs(program, people, prices).min(axis=1), 0.0).sum())
    heavy = np.zeros(len(program.rows))
    for where in sorted({(row.channel, row.partner) for row in program.rows}, key=str):
        k, m = (own if one is None else one for own, one in zip((channel, partner), where, strict=True))
        arm = np.broadcast_to(k * program.lenders + m, person.shape)
        mine = np.array([(row.channel, row.partner) == where for row in program.rows], dtype=np.bool_)
        heavy[mine] = np.abs(weights(program, people, person, arm)[1][mine]).sum(axis=1)
    return np.asarray(np.divide(worth, heavy, out=np.zeros_like(heavy), where=heavy > 0))
