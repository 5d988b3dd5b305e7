"""What the partner chosen for each person of a plan truly changes, against whoever it would have been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from jobs.evaluate.judge import Lent
from jobs.market.dice import Floats, Ints
from jobs.market.funnel import approve_chance, fund_chance
from jobs.market.state import MARKER, played_conf
from jobs.market.world import World


@dataclass(frozen=True, eq=False)
class PartnerTruth:
    """The partners of one of our own markets in which they differ."""

    world: World

    @property
    def quota(self) -> dict[str, int]:
        """The most funded customers each takes from a plan."""
        partners = self.world.partners
        return {name: int(most) for name, most in zip(partners.name, partners.quota, strict=True)}

    def lent(self, row: Ints, partner: Sequence[object], funded: Floats) -> Lent:
        """What the partners make of rows of a plan: prospect record, partner's name or null, incremental funded.

        As the market plays it: who is sent to nobody, or to a partner that does not serve the region, is lent to by
        whoever it would have been. What a partner would fund beyond its quota is funded by nobody.
        """
        world, partners = self.world, self.world.partners
        person = world.prospects[row]
        place = pd.Index(partners.name).get_indexer(pd.Index(np.asarray(partner, dtype=object)))
        is_sent = (place >= 0) & partners.serves[np.maximum(place, 0), world.people.region[person]]
        on_approved, on_funded = np.ones(len(row)), np.ones(len(row))
        for one in np.unique(place[is_sent]):
            mine = np.flatnonzero(is_sent & (place == one))
            who = person[mine]
            approved = approve_chance(world.conf, world.people, partners, who, int(one))
            passed = approved * fund_chance(world.conf, world.people, partners, who, int(one))
            times = passed / world.funded_given_apply[who]
            total = float((funded[mine] * times).sum())
            share = min(1.0, float(partners.quota[one]) / total) if total > 0 else 1.0
            on_funded[mine] = times * share
            on_approved[mine] = approved / world.approved_given_apply[who] * share
        return Lent(on_approved, on_funded)


def partner_truth(truth: Path) -> PartnerTruth | None:
    """The partners' truth; None where the market does not tell of them, or they are alike."""
    if not (truth / MARKER).exists():
        return None
    world = World(played_conf(truth))
    return None if world.partners.are_alike else PartnerTruth(world)
