"""The affinity model as served: by which factor each creative changes a prospect's clicks on its channel, in logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from jobs.model.affinity.encoder import Encoder, added
from jobs.model.affinity.fit import MONTH_DAYS
from jobs.model.learners.features import Floats


@dataclass(frozen=True, eq=False)
class Affinity:
    """A fitted LightFM model without LightFM: its encoder, and vectors of feature levels and creatives."""

    encoder: Encoder
    vectors: Floats  # feature levels x components
    creatives: tuple[str, ...]  # creative@channel
    creative_vectors: Floats
    popularity: Floats
    wear: float  # log of clicks a month since a creative began

    @classmethod
    def from_rows(cls, rows: pd.DataFrame) -> Affinity | None:
        """The model in rows of the table affinity_model; None when there is none or no creative is known."""
        encoders, wear = (rows[rows["kind"] == kind] for kind in ("encoder", "wear"))
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
            float(wear["bias"].sum()),
        )

    def serving(self, running: Mapping[str, date | None], day: date) -> Affinity:
        """The same of the creatives that run (creative@channel, and since when), as worn as they are that day."""
        at = [i for i, name in enumerate(self.creatives) if name in running]
        begun = [running[self.creatives[i]] for i in at]
        age = np.array([0.0 if first is None else max((day - first).days, 0) / MONTH_DAYS for first in begun])
        return Affinity(
            self.encoder,
            self.vectors,
            tuple(self.creatives[i] for i in at),
            self.creative_vectors[at],
            self.popularity[at] + self.wear * age,
            0.0,
        )

    def people(self, frame: pd.DataFrame) -> Floats:
        """Rows x components: a prospect's place among the creatives."""
        return added(self.encoder.codes(frame), self.vectors)

    def scores(self, people: Floats, channel: str) -> tuple[list[str], Floats]:
        """The channel's creatives, and rows x creatives: the log of each one's factor on a prospect's clicks.

        Added component by component: a BLAS product may round differently when the batch has another size.
        """
        at = [i for i, name in enumerate(self.creatives) if name.rpartition("@")[2] == channel]
        total = np.tile(self.popularity[at], (len(people), 1))
        for component in range(people.shape[1]):
            total += people[:, component, None] * self.creative_vectors[at, component]
        return [self.creatives[i].rpartition("@")[0] for i in at], total
