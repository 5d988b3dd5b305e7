"""Which columns a model may see, and how a column of a frame is read: numbers as float64, categories as level codes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

MISSING_LEVEL = "\x00missing"
MAX_LEVELS = 250  # histogram boosting bins a feature into at most 255 values, missing ones apart


@dataclass(frozen=True)
class Features:
    """The declared inputs of a model, in a fixed order; null is allowed in all of them."""

    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = self.names
        if len(set(names)) != len(names):
            twice = sorted({n for n in names if names.count(n) > 1})
            raise ValueError(f"features declared twice: {', '.join(twice)}; declare each once")

    @property
    def names(self) -> tuple[str, ...]:
        """Every input, numeric ones first."""
        return self.numeric + self.categorical

    def check(self, columns: Iterable[str]) -> None:
        """Raise KeyError naming the declared inputs that `columns` lacks."""
        if missing := sorted(set(self.names) - set(columns)):
            raise KeyError(f"the frame lacks the feature columns {', '.join(missing)}; add them or declare them out")


def numbers(column: pd.Series) -> Floats:
    """The column as float64, from any numeric type; null, infinite and not numeric become NaN."""
    values = pd.to_numeric(column.astype(object), errors="coerce") if column.dtype == object else column
    out = values.to_numpy(dtype=np.float64, na_value=np.nan).copy()
    out[~np.isfinite(out)] = np.nan
    return out


def level_names(column: pd.Series) -> NDArray[np.object_]:
    """The column as text; null is the level MISSING_LEVEL, so that it can be learned like any other."""
    codes, names = _distinct(column)
    return names[codes]


def _distinct(column: pd.Series) -> tuple[Codes, NDArray[np.object_]]:
    """A code a row, and the text of each code; text is made once a distinct value, not once a row."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, values = column.cat.codes.to_numpy(), column.cat.categories
    else:
        codes, values = pd.factorize(column.astype(object), use_na_sentinel=True)
    names = np.array([*(str(v) for v in values), MISSING_LEVEL], dtype=object)
    return np.where(codes < 0, len(values), codes).astype(np.int64), names


@dataclass(frozen=True)
class Levels:
    """The levels of one category that were seen often enough; every other value shares the code after the last."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, column: pd.Series, min_count: int) -> Levels:
        """The levels of at least `min_count` rows, most frequent first, at most MAX_LEVELS of them."""
        codes, names = _distinct(column)
        counts: dict[str, int] = {}
        for name, count in zip(names, np.bincount(codes, minlength=len(names)), strict=True):
            counts[name] = counts.get(name, 0) + int(count)
        order = sorted(counts, key=lambda n: (-counts[n], n))  # ties by name, so that row order is of no account
        return cls(tuple(n for n in order if counts[n] >= max(min_count, 1))[:MAX_LEVELS])

    def codes(self, column: pd.Series) -> Codes:
        """One code a row in 0..len(names); the last one is every rare or unknown level."""
        codes, names = _distinct(column)
        place = {name: at for at, name in enumerate(self.names)}
        return np.array([place.get(n, len(self.names)) for n in names], dtype=np.int64)[codes]
