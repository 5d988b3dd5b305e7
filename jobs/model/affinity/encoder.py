"""A prospect as one level of every feature: numbers cut at quantiles, categories by their frequent levels."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from jobs.model.learners.features import Features, Floats, Levels, numbers

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Encoder:
    """Cut points of each number and levels of each category, as seen when it was fitted.

    A number has len(cuts) + 2 levels, the last one null; a category len(levels) + 1, the last one rare or unknown.
    """

    cuts: tuple[tuple[str, tuple[float, ...]], ...]
    levels: tuple[tuple[str, tuple[str, ...]], ...]

    @classmethod
    def of(cls, frame: pd.DataFrame, features: Features, parts: int = 5, min_level: int = 20) -> Encoder:
        """Cut numbers into about `parts` equal shares; levels of fewer than `min_level` rows are pooled."""
        cuts = tuple((name, _cuts(numbers(frame[name]), parts)) for name in features.numeric)
        levels = tuple((name, Levels.of(frame[name], min_level).names) for name in features.categorical)
        return cls(cuts, levels)

    @property
    def names(self) -> list[str]:
        """Every feature level, in the order of their codes."""
        found = [f"{name}:{place}" for name, cuts in self.cuts for place in [*range(len(cuts) + 1), "null"]]
        return found + [f"{name}={level}" for name, levels in self.levels for level in [*levels, "(other)"]]

    def codes(self, frame: pd.DataFrame) -> Codes:
        """Rows x features: the place of each row's level in `names`; a row's codes do not depend on other rows."""
        found = np.empty((len(frame), len(self.cuts) + len(self.levels)), dtype=np.int64)
        first = 0
        for at, (name, cuts) in enumerate(self.cuts):
            column = numbers(frame[name])
            place = np.searchsorted(np.asarray(cuts), column, side="right")
            found[:, at] = first + np.where(np.isnan(column), len(cuts) + 1, place)
            first += len(cuts) + 2
        for at, (name, levels) in enumerate(self.levels, start=len(self.cuts)):
            found[:, at] = first + Levels(levels).codes(frame[name])
            first += len(levels) + 1
        return found

    def to_json(self) -> str:
        """The encoder as text."""
        return json.dumps({"cuts": self.cuts, "levels": self.levels})

    @classmethod
    def from_json(cls, text: str) -> Encoder:
        """The encoder back."""
        content = json.loads(text)
        cuts = tuple((str(name), tuple(map(float, values))) for name, values in content["cuts"])
        return cls(cuts, tuple((str(name), tuple(map(str, values))) for name, values in content["levels"]))


def one_hot(codes: Codes, width: int) -> sparse.csr_matrix:
    """Rows x `width` levels: each row of length 1, shared evenly by its features."""
    rows, features = codes.shape
    values = np.full(rows * features, max(features, 1) ** -0.5, dtype=np.float32)
    at = (np.repeat(np.arange(rows), features), codes.ravel())
    return sparse.csr_matrix((values, at), shape=(rows, width))


def added(codes: Codes, levels: Floats) -> Floats:
    """Each row's level vectors added feature by feature, so that a row does not depend on its batch."""
    total = np.zeros((len(codes), levels.shape[1]))
    for at in range(codes.shape[1]):
        total += levels[codes[:, at]]
    return total


def _cuts(column: Floats, parts: int) -> tuple[float, ...]:
    known = column[~np.isnan(column)]
    if known.size == 0:
        return ()
    inner = np.quantile(known, np.linspace(0, 1, parts + 1)[1:-1], method="nearest")
    return tuple(float(v) for v in np.unique(inner) if v > known.min())
