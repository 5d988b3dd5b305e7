"""How strongly to hold a model's weights where events are few: by what it foretells of rows it was not fitted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from jobs.model.learners.features import Floats
from jobs.model.learners.threads import side_by_side

FOLDS = 5
PLENTY = 2000  # rows of the rarer class from which on the strength moves nothing
LEAST = 4 * FOLDS  # fewer tell nothing of it


class Scores(Protocol):
    """A fitted model that tells log-odds of inputs."""

    def decision_function(self, inputs: Any) -> Floats:
        """One number a row."""


def few_events(label: NDArray[np.int8]) -> bool:
    """Whether the rarer class has so few rows that how weights are held matters, and enough to tell how."""
    hits = int(label.sum())
    return LEAST <= min(hits, len(label) - hits) < PLENTY


def best_of(
    tried: Sequence[float],
    learned: Callable[[float, Any, NDArray[np.int8], Floats], Scores],
    inputs: Any,
    label: NDArray[np.int8],
    weight: Floats,
) -> float:
    """The strength with the least weighted log-loss on rows it was not fitted on.

    `learned` takes a strength, inputs, labels and weights. Each fifth of the rows is scored by what the others teach.
    Rows of either class are dealt to the fifths in turn, in the order given, so that no fifth is without events.
    """
    fold = np.empty(len(label), dtype=np.int64)
    for kind in (0, 1):
        mine = label == kind
        fold[mine] = np.arange(int(mine.sum())) % FOLDS

    def missed(one: int) -> Floats:
        out = fold == one
        others = inputs[~out], label[~out], weight[~out]
        mine, events, stands_for = inputs[out], label[out], weight[out]
        scores = [learned(held_by, *others).decision_function(mine) for held_by in tried]
        return np.array([(stands_for * (np.logaddexp(0.0, score) - events * score)).sum() for score in scores])

    loss: Floats = sum(side_by_side(missed, range(FOLDS)), np.zeros(len(tried)))
    return tried[int(np.argmin(loss))]
