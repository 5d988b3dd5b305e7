"""Clicks over what was expected of a person, told by taste, by how creatives wear, and by what is left of each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.affinity.encoder import Encoder
from jobs.model.affinity.looks import looks, named, places
from jobs.model.affinity.popularity import popularity
from jobs.model.affinity.slopes import slope, surely
from jobs.model.affinity.tastes import Tastes, fit_tastes
from jobs.model.learners.features import Features, Floats
from jobs.runtime.settings import TrainingConf

COLUMNS = ["kind", "name", "vector", "bias", "rows", "payload"]
MONTH_DAYS = 30.4375
MOST_TRUST = 1.5  # beyond this the held-out say more than the fit can be believed


def fit_affinity(
    rows: pd.DataFrame,
    expected: Floats,
    creatives: pd.DataFrame,
    features: Features,
    kinds: Mapping[str, str],
    training: TrainingConf,
) -> pd.DataFrame:
    """Rows of the table affinity_model.

    `rows`: one a prospect and creative, sorted by key: the prospect's features, creative, channel, clicks, seen_day and
    is_held (whose rows say how far taste may be trusted); `expected`: clicks expected of each whatever the creative.
    `creatives`: creative, channel, placement, format, first_day, features (JSON). A creative without a row is placed
    by its looks alone. Without clicks there is nothing to learn: no rows.
    """
    if creatives.empty or rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    creatives = creatives.sort_values(["creative", "channel"], ignore_index=True)
    names = named(creatives)
    known = (places(rows, names) >= 0) & (expected > 0)
    rows, expected = rows[known].reset_index(drop=True), expected[known]
    clicks = rows["clicks"].to_numpy(dtype=np.float64)
    if not (clicks > 0).any():
        return pd.DataFrame(columns=COLUMNS)
    creative = places(rows, names)
    channel = pd.factorize(creatives["channel"], sort=True)[0].astype(np.int64)
    encoder, items = Encoder.of(rows, features), looks(creatives, kinds)

    def fitted(mask: NDArray[np.bool_]) -> Tastes:
        part = rows[mask].reset_index(drop=True)
        return fit_tastes(part, creative[mask], expected[mask], items, encoder, channel, training)

    held = rows["is_held"].to_numpy(dtype=bool)
    trust = _trust(fitted(~held), rows[held], creative[held], clicks[held], expected[held], channel)
    tastes = fitted(np.ones(len(rows), dtype=np.bool_))
    explained = expected * np.exp(trust * tastes.of_pairs(rows, creative))
    age, when = _ages(rows, creatives["first_day"], creative), _month_of(rows, channel[creative])
    wear = surely(*slope(clicks, explained, age, when))
    explained = _levelled(clicks, explained * np.exp(wear * age), channel[creative])
    popular = popularity(clicks, explained, creative, len(names))
    counts = np.bincount(creative, minlength=len(names))
    return _table(tastes, trust, wear, popular, names, counts)


def _trust(
    tastes: Tastes,
    held: pd.DataFrame,
    creative: NDArray[np.int64],
    clicks: Floats,
    expected: Floats,
    channel: NDArray[np.int64],
) -> float:
    """What a unit of learned taste is worth among people whom the fit has not seen: 0 where it may be nothing."""
    if not len(held):
        return 0.0
    found = surely(*slope(clicks, expected, tastes.of_pairs(held, creative), channel[creative]))
    return float(np.clip(found, 0.0, MOST_TRUST))


def _ages(rows: pd.DataFrame, first_day: pd.Series[date], creative: NDArray[np.int64]) -> Floats:
    """Months from a creative's first day to the day it was seen; 0 where the first day is unknown."""
    first = pd.to_datetime(first_day).to_numpy()[creative]
    days = (pd.to_datetime(rows["seen_day"]).to_numpy() - first) / np.timedelta64(1, "D")
    return np.asarray(np.maximum(np.nan_to_num(days.astype(np.float64)), 0.0) / MONTH_DAYS)


def _month_of(rows: pd.DataFrame, channel: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number a channel and month: what all creatives gain or lose together is not wear."""
    month = pd.to_datetime(rows["seen_day"]).dt.to_period("M").astype("int64").to_numpy()
    return pd.factorize(month * (int(channel.max()) + 1) + channel)[0].astype(np.int64)


def _levelled(clicks: Floats, expected: Floats, channel: NDArray[np.int64]) -> Floats:
    """The expected with every channel's total as it was seen."""
    seen, meant = np.bincount(channel, clicks), np.bincount(channel, expected)
    return np.asarray(expected * (seen / np.maximum(meant, 1e-12))[channel])


def _table(
    tastes: Tastes, trust: float, wear: float, popular: Floats, names: list[str], counts: NDArray[np.int64]
) -> pd.DataFrame:
    total = int(counts.sum())
    rows: list[tuple[object, ...]] = [
        ("encoder", "encoder", [], 0.0, total, tastes.encoder.to_json()),
        ("trust", "trust", [], trust, total, None),
        ("wear", "wear", [], wear, total, None),
    ]
    rows += [
        ("prospect_feature", name, vector.tolist(), 0.0, total, None)
        for name, vector in zip(tastes.encoder.names, tastes.levels, strict=True)
    ]
    rows += [
        ("creative", name, (trust * vector).tolist(), float(bias), int(count), None)
        for name, vector, bias, count in zip(names, tastes.creatives, popular, counts, strict=True)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)
