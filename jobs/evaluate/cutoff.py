"""A policy that breaks the caps, cut off until it keeps them: it leaves out whom its own risk score puts highest."""

from __future__ import annotations

import numpy as np

from jobs.evaluate.judge import Caps, Stakes, Verdict, judge_at
from jobs.market.dice import Floats
from jobs.market.taking import TakingOrder

STEPS = 9  # of halving: the share of people left in is known to a five hundredth


def cut_off(stakes: Stakes, order: TakingOrder, risk: Floats, goal: float, caps: Caps) -> Verdict | None:
    """The verdict when the fewest are left out with whom the caps are kept; None where no cut-off keeps them and
    reaches the volume.

    `risk`: by row of the truth, what the policy takes for a person's lateness. Where to cut is told by the truth,
    which flatters the policy.
    """
    place = np.argsort(np.argsort(risk[order.person], kind="stable"), kind="stable") / max(len(order), 1)
    best, least, most = None, 0.0, 1.0
    for _ in range(STEPS):
        share = (least + most) / 2.0
        kept = place < share
        verdict = judge_at(stakes, TakingOrder(order.person[kept], order.channel[kept]), goal)
        if verdict is None:
            least = share
        elif caps.keeps(verdict):
            best, least = verdict, share
        else:
            most = share
    return best
