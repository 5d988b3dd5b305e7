"""What a cluster is: the nearest of a few centres, on standardised numbers and one-hot levels."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Coordinates:
    """How a prospect becomes a point: numbers (value - mean) / spread with null at the mean, then one-hot levels."""

    numbers: tuple[tuple[str, float, float], ...]
    levels: tuple[tuple[str, tuple[str, ...]], ...]

    @classmethod
    def of(cls, frame: pd.DataFrame, numeric: tuple[str, ...], categorical: tuple[str, ...], most: int) -> Coordinates:
        """Means and spreads of the frame, and its `most` frequent levels of each category."""
        numbers = []
        for name in numeric:
            column = pd.to_numeric(frame[name]).to_numpy(dtype=np.float64, na_value=np.nan)
            known = column[np.isfinite(column)]
            spread = float(known.std()) if known.size else 0.0
            if spread > 0:
                numbers.append((name, float(known.mean()), spread))
        levels = []
        for name in categorical:
            counts = frame[name].astype(object).dropna().astype(str).value_counts()
            ranked = sorted(counts.index, key=lambda level: (-int(counts[level]), level))
            levels.append((name, tuple(ranked[:most])))
        return cls(tuple(numbers), tuple(levels))

    def points(self, frame: pd.DataFrame) -> Floats:
        """Rows x coordinates; a row's point does not depend on other rows."""
        columns: list[Floats] = []
        for name, mean, spread in self.numbers:
            column = pd.to_numeric(frame[name]).to_numpy(dtype=np.float64, na_value=np.nan)
            columns.append(np.where(np.isfinite(column), np.clip((column - mean) / spread, -5.0, 5.0), 0.0))
        for name, names in self.levels:
            text = frame[name].astype(object).to_numpy()
            columns += [(text == level).astype(np.float64) for level in names]
        return np.column_stack(columns) if columns else np.zeros((len(frame), 0))

    def to_json(self) -> str:
        """As text."""
        return json.dumps({"numbers": self.numbers, "levels": self.levels})

    @classmethod
    def from_json(cls, text: str) -> Coordinates:
        """And back."""
        content = json.loads(text)
        numbers = tuple((str(n), float(m), float(s)) for n, m, s in content["numbers"])
        return cls(numbers, tuple((str(n), tuple(map(str, names))) for n, names in content["levels"]))


def nearest(points: Floats, centres: Floats) -> NDArray[np.int64]:
    """The nearest centre of each point, ties to the first; added coordinate by coordinate, so batches do not matter."""
    distance = np.zeros((len(points), len(centres)))
    for at in range(points.shape[1]):
        distance += (points[:, at, None] - centres[None, :, at]) ** 2
    return np.asarray(distance.argmin(axis=1), dtype=np.int64)
