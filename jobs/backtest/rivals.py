"""The models the product is judged beside: what an analyst gets from scikit-learn's defaults on the same inputs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from jobs.model.learners import Features
from jobs.model.learners.features import Floats, Levels, level_names, numbers
from jobs.model.learners.threads import one_thread

Labels = NDArray[np.int8]


def plain_boosted(train: pd.DataFrame, test: pd.DataFrame, features: Features, seed: int) -> Floats:
    """HistGradientBoostingClassifier with every default, categories as native codes (the 250 most frequent levels)."""
    known = [n for n in features.numeric if not np.isnan(numbers(train[n])).all()]
    levels = {n: Levels.of(train[n], 1) for n in features.categorical}

    def matrix(frame: pd.DataFrame) -> Floats:
        columns = [numbers(frame[n]) for n in known]
        return np.column_stack([*columns, *(levels[n].codes(frame[n]).astype(float) for n in levels)])

    is_category = np.arange(len(known) + len(levels)) >= len(known)
    learner = HistGradientBoostingClassifier(categorical_features=is_category, random_state=seed)
    with one_thread():
        learner.fit(matrix(train), train["label"])
        return np.asarray(learner.predict_proba(matrix(test))[:, 1], dtype=np.float64)


def plain_logistic(train: pd.DataFrame, test: pd.DataFrame, features: Features, seed: int) -> Floats:
    """LogisticRegression with its default penalty: standardised numbers (median for null), one-hot levels."""
    known = [n for n in features.numeric if not np.isnan(numbers(train[n])).all()]

    def frame_of(frame: pd.DataFrame) -> pd.DataFrame:
        columns: dict[str, object] = {n: numbers(frame[n]) for n in known}
        return pd.DataFrame(columns | {n: level_names(frame[n]) for n in features.categorical})

    encode = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), known),
        (OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist"), list(features.categorical)),
    )
    learner = make_pipeline(encode, LogisticRegression(max_iter=1000, random_state=seed))
    with one_thread():
        learner.fit(frame_of(train), train["label"])
        return np.asarray(learner.predict_proba(frame_of(test))[:, 1], dtype=np.float64)


def running_base_rate(label: Labels, first: int, window: int = 1000) -> Floats:
    """For each row from `first` on: the share of positives among the `window` rows before it, itself not counted.

    It knows nothing of a person; what it scores in a pooled AUC is the drift of the base rate alone.
    """
    total = np.r_[0, np.cumsum(label, dtype=np.int64)]
    at = np.arange(first, len(label))
    start = np.maximum(at - window, 0)
    return np.asarray((total[at] - total[start] + 0.5) / (at - start + 1.0), dtype=np.float64)
