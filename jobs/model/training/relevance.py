"""Which inputs tell channels apart: how far a weight may lie from that of all channels, learned from the weights.

Automatic relevance determination (MacKay 1992): an input by which no channel differs is held to the common shape, one
by which some do is let go, and a channel's own weight is held by what it shows itself as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from jobs.model.learners.features import Floats
from jobs.model.learners.sums import fit_sums

if TYPE_CHECKING:
    from jobs.model.training.channels import Billed

USUAL = 0.02  # spread of a channel's own weight before data
WORTH, OWN_WORTH = 2.0, 4.0  # channels that the usual spread counts as, and an input's spread against one weight
LEAST = 1e-3
ROUNDS, OWN_ROUNDS = 4, 3
ENOUGH = 4  # channels from which on they tell what tells them apart; fewer may differ in everything


def ridges_apart(parts: Mapping[str, tuple[Billed, Floats]], shape: Floats) -> dict[str, Floats]:
    """By channel, what holds each of its inputs to the common `shape`, as `fit_sums` takes it.

    `parts`: each channel's invoices and inputs.
    """
    spread = np.full(len(shape), USUAL**2)
    for _ in range(ROUNDS):
        square, known = np.zeros_like(spread), np.zeros_like(spread)
        for billed, inputs in parts.values():
            own, sure = _own(billed, inputs, shape, spread)
            square, known = square + np.square(own), known + sure
        spread = _bounded((square + WORTH * USUAL**2) / (known + WORTH))
    found = {}
    for name, (billed, inputs) in parts.items():
        mine = spread
        for _ in range(OWN_ROUNDS):
            own, sure = _own(billed, inputs, shape, mine)
            mine = _bounded((np.square(own) + OWN_WORTH * spread) / (sure + OWN_WORTH))
        found[name] = _ridge(mine)
    return found


def _own(billed: Billed, inputs: Floats, shape: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """A channel's own weights at such spreads, and how much of each its data tell (0: the spread alone, 1: all)."""
    ones = np.ones((len(billed.weight), 1))
    told = (inputs, ones, billed.weight, billed.invoice, billed.total, inputs @ shape)
    found = fit_sums(*told, ridge=_ridge(spread), base=billed.base)
    return found.held, np.clip(1.0 - found.variance / spread, 0.0, 1.0)


def _ridge(spread: Floats) -> Floats:
    """A ridge holds a weight as a normal of half its inverse does."""
    return 0.5 / spread


def _bounded(spread: NDArray[np.float64]) -> Floats:
    return np.maximum(spread, LEAST**2)
