"""What a plan must keep: places, money left, caps, floor, the shares of exploration and holdout, smallest audiences."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jobs.activate.allocation.partners import Partners
from jobs.activate.allocation.program import Program, Row
from jobs.runtime.conf import Conf
from segments.impact import Floats, Impact

STEPS = 24  # in which places are offered where prices rise with use


@dataclass(frozen=True)
class Terms:
    """One day's terms, money in the base currency's major units; channels in the order of `channels`.

    `load` and `supply`: what the programme takes prices to be at the use planned for (`Program`); empty: flat.
    """

    channels: tuple[str, ...]
    capacity: tuple[int, ...]
    budget_left: tuple[float, ...]
    total_left: float | None
    smallest: tuple[int, ...]
    exploration: float
    holdout: float
    objective: str
    good_floor: float | None
    max_late_rate: float | None
    max_fraud_rate: float | None
    max_gap: float
    impact: Impact
    load: tuple[float, ...] = ()
    supply: tuple[tuple[tuple[float, float], ...], ...] = ()
    partners: Partners | None = None

    def program(self) -> Program:
        """The linear programme of these terms: rows `places:<channel>`, `budget:<channel>`, `quota:<partner>`, …"""
        rows = [Row(f"places:{c}", "places", k, float(self.capacity[k])) for k, c in enumerate(self.channels)]
        rows += [Row(f"budget:{c}", "cost", k, self.budget_left[k]) for k, c in enumerate(self.channels)]
        if self.total_left is not None:
            rows.append(Row("budget", "cost", None, self.total_left))
        if self.max_late_rate is not None:
            rows.append(Row("late", "late", None, 0.0))
        if self.max_fraud_rate is not None:
            rows.append(Row("fraud", "fraud", None, 0.0))
        rows += self._of_partners()
        partners = None if self.partners is None else self.partners.told_apart()
        if self.objective == "good":
            return Program(self.channels, "good", tuple(rows), self.load, partners=partners)
        if self.objective == "volume" and self.good_floor is not None:
            rows.append(Row("floor", "-good", None, -self.good_floor))
            return Program(self.channels, "cost", tuple(rows), self.load, self.supply, partners)
        return Program(self.channels, "value", tuple(rows), self.load, self.supply, partners)

    def _of_partners(self) -> list[Row]:
        """Each partner's quota and caps. The quantities late and fraud are told beyond the caps over all partners."""
        if self.partners is None:
            return []
        rows = []
        caps = (
            ("late", self.partners.max_late, self.max_late_rate),
            ("fraud", self.partners.max_fraud, self.max_fraud_rate),
        )
        for place, name in enumerate(self.partners.names):
            quota = self.partners.quota[place]
            if quota is not None:
                rows.append(Row(f"quota:{name}", "funded", None, quota, place))
            for kind, own, overall in caps:
                cap = own[place]
                if cap is not None:
                    rows.append(Row(f"{kind}:{name}", kind, None, 0.0, place, cap - (overall or 0.0)))
        return rows

    def reach(self) -> Terms:
        """The same without the floor: as many good customers as the other rows allow."""
        return replace(self, objective="good", good_floor=None)

    def used(self, listed: Floats, mean_cost: Floats) -> Terms:
        """The same planned for a use of the channels: so many people on each, who cost so much each at the usual load.

        Costs are taken at that load. Beyond it a place costs what the person on it makes a channel of such people
        dearer by; below it a place costs nothing, until the next round plans for less.
        """
        load, supply = self.impact.factor(listed), []
        for k, places in enumerate(self.capacity):
            edges = np.unique(np.concatenate([[0.0], places * np.geomspace(0.005, 1.0, STEPS)]))
            middle = (edges[1:] + edges[:-1]) / 2.0
            tolls = np.maximum(self.impact.marginal(middle[:, None])[:, k] - load[k], 0.0) * mean_cost[k]
            supply.append(tuple(zip(np.diff(edges).tolist(), tolls.tolist(), strict=True)))
        return replace(self, load=tuple(load.tolist()), supply=tuple(supply))


def terms_of(conf: Conf, budget_left: dict[str, float], total_left: float | None, impact: Impact) -> Terms:
    """The terms that conf and what is left of the budgets imply."""
    channels, plan, policy = tuple(sorted(conf.channels)), conf.base.plan, conf.policy
    return Terms(
        channels=channels,
        capacity=tuple(conf.channels[name].capacity for name in channels),
        budget_left=tuple(max(0.0, budget_left[name]) for name in channels),
        total_left=None if total_left is None else max(0.0, total_left),
        smallest=tuple(max(conf.channels[name].min_audience, policy.min_audience) for name in channels),
        exploration=policy.exploration_share,
        holdout=policy.holdout_share,
        objective=plan.objective,
        good_floor=plan.good_floor,
        max_late_rate=plan.max_late_rate,
        max_fraud_rate=plan.max_fraud_rate,
        max_gap=plan.max_gap,
        impact=impact,
    )
