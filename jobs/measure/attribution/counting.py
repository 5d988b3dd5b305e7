"""What a partition of people counts for chains and games: how journeys moved, and which sets of channels they met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jobs.measure.attribution.events import STAGES, Window, journeys, without_conversion
from jobs.measure.attribution.flows import LOST, WON, flows
from jobs.measure.attribution.partitions import events_of
from jobs.measure.attribution.paths import Ints
from jobs.measure.attribution.shapley import sets_of

if TYPE_CHECKING:
    import pyarrow as pa

FLOW = "stage string, model_order int, state bigint, next int, journeys bigint, worth_minor bigint"
SETS = 0  # in place of an order: the sets of groups that journeys met


@dataclass(frozen=True)
class CountFlows:
    """Flows of a partition's journeys, for chains of every order wanted, and by the sets of channels they met.

    `groups`: the group of each channel, for the sets.
    """

    channels: tuple[str, ...]
    window: Window
    orders: tuple[int, ...] = (1, 2, 3)
    groups: tuple[int, ...] = ()

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Rows of FLOW."""
        events = events_of(batches, self.channels)
        if events is None:
            return
        for place, stage in enumerate(STAGES):
            worth = events.won(place)["principal_minor"].fillna(0).to_numpy(dtype=np.float64)
            won = journeys(events, place, self.window, worth)
            lost = without_conversion(events, place, self.window, won.places)
            for paths, ended in ((won.paths, WON), (lost.paths, LOST)):
                for order in self.orders:
                    moved = flows(paths, order)
                    yield _flows(stage, order, moved.states, moved.nexts, moved.counts, moved.worths)
                if self.groups:
                    met = paths.lengths > 0
                    sets, counts = np.unique(sets_of(paths, np.array(self.groups))[met], return_counts=True)
                    yield _flows(stage, SETS, sets, np.full(len(sets), ended), counts, np.zeros(len(sets)))


def _flows(stage: str, order: int, states: Ints, nexts: Ints, counts: Any, worths: Any) -> pa.RecordBatch:
    """Rows of FLOW."""
    import pyarrow as pa

    told = {
        "stage": pa.repeat(stage, len(states)),
        "model_order": np.full(len(states), order, dtype=np.int32),
        "state": states,
        "next": nexts.astype(np.int32),
        "journeys": counts.astype(np.int64),
        "worth_minor": worths.astype(np.int64),
    }
    return pa.RecordBatch.from_pydict(told)
