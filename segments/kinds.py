"""Classes of people by which funding institutions differ: region, chance of approval, what product would fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import Column

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Kinds:
    """How a person's class is told; classes are numbered region by region, then by approval, then by fit.

    After the named regions, and after the named levels of `feature`, comes one for all others. `edges`: lower ends of
    p_approve of each class but the lowest, rising. Without a `feature` fit is not told.
    """

    regions: tuple[str, ...]
    edges: tuple[float, ...]
    feature: str | None = None
    levels: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many regions, steps of approval and levels of fit, those for all others among them."""
        return len(self.regions) + 1, len(self.edges) + 1, len(self.levels) + 1

    @property
    def count(self) -> int:
        """How many classes."""
        return int(np.prod(self.shape))

    def codes(self, region: Sequence[object], p_approve: NDArray[np.float64], fit: Sequence[object]) -> Ints:
        """The class of each person, as `column` tells it; `fit` is ignored without a feature."""
        step = np.searchsorted(np.array(self.edges), p_approve, side="right").astype(np.int64)
        level = _places(fit, self.levels) if self.feature else np.zeros(len(p_approve), dtype=np.int64)
        _, steps, levels = self.shape
        return (_places(region, self.regions) * steps + step) * levels + level

    def column(self, region: Column, p_approve: Column, fit: Column | None = None) -> Column:
        """The class of a person as a Spark expression (bigint); `fit` is the feature's column, if there is one."""
        from pyspark.sql import functions as F

        step = F.lit(0)
        for at, edge in enumerate(self.edges):
            step = F.when(p_approve >= F.lit(float(edge)), F.lit(at + 1)).otherwise(step)
        level = _placed(fit, self.levels) if fit is not None and self.feature else F.lit(0)
        _, steps, levels = self.shape
        return ((_placed(region, self.regions) * F.lit(steps) + step) * F.lit(levels) + level).cast("bigint")

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Kinds:
        """The classes of the rows of `partner_passes` (kind, region, p_approve_from, fit_feature, fit_level)."""
        first = rows.drop_duplicates("kind").sort_values("kind")
        feature = first["fit_feature"].dropna()
        return cls(
            regions=tuple(first["region"].dropna().drop_duplicates()),
            edges=tuple(float(x) for x in first["p_approve_from"].drop_duplicates() if x > 0),
            feature=str(feature.iloc[0]) if len(feature) else None,
            levels=tuple(first["fit_level"].dropna().drop_duplicates()),
        )


def _places(values: Sequence[object], names: tuple[str, ...]) -> Ints:
    """The place of each value among the names, after the last for any other."""
    import pandas as pd

    found = pd.Index(names, dtype=object).get_indexer(pd.Index(np.asarray(values, dtype=object), dtype=object))
    return np.where(found < 0, len(names), found).astype(np.int64)


def _placed(value: Column, names: tuple[str, ...]) -> Column:
    from pyspark.sql import functions as F

    found = F.lit(len(names))
    for at, name in enumerate(names):
        found = F.when(value == F.lit(name), F.lit(at)).otherwise(found)
    return found
