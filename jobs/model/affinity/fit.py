"""The LightFM fit: feature levels of prospects against creatives and what they look like, one thread, seeded."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from jobs.model.affinity.encoder import Encoder
from jobs.model.learners.features import Features
from jobs.runtime.conf import TrainingConf
from jobs.runtime.errors import Fault

MAX_WEIGHT = 3.0  # exposures beyond this tell no more about taste
COLUMNS = ["kind", "name", "vector", "bias", "rows", "payload"]


def fit_affinity(
    pairs: pd.DataFrame, creatives: pd.DataFrame, features: Features, kinds: Mapping[str, str], training: TrainingConf
) -> pd.DataFrame:
    """Rows of the table affinity_model.

    `pairs`: one row a prospect and creative, sorted by key: the prospect's features, creative, channel, clicks and
    exposures. `creatives`: creative, channel, placement, format, features (JSON). No identity of a prospect enters;
    a creative without a pair is placed by its features alone. Without clicks there is nothing to learn: no rows.
    """
    from lightfm import LightFM

    if pairs.empty or not (pairs["clicks"] > 0).any() or creatives.empty:
        return pd.DataFrame(columns=COLUMNS)
    creatives = creatives.sort_values(["creative", "channel"], ignore_index=True)
    encoder = Encoder.of(pairs, features)
    people, person = _people(encoder, pairs)
    items, names = _items(creatives, kinds)
    index = {name: at for at, name in enumerate(names)}
    item = np.array([index.get(name, -1) for name in _named(pairs)], dtype=np.int64)
    seen = item >= 0
    shape = (people.shape[0], items.shape[0])
    label = np.where(pairs["clicks"].to_numpy() > 0, 1.0, -1.0).astype(np.float32)[seen]
    weight = np.clip(pairs["exposures"].to_numpy(dtype=np.float64), 1.0, MAX_WEIGHT).astype(np.float32)[seen]
    at = (person[seen].astype(np.int32), item[seen].astype(np.int32))
    model = LightFM(no_components=training.affinity_components, loss="logistic", random_state=training.seed)
    model.fit(
        sparse.coo_matrix((label, at), shape=shape),
        user_features=people,
        item_features=items,
        sample_weight=sparse.coo_matrix((weight, at), shape=shape),
        epochs=training.affinity_epochs,
        num_threads=1,
    )
    counts = np.bincount(item[seen], minlength=len(names))
    return _rows(model, encoder, people, items, names, counts)


def _people(encoder: Encoder, pairs: pd.DataFrame) -> tuple[sparse.csr_matrix, NDArray[np.int64]]:
    """Distinct sets of feature levels, each row adding to 1, and which of them each pair has."""
    codes = encoder.codes(pairs)
    distinct, person = np.unique(codes, axis=0, return_inverse=True)
    rows = np.repeat(np.arange(len(distinct)), codes.shape[1])
    values = np.full(rows.size, 1.0 / max(codes.shape[1], 1), dtype=np.float32)
    shape = (len(distinct), len(encoder.names))
    return sparse.csr_matrix((values, (rows, distinct.ravel())), shape=shape), person.ravel().astype(np.int64)


def _items(creatives: pd.DataFrame, kinds: Mapping[str, str]) -> tuple[sparse.csr_matrix, list[str]]:
    """Each creative as itself and what it looks like, each row adding to 1."""
    looks = pd.DataFrame({name: creatives[name].astype(object) for name in ("channel", "placement", "format")})
    told = [json.loads(text) if isinstance(text, str) and text else {} for text in creatives["features"]]
    numeric = sorted(name for name, kind in kinds.items() if kind == "numeric")
    for name in sorted(kinds):
        looks[name] = [one.get(name) for one in told]
    names = _named(creatives)
    own = sparse.identity(len(names), dtype=np.float32, format="csr")
    rest = sorted(set(looks.columns) - set(numeric))
    encoder = Encoder.of(looks, Features(tuple(numeric), tuple(rest)), parts=3, min_level=2)
    codes = encoder.codes(looks)
    rows = np.repeat(np.arange(len(names)), codes.shape[1])
    ones = np.ones(rows.size, dtype=np.float32)
    shown = sparse.csr_matrix((ones, (rows, codes.ravel())), shape=(len(names), len(encoder.names)))
    both = sparse.hstack([own, shown], format="csr")
    return sparse.csr_matrix(both / (1.0 + codes.shape[1]), dtype=np.float32), names


def _named(frame: pd.DataFrame) -> list[str]:
    return (frame["creative"].astype(str) + "@" + frame["channel"].astype(str)).tolist()


def _rows(
    model: object,
    encoder: Encoder,
    people: sparse.csr_matrix,
    items: sparse.csr_matrix,
    names: list[str],
    counts: NDArray[np.int64],
) -> pd.DataFrame:
    vectors = np.asarray(model.user_embeddings, dtype=np.float64)  # type: ignore[attr-defined]
    biases = np.asarray(model.user_biases, dtype=np.float64)  # type: ignore[attr-defined]
    own_vectors = np.asarray(model.item_embeddings, dtype=np.float64)  # type: ignore[attr-defined]
    own_biases = np.asarray(model.item_biases, dtype=np.float64)  # type: ignore[attr-defined]
    unseen = np.flatnonzero(counts == 0)
    own_vectors[unseen], own_biases[unseen] = 0.0, 0.0  # never trained: only noise of the start
    seen = np.asarray(people.sum(axis=0)).ravel() > 0
    vectors[~seen], biases[~seen] = 0.0, 0.0
    if not (np.isfinite(vectors).all() and np.isfinite(own_vectors).all()):
        raise Fault("affinity: the LightFM fit did not stay finite; lower base.yaml training.affinity_epochs")
    placed, placed_bias = items @ own_vectors, items @ own_biases
    rows: list[tuple[object, ...]] = [("encoder", "encoder", [], 0.0, int(counts.sum()), encoder.to_json())]
    rows += [
        ("prospect_feature", name, vectors[i].tolist(), float(biases[i]), int(counts.sum()), None)
        for i, name in enumerate(encoder.names)
    ]
    rows += [
        ("creative", name, placed[i].tolist(), float(placed_bias[i]), int(counts[i]), None)
        for i, name in enumerate(names)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)
