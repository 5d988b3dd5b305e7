"""How a partition of people splits its conversions under every model, and what each fold of them adds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from jobs.measure.attribution.events import STAGES, Events, Journeys, Window, ints, journeys, without_conversion
from jobs.measure.attribution.leverage import Leverage, influences
from jobs.measure.attribution.partitions import events_of
from jobs.measure.attribution.paths import UNATTRIBUTED, Floats, Ints
from jobs.measure.attribution.rules import RULES
from jobs.measure.attribution.shapley import Game, shares_of
from jobs.measure.attribution.shares import NANO, split
from jobs.measure.attribution.spread import FOLDS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CELL = ("cost_day", "channel", "campaign", "level")
# What a conversion of each stage counts for: flags of its event.
COUNTED = {"apply": ("applications",), "approve": ("approvals",), "fund": ("funded", "good", "late", "fraud")}
FIGURES = tuple(name for names in COUNTED.values() for name in names)
CREDIT = (
    "stage string, model string, cost_day date, channel string, campaign string, level string, "
    + ", ".join(f"{name} bigint" for name in FIGURES)
    + ", principal_minor bigint, paths_cut bigint, fold int, part bigint"
)
MODELS = ("last", "first", "last_non_direct", "linear", "linear_unique", "time_decay", "position")
SHAPLEY = "shapley_model"
CHAIN = "(all)"  # in place of a channel: the chain with all of them


@dataclass(frozen=True)
class SplitCredit:
    """Credits of a partition's conversions under every rule, under Shapley values, and under chains.

    `effects`: stage -> order -> removal effect of each channel; a conversion is shared among the channels of its path
    in proportion (a convention: a chain itself splits none). `games` and `levers` by stage, the latter of each order.
    """

    channels: tuple[str, ...]
    window: Window
    effects: dict[str, dict[int, tuple[float, ...]]] = field(default_factory=dict)
    games: dict[str, Game] = field(default_factory=dict)
    levers: dict[str, tuple[Leverage, ...]] = field(default_factory=dict)

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Rows of CREDIT, one a stage, model and cell; and with `fold` and `part` alone what moves them.

        Of rules a fold's part is its credit of a channel; of chains by how much it moves the chain without it.
        """
        events = events_of(batches, self.channels)
        if events is None:
            return
        for place, stage in enumerate(STAGES):
            won = journeys(events, place, self.window)
            yield from self._stage(events, place, stage, won)
            yield from self._moves(events, place, stage, won)

    def _stage(self, events: Events, place: int, stage: str, won: Journeys) -> Iterator[pa.RecordBatch]:
        import pandas as pd

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
        fold = ints(ended, "fold")[owners]
        channel = np.concatenate([paths.codes, np.full(len(bare), len(self.channels))])
        chains = [f"markov_{order}" for order in self.effects.get(stage, ())]
        for model in (*MODELS, *([SHAPLEY] if stage in self.games else []), *chains):
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
            named = earned.assign(stage=stage, model=model, paths_cut=0, fold=None, part=None)
            yield from _credits(named, cut=won.cut)
            if model not in chains:
                size = (len(self.channels) + 1) * FOLDS
                parts = np.bincount(channel * FOLDS + fold, nano, size).astype(np.int64).reshape(-1, FOLDS)
                yield from _parts(stage, model, (*self.channels, UNATTRIBUTED), parts)

    def _moves(self, events: Events, place: int, stage: str, won: Journeys) -> Iterator[pa.RecordBatch]:
        """How far each fold's journeys move the chains."""
        if not (levers := self.levers.get(stage)):
            return
        lost = without_conversion(events, place, self.window, won.places)
        folds = ints(events.won(place), "fold"), ints(events.touches, "fold")[lost.places[lost.paths.starts[:-1]]]
        for of in levers:
            moved = sum(influences(one.paths, fold, FOLDS, of) for one, fold in zip((won, lost), folds, strict=True))
            yield from _parts(stage, f"markov_{of.order}", (CHAIN, *self.channels), np.asarray(moved))

    def _weights(self, model: str, stage: str, paths: Any) -> Floats:
        if model in RULES:
            return RULES[model](paths)
        if model == SHAPLEY:
            return shares_of(paths, self.games[stage])
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


_TYPES = {"string": "string", "date": "date32", "bigint": "int64", "int": "int32"}


def _names(schema: str) -> list[str]:
    return [part.split()[0] for part in schema.split(", ")]


def _credits(frame: pd.DataFrame, cut: int = 0) -> Iterator[pa.RecordBatch]:
    """Rows of CREDIT; the first of them tells how many paths were cut."""
    import pyarrow as pa

    if not len(frame):
        return
    if cut:
        frame.loc[frame.index[0], "paths_cut"] = cut
    schema = pa.schema(
        [(name, pa.type_for_alias(_TYPES[kind])) for name, kind in (part.split() for part in CREDIT.split(", "))]
    )
    yield from pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False).to_batches()


def _parts(stage: str, model: str, channels: tuple[str, ...], parts: Ints) -> Iterator[pa.RecordBatch]:
    """Rows of CREDIT that tell of folds alone: `parts` (channels, folds)."""
    import pandas as pd

    channel, fold = np.nonzero(parts)
    told = dict.fromkeys(_names(CREDIT)) | {
        "stage": stage,
        "model": model,
        "channel": np.array(channels, dtype=object)[channel],
        "fold": fold,
        "part": parts[channel, fold],
    }
    yield from _credits(pd.DataFrame(told))
