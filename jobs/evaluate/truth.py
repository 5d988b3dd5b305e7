"""The truth of a world as the judge needs it: of any market whose truth is written down, and more of our own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from jobs.evaluate.judge import Stakes
from jobs.market.referee import read_truth
from jobs.market.rings import DEFAULT_SHARE
from jobs.market.state import MARKER, played_conf
from jobs.market.world import World


def read_stakes(truth: Path) -> tuple[Stakes, pd.Index[str], list[str]]:
    """Stakes by prospect record, with the prospects' ids and the channels' names.

    Only our own markets tell of approvals and of how prices rise with use; elsewhere approvals are unknown and prices
    flat, and everybody in a ring counts as fraud.
    """
    known = read_truth(truth)
    approved, fraud = np.full(known.cost.shape, np.nan), known.is_fraud.astype(np.float64)
    if (truth / MARKER).exists():
        world = World(played_conf(truth))
        share = world.approved_given_apply / world.funded_given_apply
        approved, fraud = known.funded * share[world.prospects][:, None], fraud * DEFAULT_SHARE
    stakes = Stakes(known.cost, known.funded, approved, known.late, fraud, known.capacity, known.impact)
    return stakes, known.prospects, known.channels
