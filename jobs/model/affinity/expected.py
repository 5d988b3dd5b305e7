"""Clicks each person and creative would have brought if creatives were alike: what taste is measured against."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jobs.model.learners.features import Floats
from jobs.model.serving.funnel import Funnel


def expected_clicks(rows: pd.DataFrame, funnel: Funnel) -> Floats:
    """Exposures times the click stage's own expectation of person and channel, scaled to each channel's clicks.

    So who clicks anyway, and where, is explained already, and only what depends on the creative is left to learn.
    """
    found = np.zeros(len(rows))
    channel, clicks = rows["channel"].to_numpy(dtype=object), rows["clicks"].to_numpy(dtype=np.float64)
    for name in sorted(set(channel)):
        mine = np.flatnonzero(channel == name)
        told = rows.iloc[mine]
        each = told["exposures"].to_numpy(dtype=np.float64) * funnel.clicks(told, name)
        found[mine] = each * (clicks[mine].sum() / max(float(each.sum()), 1e-12))
    return found
