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


def overstated(one: Told, other: Told, share: float) -> float:
    """Log of how many good customers a half tells too many of its own choice, the mean of both halves.

    Whom one half chose the other judges without having chosen: what it tells less is what choosing did. Sums of 0 or
    below say nothing: 0.
    """
    logs = []
    for mine, yours in ((one, other), (other, one)):
        at = mine.choice(share)
        own, told = float(mine.good[at].sum()), float(yours.good[at].sum())
        logs.append(log(own / told) if own > 0 and told > 0 else 0.0)
    return sum(logs) / 2.0
