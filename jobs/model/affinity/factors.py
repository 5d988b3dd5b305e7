"""Embeddings as served: a prospect's score for a creative, and for a channel the score of its best creative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jobs.model.affinity.encoder import Encoder
from jobs.model.learners.features import Floats


@dataclass(frozen=True, eq=False)
class Affinity:
    """A fitted LightFM model without LightFM: its encoder, and vectors of feature levels and creatives."""

    encoder: Encoder
    vectors: Floats  # feature levels x components
    creatives: tuple[str, ...]  # creative@channel
    creative_vectors: Floats
    creative_biases: Floats

    @classmethod
    def from_rows(cls, rows: pd.DataFrame) -> Affinity | None:
        """The model in rows of the table affinity_model; None when there is none or no creative is known."""
        encoders = rows[rows["kind"] == "encoder"]
        creatives = rows[rows["kind"] == "creative"].sort_values("name", ignore_index=True)
        if encoders.empty or creatives.empty:
            return None
        encoder = Encoder.from_json(str(encoders["payload"].iloc[0]))
        levels = rows[rows["kind"] == "prospect_feature"].set_index("name").loc[encoder.names]
        return cls(
            encoder,
            np.array(levels["vector"].tolist(), dtype=np.float64),
            tuple(creatives["name"]),
            np.array(creatives["vector"].tolist(), dtype=np.float64),
            creatives["bias"].to_numpy(dtype=np.float64),
        )

    def people(self, frame: pd.DataFrame) -> Floats:
        """Rows x components: the mean of a row's level vectors, added feature by feature."""
        codes = self.encoder.codes(frame)
        total = np.zeros((len(frame), self.vectors.shape[1]))
        for at in range(codes.shape[1]):
            total += self.vectors[codes[:, at]]
        return np.asarray(total / max(codes.shape[1], 1))

    def scores(self, people: Floats, channel: str) -> tuple[list[str], Floats]:
        """The channel's creatives, and rows x creatives: dot product plus the creative's bias.

        Added component by component: a BLAS product may round differently when the batch has another size.
        """
        at = [i for i, name in enumerate(self.creatives) if name.rpartition("@")[2] == channel]
        total = np.tile(self.creative_biases[at], (len(people), 1))
        for component in range(people.shape[1]):
            total += people[:, component, None] * self.creative_vectors[at, component]
        return [self.creatives[i].rpartition("@")[0] for i in at], total

    def best(self, people: Floats, channel: str) -> Floats:
        """The score of the channel's best creative, one a row; NaN when the channel has none."""
        names, scores = self.scores(people, channel)
        return scores.max(axis=1) if names else np.full(len(people), np.nan)
