"""Bagged histogram gradient boosting on numbers as they are and categories as native level codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners.cuts import coded, cuts_of
from jobs.model.learners.features import Features, Floats, Levels, numbers
from jobs.model.learners.settings import BoostedSettings
from jobs.model.learners.threads import one_thread

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier


@dataclass(frozen=True, eq=False)
class BoostedModel:
    """The fitted bags and the inputs they were fitted on; inputs that never varied are left out."""

    numeric: tuple[str, ...]
    tables: tuple[tuple[str, Levels], ...]
    bags: tuple[HistGradientBoostingClassifier, ...]
    cuts: tuple[Floats, ...]  # of each numeric input; trees read bins

    def log_odds(self, frame: pd.DataFrame) -> Floats:
        """One score a row: the mean of the bags' raw scores, added in a fixed order."""
        matrix = _matrix(frame, self.numeric, self.tables, self.cuts)
        total = np.zeros(len(frame))
        with one_thread():
            for bag in self.bags:
                total += bag.decision_function(matrix)
        return total / len(self.bags)


def fit_boosted(
    frame: pd.DataFrame,
    features: Features,
    label: NDArray[np.int8],
    weight: Floats | None,
    settings: BoostedSettings,
    seed: int,
) -> BoostedModel | None:
    """Fit on rows in the order given with one thread; None when no input varies."""
    # Every command imports the jobs; only a fit should pay for scikit-learn.
    from sklearn.ensemble import HistGradientBoostingClassifier

    numeric = tuple(n for n in features.numeric if _varies(numbers(frame[n])))
    found = ((n, Levels.of(frame[n], settings.min_level)) for n in features.categorical)
    tables = tuple((n, levels) for n, levels in found if _varies(levels.codes(frame[n]).astype(np.float64)))
    if not numeric and not tables:
        return None
    weights = np.ones(len(frame)) if weight is None else weight
    cuts = tuple(cuts_of(numbers(frame[name]), weights) for name in numeric)
    matrix = _matrix(frame, numeric, tables, cuts)
    is_category = np.arange(matrix.shape[1]) >= len(numeric)
    with one_thread():
        bags = tuple(
            HistGradientBoostingClassifier(
                learning_rate=settings.learning_rate,
                max_iter=settings.trees,
                max_leaf_nodes=settings.leaves,
                min_samples_leaf=settings.min_leaf,
                l2_regularization=settings.l2,
                max_features=settings.feature_share,
                categorical_features=is_category,
                early_stopping=False,
                random_state=seed + bag,
            ).fit(matrix, label, sample_weight=weight)
            for bag in range(settings.bags)
        )
    return BoostedModel(numeric, tables, bags, cuts)


def _matrix(
    frame: pd.DataFrame,
    numeric: tuple[str, ...],
    tables: tuple[tuple[str, Levels], ...],
    cuts: tuple[Floats, ...],
) -> Floats:
    matrix = np.empty((len(frame), len(numeric) + len(tables)), order="F")
    for at, name in enumerate(numeric):
        matrix[:, at] = coded(numbers(frame[name]), cuts[at])
    for at, (name, levels) in enumerate(tables, start=len(numeric)):
        matrix[:, at] = levels.codes(frame[name])
    return matrix


def _varies(column: Floats) -> bool:
    known = column[~np.isnan(column)]
    return bool(known.size) and (known.size < column.size or bool((known != known[0]).any()))
