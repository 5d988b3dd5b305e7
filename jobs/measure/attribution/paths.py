"""Paths of touches with what came of them, flat in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
UNATTRIBUTED = "(unattributed)"


@dataclass(frozen=True)
class Paths:
    """`n` distinct or repeated paths; path i touched `channels[codes[starts[i]:starts[i + 1]]]` in that order.

    `conversions` and `nulls` count the journeys that ended with and without a conversion, `values` is what the
    conversions of a path were worth together; `ages`, where known, is seconds from each touch to the end of its path.
    A path without touches is allowed: what came of it is nobody's.
    """

    channels: tuple[str, ...]
    codes: Ints
    starts: Ints
    conversions: Floats
    values: Floats
    nulls: Floats
    ages: Floats | None = None

    @classmethod
    def of(
        cls,
        touched: Sequence[Sequence[str]],
        conversions: Any,
        values: Any = None,
        nulls: Any = None,
        ages: Sequence[Sequence[float]] | None = None,
    ) -> Paths:
        """Paths from lists of channel names; values and nulls are 0 where they are not given."""
        names = sorted({name for path in touched for name in path})
        code = {name: i for i, name in enumerate(names)}
        flat = np.array([code[name] for path in touched for name in path], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum([len(path) for path in touched], dtype=np.int64)]).astype(np.int64)
        zeros = np.zeros(len(touched))
        return cls(
            tuple(names),
            flat,
            starts,
            np.asarray(conversions, dtype=np.float64),
            zeros if values is None else np.asarray(values, dtype=np.float64),
            zeros if nulls is None else np.asarray(nulls, dtype=np.float64),
            None if ages is None else np.array([age for path in ages for age in path], dtype=np.float64),
        )

    @cached_property
    def lengths(self) -> Ints:
        """Touches of each path."""
        return np.diff(self.starts)

    @cached_property
    def owners(self) -> Ints:
        """The path of each touch."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @cached_property
    def firsts(self) -> Ints:
        """Place of the first touch of each path that has one."""
        return self.starts[:-1][self.lengths > 0]

    @cached_property
    def lasts(self) -> Ints:
        """Place of the last touch of each path that has one."""
        return self.starts[1:][self.lengths > 0] - 1

    @cached_property
    def debuts(self) -> Ints:
        """Places where a channel is met for the first time in its path, in path order."""
        met = self.owners * max(len(self.channels), 1) + self.codes
        return np.sort(np.unique(met, return_index=True)[1])

    @cached_property
    def distinct(self) -> Ints:
        """Different channels of each path."""
        return np.bincount(self.owners[self.debuts], minlength=len(self.lengths)).astype(np.int64)

    @property
    def unattributed(self) -> tuple[float, float]:
        """Conversions and value of paths that touched nothing."""
        bare = self.lengths == 0
        return float(self.conversions[bare].sum()), float(self.values[bare].sum())
