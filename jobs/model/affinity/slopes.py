"""How strongly clicks follow a number, within groups whose own levels are of no account: a Poisson slope."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jobs.model.learners.features import Floats

STEPS, LARGEST = 25, 5.0


def slope(clicks: Floats, expected: Floats, x: Floats, group: NDArray[np.int64]) -> tuple[float, float]:
    """The maximum-likelihood slope of log clicks on `x`, and its standard error (infinite where nothing tells it).

    `expected` is what was expected before; each group (0, 1, ...) has a free level, solved for in closed form.
    """
    count = int(group.max()) + 1 if len(group) else 0
    total = np.bincount(group, clicks, count)
    found, curve = 0.0, 0.0
    for _ in range(STEPS):
        mean = expected * np.exp(np.clip(found * x, -30.0, 30.0))
        level = total / np.maximum(np.bincount(group, mean, count), 1e-12)
        mean = mean * level[group]
        middle = np.bincount(group, mean * x, count) / np.maximum(np.bincount(group, mean, count), 1e-12)
        curve = float((mean * np.square(x - middle[group])).sum())
        if curve <= 1e-9:
            return 0.0, float("inf")
        step = float(((clicks - mean) * x).sum()) / curve
        found = float(np.clip(found + np.clip(step, -1.0, 1.0), -LARGEST, LARGEST))
        if abs(step) < 1e-9:
            break
    return found, float(curve**-0.5)


def surely(found: float, error: float) -> float:
    """A slope shrunk by how much of its square may be chance; 0 where all of it may."""
    return 0.0 if found == 0.0 else found * max(0.0, 1.0 - (error / found) ** 2)
