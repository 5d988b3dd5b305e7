"""Attribution of a partition of people on a worker: sums of whole numbers, so that any partitioning gives the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from jobs.measure.attribution.events import STAGES, Events, Window, journeys, without_conversion
from jobs.measure.attribution.flows import flows
from jobs.measure.attribution.paths import UNATTRIBUTED, Floats, Ints
from jobs.measure.attribution.rules import RULES
from jobs.measure.attribution.shares import NANO, split

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CELL = ("cost_day", "channel", "campaign", "level")
# What a conversion of each stage counts for: flags of its event.
COUNTED = {"apply": ("applications",), "approve": ("approvals",), "fund": ("funded", "good", "late", "fraud")}
FIGURES = tuple(name for names in COUNTED.values() for name in names)
EVENT = (
    "person_key string, at bigint, stage int, id string, cost_day date, channel string, campaign string, level string, "
    "good boolean, late boolean, fraud boolean, principal_minor bigint"
)
FLOW = "stage string, model_order int, state bigint, next int, journeys bigint, worth_minor bigint"
CREDIT = (
    "stage string, model string, cost_day date, channel string, campaign string, level string, "
    + ", ".join(f"{name} bigint" for name in FIGURES)
    + ", principal_minor bigint, paths_cut bigint"
)
MODELS = ("last", "first", "last_non_direct", "linear", "linear_unique", "time_decay", "position")


def _events(batches: Iterator[pa.RecordBatch], channels: tuple[str, ...]) -> Events | None:
    """A whole partition, which Spark sorted by person, moment, stage and id."""
    import pandas as pd
    import pyarrow as pa

    parts = [batch for batch in batches if batch.num_rows]
    if not parts:
        return None
    rows = pa.Table.from_batches(parts).to_pandas()
    rows["person"] = pd.factorize(rows["person_key"])[0]
    rows["name"] = rows["channel"]
    rows["channel"] = pd.Categorical(rows["channel"], categories=channels).codes
    return Events(rows, channels)


@dataclass(frozen=True)
class CountFlows:
    """Flows of a partition's journeys, for chains of every order wanted."""

    channels: tuple[str, ...]
    window: Window
    orders: tuple[int, ...] = (1, 2, 3)

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Rows of FLOW."""
        import pandas as pd

        events = _events(batches, self.channels)
        if events is None:
            return
        for place, stage in enumerate(STAGES):
            worth = events.won(place)["principal_minor"].fillna(0).to_numpy(dtype=np.float64)
            won = journeys(events, place, self.window, worth)
            lost = without_conversion(events, place, self.window, won.places)
            for order in self.orders:
                for paths in (won.paths, lost):
                    moved = flows(paths, order)
                    told = {
                        "stage": stage,
                        "model_order": np.full(len(moved.states), order, dtype=np.int32),
                        "state": moved.states,
                        "next": moved.nexts.astype(np.int32),
                        "journeys": moved.counts.astype(np.int64),
                        "worth_minor": moved.worths.astype(np.int64),
                    }
                    yield from _batches(pd.DataFrame(told))


@dataclass(frozen=True)
class SplitCredit:
    """Credits of a partition's conversions under every rule, and under chains by their channels' removal effects.

    `effects`: stage -> order -> removal effect of each channel; a conversion is shared among the channels of its path
    in proportion (a convention: a chain itself splits none).
    """

    channels: tuple[str, ...]
    window: Window
    effects: dict[str, dict[int, tuple[float, ...]]] = field(default_factory=dict)

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Rows of CREDIT, one a stage, model and cell."""
        events = _events(batches, self.channels)
        if events is None:
            return
        for place, stage in enumerate(STAGES):
            yield from self._stage(events, place, stage)

    def _stage(self, events: Events, place: int, stage: str) -> Iterator[pa.RecordBatch]:
        import pandas as pd

        won = journeys(events, place, self.window)
        paths, ended = won.paths, events.won(place)
        bare = np.flatnonzero(paths.lengths == 0)
        touched = events.touches.iloc[won.places]
        cells = pd.concat(
            [_cells(touched), _cells(ended.iloc[bare]).assign(channel=UNATTRIBUTED, campaign=None, level="")]
        )
        owners = np.concatenate([paths.owners, bare])
        group = cells.groupby(list(CELL), dropna=False, sort=True).ngroup().to_numpy(dtype=np.int64)
        order = np.argsort(group, kind="stable")
        opens = np.flatnonzero(np.diff(group[order], prepend=-1))
        places = cells.iloc[order[opens]].reset_index(drop=True)
        for model in (*MODELS, *(f"markov_{order}" for order in self.effects.get(stage, ()))):
            weights = self._weights(model, stage, won.paths)
            nano = np.concatenate([_split(np.full(len(ended), NANO), weights, paths), np.full(len(bare), NANO)])
            figures: dict[str, Ints] = {}
            for name in COUNTED[stage]:
                figures[name] = nano * (_flag(ended, name)[owners] if name in ended else 1)
            worth = ended["principal_minor"].fillna(0).to_numpy(dtype=np.int64)
            figures["principal_minor"] = np.concatenate([_split(worth, weights, paths), worth[bare]])
            sums = {name: np.add.reduceat(parts[order], opens) for name, parts in figures.items() if len(opens)}
            told = places.assign(**(dict.fromkeys(FIGURES, 0) | sums)) if sums else places.iloc[:0]
            earned = told[(told[list(sums)] != 0).any(axis=1)].reset_index(drop=True)
            yield from _batches(earned.assign(stage=stage, model=model, paths_cut=0), cut=won.cut, names=_names(CREDIT))

    def _weights(self, model: str, stage: str, paths: Any) -> Floats:
        if model in RULES:
            return RULES[model](paths)
        effects = np.array(self.effects[stage][int(model.rpartition("_")[2])])
        weights = np.zeros(len(paths.codes))
        weights[paths.debuts] = effects[paths.codes[paths.debuts]]
        totals = np.bincount(paths.owners, weights, minlength=len(paths.lengths))[paths.owners]
        # Where no channel of a path has an effect, its touches share alike.
        return np.where(totals > 0, weights / np.where(totals > 0, totals, 1.0), RULES["linear"](paths))


def _split(amounts: Ints, weights: Floats, paths: Any) -> Ints:
    return split(amounts, weights, paths.owners, paths.starts)


def _flag(ended: pd.DataFrame, name: str) -> Ints:
    return ended[name].eq(True).to_numpy(dtype=bool).astype(np.int64)


def _cells(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[["cost_day", "name", "campaign", "level"]].rename(columns={"name": "channel"}).reset_index(drop=True)


def _names(schema: str) -> list[str]:
    return [part.split()[0] for part in schema.split(", ")]


def _batches(frame: pd.DataFrame, cut: int = 0, names: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    if not len(frame):
        return
    if cut:
        frame.loc[frame.index[0], "paths_cut"] = cut
    yield from pa.Table.from_pandas(frame[names] if names else frame, preserve_index=False).to_batches()
