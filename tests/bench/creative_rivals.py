"""Ways to choose a creative for a person: each scores judged people x creatives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from creative_world import Shown

from jobs.market.dice import Floats
from jobs.model.affinity.encoder import Encoder, one_hot
from jobs.model.affinity.factors import Affinity
from jobs.model.affinity.fit import MONTH_DAYS, fit_affinity
from jobs.model.affinity.popularity import popularity
from jobs.model.learners.features import Features, Levels, numbers

NOT_RUNNING = -np.inf


def lightfm(shown: Shown) -> Floats:
    """The product's affinity model as the job fits it and as it is served on the day."""
    base = shown.conf.base
    table = fit_affinity(
        shown.rows, shown.expected, shown.creatives, shown.features, base.creative_features, base.training
    )
    model = Affinity.from_rows(table)
    assert model is not None
    running = shown.creatives[shown.is_running]
    since = dict(zip(running["creative"] + "@" + running["channel"], running["first_day"], strict=True))
    model = model.serving(since, shown.day)
    number = {name: at for at, name in enumerate(shown.creatives["creative"])}
    found, people = np.full(shown.clicks.shape, NOT_RUNNING), model.people(shown.prospects)
    for channel in sorted(set(running["channel"])):
        names, scores = model.scores(people, channel)
        found[:, [number[name] for name in names]] = scores
    return found


def boosted(shown: Shown) -> Floats:
    """Gradient boosting of clicks over expected clicks on the person's features, the creative's looks and its age.

    Its settings are about the best of eight tried on log_linear 901, judged by the truth.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    features, kinds = shown.features, shown.conf.base.creative_features
    standing = ("channel", "placement", "format")
    looks = Features(
        tuple(n for n, kind in kinds.items() if kind == "numeric"),
        (*standing, *(n for n, kind in kinds.items() if kind == "categorical")),
    )
    levels = {n: Levels.of(shown.rows[n], 20) for n in features.categorical}
    looks_levels = {n: Levels.of(shown.creatives[n], 1) for n in looks.categorical}
    seen = _coded(shown.creatives, looks, looks_levels)
    number = shown.rows["number"].to_numpy()
    age = _months(shown, shown.rows["seen_day"], number)
    told = np.column_stack([_coded(shown.rows, features, levels), seen[number], age])
    first = len(features.names) + len(looks.numeric)
    categorical = [*range(len(features.numeric), len(features.names)), *range(first, first + len(looks.categorical))]
    model = HistGradientBoostingRegressor(
        loss="poisson",
        max_iter=800,
        learning_rate=0.05,
        max_leaf_nodes=15,
        min_samples_leaf=100,
        early_stopping=False,
        random_state=0,
        categorical_features=categorical,
    )
    used = shown.expected > 0
    clicks = shown.rows["clicks"].to_numpy(dtype=np.float64)
    model.fit(told[used], clicks[used] / shown.expected[used], sample_weight=shown.expected[used])
    found, person = np.full(shown.clicks.shape, NOT_RUNNING), _coded(shown.prospects, features, levels)
    for one in np.flatnonzero(shown.is_running):
        age = _months(shown, pd.Series([shown.day]), np.array([one]))
        creative = np.tile(np.append(seen[one], age), (len(person), 1))
        found[:, one] = model.predict(np.hstack([person, creative]))
    return found


def popular(shown: Shown) -> Floats:
    """The creative most clicked for what was expected of those who saw it; those never shown are average."""
    clicks = shown.rows["clicks"].to_numpy(dtype=np.float64)
    one = popularity(clicks, shown.expected, shown.rows["number"].to_numpy(), len(shown.creatives))
    return np.broadcast_to(one, shown.clicks.shape)


def features_limit(shown: Shown) -> Floats:
    """The most that features can tell, additively in their levels: creatives known, taste learned from itself.

    Of the people not judged taste is seen as it is; given features it is taken as normal, with the variance left.
    """
    from sklearn.linear_model import RidgeCV

    taste, vector = shown.world.people.taste[shown.other], shown.world.creatives.vector
    encoder = Encoder.of(shown.others, shown.features, parts=20)
    seen, asked = (
        one_hot(encoder.codes(frame), len(encoder.names)).toarray() for frame in (shown.others, shown.prospects)
    )
    told, left = np.empty((len(asked), taste.shape[1])), np.empty(taste.shape[1])
    for part in range(taste.shape[1]):
        fit = RidgeCV(np.logspace(-2, 2, 9)).fit(seen, taste[:, part])
        told[:, part], left[part] = fit.predict(asked), (taste[:, part] - fit.predict(seen)).var()
    mean = np.square(vector) @ left / 2 - shown.world.creatives.norm()
    decay = np.log1p(-shown.world.conf.drift.creative_decay)
    age = shown.world.campaign_month - shown.world.creatives.first_month
    return np.asarray(told @ vector.T + mean + decay * age)


def truth(shown: Shown) -> Floats:
    """Taste truly known."""
    return shown.clicks


RIVALS: dict[str, Callable[[Shown], Floats]] = {
    "LightFM": lightfm,
    "boosted": boosted,
    "popularity": popular,
    "features' limit": features_limit,
    "true taste": truth,
}


def _coded(frame: pd.DataFrame, features: Features, levels: dict[str, Levels]) -> Floats:
    """Numbers, then level codes."""
    columns = [numbers(frame[name]) for name in features.numeric]
    return np.column_stack([*columns, *(levels[name].codes(frame[name]) for name in features.categorical)])


def _months(shown: Shown, day: pd.Series, number: np.ndarray) -> Floats:
    """Months from a creative's first day."""
    first = pd.to_datetime(shown.creatives["first_day"]).to_numpy()[number]
    return np.asarray((pd.to_datetime(day).to_numpy() - first) / np.timedelta64(1, "D") / MONTH_DAYS)
