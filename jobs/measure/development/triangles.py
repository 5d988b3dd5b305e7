"""Cohorts by age: what was seen so far, cumulated, and which cells are still to come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Triangle:
    """`seen` (cohorts, ages): running sums, NaN where an age is not yet observed; row i is seen to `newest[i]`."""

    seen: Floats

    @property
    def newest(self) -> Ints:
        """The last observed age of each cohort; -1 where none is."""
        return np.asarray((~np.isnan(self.seen)).sum(axis=1) - 1, dtype=np.int64)

    @property
    def latest(self) -> Floats:
        """What each cohort has come to so far; NaN where nothing was seen."""
        newest = self.newest
        return np.where(newest >= 0, self.seen[np.arange(len(newest)), np.maximum(newest, 0)], np.nan)

    @classmethod
    def of(cls, added: Floats, newest: Ints) -> Triangle:
        """From what each age added (cohorts, ages) and the last observed age of each cohort."""
        running = np.cumsum(added, axis=1, dtype=np.float64)
        return cls(np.where(np.arange(added.shape[1]) <= newest[:, None], running, np.nan))
