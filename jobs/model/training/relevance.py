"""Which inputs tell channels apart: how far a weight may lie from that of all channels, learned from the weights.

Automatic relevance determination (MacKay 1992): an input by which no channel differs is held to the common shape, one
by which some do is let go, and a channel's own weight is held by what it shows itself as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from jobs.model.learners.features import Floats
from jobs.model.learners.sums import Sums, Weights
from jobs.model.learners.threads import side_by_side

if TYPE_CHECKING:
    from jobs.model.training.channels import Billed

USUAL = 0.02  # spread of a channel's own weight before data
WORTH, OWN_WORTH = 2.0, 4.0  # channels that the usual spread counts as, and an input's spread against one weight
LEAST = 1e-3
ROUNDS, OWN_ROUNDS = 4, 3
ENOUGH = 4  # channels from which on they tell what tells them apart; fewer may differ in everything


def ridges_apart(parts: Mapping[str, tuple[Billed, Floats]], shape: Floats) -> dict[str, Floats]:
    """By channel, what holds each of its inputs to the common `shape`, as `Sums.fit` takes it.

    `parts`: each channel's invoices and inputs.
    """
    channels = {name: _Own.of(billed, inputs, shape) for name, (billed, inputs) in parts.items()}
    spread = np.full(len(shape), USUAL**2)
    for _ in range(ROUNDS):
        square, known = np.zeros_like(spread), np.zeros_like(spread)
        for own, sure in side_by_side(partial(_Own.told, spread=spread), channels.values()):
            square, known = square + np.square(own), known + sure
        spread = _bounded((square + WORTH * USUAL**2) / (known + WORTH))

    def own_ridge(channel: _Own) -> Floats:
        mine = spread
        for _ in range(OWN_ROUNDS):
            own, sure = channel.told(mine)
            mine = _bounded((np.square(own) + OWN_WORTH * spread) / (sure + OWN_WORTH))
        return _ridge(mine)

    return dict(zip(channels, side_by_side(own_ridge, channels.values()), strict=True))


@dataclass(eq=False)
class _Own:
    """One channel's weights beyond the common shape, and the last of them fitted."""

    sums: Sums
    last: Weights | None = None

    @classmethod
    def of(cls, billed: Billed, inputs: Floats, shape: Floats) -> _Own:
        return cls(billed.sums(inputs, np.ones((len(billed.weight), 1)), inputs @ shape))

    def told(self, spread: Floats) -> tuple[Floats, Floats]:
        """The weights at such spreads, and how much of each its data tell (0: the spread alone, 1: all)."""
        self.last = self.sums.fit(_ridge(spread), near=self.last)
        return self.last.held, np.clip(1.0 - self.last.variance / spread, 0.0, 1.0)


def _ridge(spread: Floats) -> Floats:
    """A ridge holds a weight as a normal of half its inverse does."""
    return 0.5 / spread


def _bounded(spread: NDArray[np.float64]) -> Floats:
    return np.maximum(spread, LEAST**2)
