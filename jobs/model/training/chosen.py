"""What models lose by being chosen by: whom a model likes best it likes, on the whole, too well."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from jobs.model.learners.features import Floats


@dataclass(frozen=True, eq=False)
class Told:
    """What models of some people expect of others: people x channels, `spend` in any one currency."""

    good: Floats
    spend: Floats

    def choice(self, share: float) -> NDArray[np.bool_]:
        """On every channel the share of the people whose customers are the cheapest there: people x channels.

        Places are few and prices rise with use, so that a plan takes the best of every channel.
        """
        worth = self.good / np.maximum(self.spend, 1e-12)
        best: NDArray[np.bool_] = worth >= np.quantile(worth, 1.0 - share, axis=0)
        return best


def overstated(one: Told, other: Told, share: float) -> tuple[float, float]:
    """Logs of how many good customers a half tells too many of its own choice, and of how much too little spend.

    Whom one half chose the other judges without having chosen: what it tells otherwise is what choosing did. The mean
    of both halves; sums of 0 or below say nothing: 0.
    """
    logs = np.zeros((2, 2))
    for at, (mine, yours) in enumerate(((one, other), (other, one))):
        chosen = mine.choice(share)
        logs[at] = _log_ratio(mine.good, yours.good, chosen), _log_ratio(yours.spend, mine.spend, chosen)
    good, spend = logs.mean(axis=0)
    return float(good), float(spend)


def _log_ratio(above: Floats, below: Floats, chosen: NDArray[np.bool_]) -> float:
    one, other = float(above[chosen].sum()), float(below[chosen].sum())
    return log(one / other) if one > 0 and other > 0 else 0.0
