"""The LightFM fit: feature levels of prospects against creatives, clicks weighed against expected clicks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from jobs.model.affinity.encoder import Encoder, added, one_hot
from jobs.model.learners.features import Floats
from jobs.runtime.errors import Fault
from jobs.runtime.settings import TrainingConf


@dataclass(frozen=True, eq=False)
class Tastes:
    """Vectors of feature levels (to be added over a prospect's features) and of creatives."""

    encoder: Encoder
    levels: Floats
    creatives: Floats

    def of_pairs(self, rows: pd.DataFrame, creative: NDArray[np.int64]) -> Floats:
        """The dot product of each row's prospect and creative."""
        people = added(self.encoder.codes(rows), self.levels)
        return np.asarray((people * self.creatives[creative]).sum(axis=1))


def fit_tastes(
    rows: pd.DataFrame,
    creative: NDArray[np.int64],
    expected: Floats,
    items: sparse.csr_matrix,
    encoder: Encoder,
    channel: NDArray[np.int64],
    training: TrainingConf,
) -> Tastes:
    """One thread, seeded: each row says yes with the weight of its clicks and no with that of its expected clicks.

    The log-odds of that are the log of clicks over expected clicks. Biases are left out: of creatives that is told by
    `popularity`, which is held back by what creatives really differ. Only how a channel's creatives (`channel`, one
    number a creative) differ matters, so vectors are told against their channel's mean. Raises Fault on divergence.
    """
    from lightfm import LightFM

    distinct, person = np.unique(encoder.codes(rows), axis=0, return_inverse=True)
    people, person = one_hot(distinct, len(encoder.names)), person.ravel()
    clicks = rows["clicks"].to_numpy(dtype=np.float32)
    clicked = np.flatnonzero(clicks > 0)
    at = (
        np.concatenate([person[clicked], person]).astype(np.int32),
        np.concatenate([creative[clicked], creative]).astype(np.int32),
    )
    label = np.concatenate([np.ones(len(clicked)), -np.ones(len(rows))]).astype(np.float32)
    weight = np.concatenate([clicks[clicked], expected.astype(np.float32)])
    shape = (people.shape[0], items.shape[0])
    model = LightFM(no_components=training.affinity_components, loss="logistic", random_state=training.seed)
    model.fit(
        sparse.coo_matrix((label, at), shape=shape),
        user_features=people,
        item_features=items,
        sample_weight=sparse.coo_matrix((weight, at), shape=shape),
        epochs=training.affinity_epochs,
        num_threads=1,
    )
    levels = np.asarray(model.user_embeddings, dtype=np.float64)
    parts = np.asarray(model.item_embeddings, dtype=np.float64)
    if not (np.isfinite(levels).all() and np.isfinite(parts).all()):
        raise Fault("affinity: the LightFM fit did not stay finite; lower base.yaml training.affinity_epochs")
    # What was never met still has the noise it started with.
    levels[np.asarray(people.sum(axis=0)).ravel() == 0] = 0.0
    met = np.bincount(creative, minlength=len(channel)) > 0
    parts[np.asarray(items[met].sum(axis=0)).ravel() == 0] = 0.0
    return Tastes(encoder, levels * float(people.max()), _against_channel(items @ parts, channel))


def _against_channel(vectors: Floats, channel: NDArray[np.int64]) -> Floats:
    found = vectors.copy()
    for one in np.unique(channel):
        found[channel == one] -= vectors[channel == one].mean(axis=0)
    return found
