"""The rows of a randomised trial, and what a policy says of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners import Features
from jobs.model.learners.features import Floats

Arms = NDArray[np.int64]
CONTROL = 0


@dataclass(frozen=True, eq=False)
class Trial:
    """People with their inputs, the arm drawn for each (0 the control), the outcome, and the arms' known shares."""

    frame: pd.DataFrame
    features: Features
    arm: Arms
    outcome: Floats
    share: Floats

    def where(self, mask: NDArray[np.bool_]) -> Trial:
        """Those people."""
        return Trial(self.frame[mask], self.features, self.arm[mask], self.outcome[mask], self.share)

    @property
    def treatments(self) -> range:
        """Every arm but the control."""
        return range(1, len(self.share))

    @property
    def best_arm(self) -> int:
        """The treatment with the highest mean outcome."""
        return max(self.treatments, key=lambda a: float(self.outcome[self.arm == a].mean()))


@dataclass(frozen=True, eq=False)
class Plan:
    """A policy on some people: the higher the score the sooner somebody is treated, and then with `arm`."""

    score: Floats
    arm: Arms

    @classmethod
    def of_effects(cls, effects: Floats) -> Plan:
        """The treatment of the largest effect for each person (people x treatments), the largest effects first."""
        return cls(effects.max(axis=1), effects.argmax(axis=1) + 1)
