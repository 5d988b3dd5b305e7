"""Plans asked of the product on a world, each judged by the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from jobs.evaluate.judge import Caps, Stakes, judge
from jobs.evaluate.lent import PartnerTruth
from jobs.evaluate.product import Product
from jobs.evaluate.volumes import Plan
from jobs.market.taking import TakingOrder


@dataclass(frozen=True, eq=False)
class Planning:
    """What is asked for plans under caps; `prospects` and `channels` in the truth's order.

    With `lenders` a plan is judged by the partners it chose, else by whoever it would have been.
    """

    product: Product
    stakes: Stakes
    prospects: pd.Index[str]
    channels: Sequence[str]
    caps: Caps
    say: Callable[[str], None]
    lenders: PartnerTruth | None = None

    def __call__(self, floor: float) -> Plan:
        """The plan for at least `floor` good customers."""
        rows, forecast = self.product.plan(floor, self.caps)
        taken = TakingOrder(
            self.prospects.get_indexer(pd.Index(rows["prospect_id"])).astype(np.int64),
            pd.Index(self.channels).get_indexer(pd.Index(rows["channel"])).astype(np.int64),
        )
        funded = self.stakes.funded[taken.person, taken.channel]
        lent = self.lenders.lent(taken.person, rows["partner"].to_list(), funded) if self.lenders else None
        plan = Plan(floor, judge(self.stakes, taken, lent=lent), forecast)
        self.say(f"plan for {floor:.4g}: truly {plan.verdict.good:.4g} at {plan.verdict.cost_per_good:.4g} each")
        return plan
