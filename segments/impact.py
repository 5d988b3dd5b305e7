"""How a channel's prices rise with use: the factor on what it charges when so many people are listed on it at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LEAST_LOAD, MOST_LOAD = 0.05, 20.0  # against the usual load; beyond these nothing was ever seen


@dataclass(frozen=True)
class Impact:
    """By channel: elasticity of its prices to the people listed, and how many listed people make its usual load.

    A channel that was never used has the usual load 0 and a price that does not move.
    """

    elasticity: tuple[float, ...]
    usual: tuple[float, ...]

    @property
    def is_flat(self) -> bool:
        """Whether no price moves."""
        return not any(self.elasticity)

    def factor(self, listed: ArrayLike) -> Floats:
        """What costs at the usual load are multiplied with, by channel."""
        load = np.asarray(listed, dtype=np.float64) / np.maximum(np.asarray(self.usual), 1.0)
        raised = np.clip(load, LEAST_LOAD, MOST_LOAD) ** np.asarray(self.elasticity)
        return np.asarray(np.where(np.asarray(self.usual) > 0, raised, 1.0), dtype=np.float64)

    def marginal(self, listed: ArrayLike) -> Floats:
        """What one person more adds to a channel's bill, over the mean cost there at the usual load."""
        added: Floats = self.factor(listed) * (1.0 + np.asarray(self.elasticity))
        return added

    def rated(self, cost: Floats, channel: NDArray[np.int64]) -> Floats:
        """What each row costs when all are played together, given its cost at the usual load."""
        listed = np.bincount(channel, minlength=len(self.usual))
        return np.asarray(cost * self.factor(listed)[channel], dtype=np.float64)

    def spend(self, cost: Floats, channel: NDArray[np.int64]) -> float:
        """What rows cost together."""
        return float(self.rated(cost, channel).sum())
