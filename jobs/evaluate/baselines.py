"""The policies the product must beat: each turns what may be seen into a price per customer, people x channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from jobs.evaluate.seen import Seen
from jobs.market.dice import Floats
from jobs.model.person_features import APPLIED_BEFORE

Chance = Callable[[pd.DataFrame], Floats]
FEWEST = 20  # positives a model needs; with fewer the rate alone is used


def look_alike(seen: Seen) -> Floats:
    """Rung 2, by candidate: how much they look like those who were funded."""
    won = seen.decided[seen.decided["is_funded"].eq(True)]
    rows = pd.concat([won[list(seen.features.names)], seen.candidates], ignore_index=True)
    label = np.arange(len(rows)) < len(won)
    # How often they had applied tells when they were won, as at first nobody had: it would make this rung weaker.
    told = _typed(rows, seen).drop(columns=APPLIED_BEFORE, errors="ignore")
    return _boosted(told, label)(seen.candidates)


def response_only(seen: Seen, cost: Floats) -> Floats:
    """Rung 3: average cost of being sent over P(applied)."""
    applies = _by_channel(seen, seen.sent["is_applied"].eq(True).to_numpy())
    return _ratio(seen, cost[None, :], applies)


def channel_logistic(seen: Seen, cost: Floats) -> Floats:
    """Rung 4: one logistic regression of being funded a channel, average cost over its chance."""
    wins = np.zeros(seen.is_open.shape)
    label = seen.sent["is_funded"].eq(True).to_numpy()
    for place, channel in enumerate(seen.is_open.columns):
        mine = (seen.sent["channel"] == channel).to_numpy()
        wins[:, place] = _logistic(seen, seen.sent[mine], label[mine])(seen.candidates)
    return _ratio(seen, cost[None, :], wins)


def stage_models(seen: Seen, per_click: Floats, cost: Floats) -> Floats:
    """Rung 5: boosted models of every stage, cost from the click model where a channel bills clicks (else average)."""
    sent, decided = seen.sent, seen.decided
    clicked = (sent["clicks"] > 0).to_numpy()
    clicks = _by_channel(seen, clicked)
    among = replace(seen, sent=sent[clicked])
    applies = _by_channel(among, among.sent["is_applied"].eq(True).to_numpy())
    passed = decided["is_approved"].eq(True)
    approve = _of_people(seen, decided[decided["is_approved"].notna()], "is_approved")
    fund = _of_people(seen, decided[passed], "is_funded")
    fates = approve * fund * (1.0 - lateness(seen))
    paid = np.where(np.isnan(per_click)[None, :], cost[None, :], clicks * np.nan_to_num(per_click)[None, :])
    return _ratio(seen, paid, clicks * applies * fates[:, None])


def lateness(seen: Seen) -> Floats:
    """By candidate: what the lender's mature loans tell of who will be late; of young ones only the late are known."""
    decided = seen.decided
    return _of_people(seen, decided[decided["is_mature"].eq(True) & decided["is_late"].notna()], "is_late")


def _ratio(seen: Seen, paid: Floats, wins: Floats) -> Floats:
    found: Floats = np.where(seen.is_open.to_numpy(), paid / np.maximum(wins, 1e-12), np.inf)
    return found


def _of_people(seen: Seen, rows: pd.DataFrame, label: str) -> Floats:
    """A boosted model of one stage that no channel changes; its chance by candidate."""
    return _boosted(_typed(rows, seen), rows[label].eq(True).to_numpy())(seen.candidates)


def _by_channel(seen: Seen, label: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    """One boosted model over all channels, the channel a category; its chance, candidates x channels."""
    channels = list(seen.is_open.columns)
    rows = _typed(seen.sent, seen).assign(channel=pd.Categorical(seen.sent["channel"], categories=channels))
    model = _boosted(rows, label)
    parts = []
    for name in channels:
        here = pd.Categorical([name] * len(seen.candidates), categories=channels)
        parts.append(model(seen.candidates.assign(channel=here)))
    return np.stack(parts, axis=1)


def _typed(rows: pd.DataFrame, seen: Seen) -> pd.DataFrame:
    """The features, with the candidates' own categories."""
    kinds = {name: seen.candidates[name].dtype for name in seen.features.categorical}
    return rows[list(seen.features.names)].astype(kinds)


def _boosted(rows: pd.DataFrame, label: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Chance:
    if label.sum() < FEWEST or label.all():
        rate = float(label.mean()) if len(label) else 0.0
        return lambda people: np.full(len(people), rate)
    # Every command imports the jobs; only a fit should pay.
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        learning_rate=0.06,
        max_leaf_nodes=15,
        min_samples_leaf=100,
        categorical_features="from_dtype",
        early_stopping=bool(label.sum() > 50 and len(label) > 2000),
        random_state=0,
    ).fit(rows, label)
    return lambda people: np.asarray(model.predict_proba(people[list(rows.columns)])[:, 1])


def _logistic(seen: Seen, rows: pd.DataFrame, label: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Chance:
    if label.sum() < FEWEST:
        rate = (float(label.sum()) + 0.5) / (len(label) + 1.0)
        return lambda people: np.full(len(people), rate)
    # Every command imports the jobs; only a fit should pay.
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    words = OneHotEncoder(handle_unknown="ignore", min_frequency=0.01)
    columns = make_column_transformer(
        (numbers, list(seen.features.numeric)), (words, list(seen.features.categorical)), sparse_threshold=0.0
    )
    model = make_pipeline(columns, LogisticRegression(C=0.1, max_iter=300)).fit(rows, label)
    return lambda people: np.asarray(model.predict_proba(people)[:, 1])
