"""The bins of a scorecard: numbers cut so that the event's rate runs one way, levels of categories, and null apart."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners.features import MISSING_LEVEL, Codes, Floats, Levels, numbers
from jobs.model.learners.settings import ScorecardSettings

SPREAD = 0.5  # of evidence among bins before data, in log-odds: a bin of few rows is held to 0 by it


@dataclass(frozen=True, eq=False)
class Bins:
    """One feature's bins. A number has `edges`, and bins below, between and from each edge on, then null.

    A category has `levels` (null the last of them), then the bin of every rare or unseen level.
    """

    name: str
    edges: tuple[float, ...] = ()
    levels: Levels | None = None

    @property
    def count(self) -> int:
        """How many bins there are."""
        return len(self.edges) + 2 if self.levels is None else len(self.levels.names) + 1

    @property
    def null(self) -> int:
        """The bin of null."""
        return self.count - 1 if self.levels is None else self.count - 2

    def codes(self, column: pd.Series) -> Codes:
        """The bin of each row."""
        if self.levels is not None:
            return self.levels.codes(column)
        values = numbers(column)
        place = np.searchsorted(np.asarray(self.edges), values, side="right")
        return np.where(np.isnan(values), self.null, place).astype(np.int64)

    def tally(self, codes: Codes, label: Floats, weight: Floats) -> tuple[Floats, Floats]:
        """Weighted rows and events a bin."""
        rows, events = (np.bincount(codes, by, self.count) for by in (weight, weight * label))
        return rows.astype(np.float64), events.astype(np.float64)

    @property
    def labels(self) -> list[str]:
        """What each bin is called."""
        if self.levels is not None:
            return [*self.levels.names[:-1], "(null)", "(other)"]
        shown = [f"{edge:.6g}" for edge in self.edges]
        if not shown:
            return ["(any)", "(null)"]
        between = [f"{low} to {high}" for low, high in pairwise(shown)]
        return [f"below {shown[0]}", *between, f"from {shown[-1]}", "(null)"]


def bins_of(
    column: pd.Series, name: str, is_number: bool, label: Floats, weight: Floats, settings: ScorecardSettings
) -> Bins:
    """Monotone bins of a number, or the levels of a category seen in at least `min_level` rows."""
    if not is_number:
        seen = tuple(level for level in Levels.of(column, settings.min_level).names if level != MISSING_LEVEL)
        return Bins(name, levels=Levels((*seen, MISSING_LEVEL)))
    values = numbers(column)
    known = ~np.isnan(values)
    events = float((weight[known] * label[known]).sum())
    rarer = min(events, float(weight[known].sum()) - events)
    most = int(min(settings.bins, rarer / settings.min_events))
    if most < 2:
        return Bins(name)
    fine = Bins(name, _edges(values[known], most))
    rows, hits = (counts[:-1] for counts in fine.tally(fine.codes(column), label, weight))
    base = float((weight * label).sum() / weight.sum())
    return Bins(name, tuple(fine.edges[at] for at in monotone(rows, hits, base, settings.directions.get(name))))


def evidence(rows: Floats, events: Floats, base: float) -> Floats:
    """Weight of evidence a bin: log-odds of its held rate less those of all; 0 for a bin without rows."""
    held = _held(base)
    rate = (events + held * base) / (rows + held)
    return np.where(rows > 0, np.log(rate / (1.0 - rate)) - np.log(base / (1.0 - base)), 0.0)


def monotone(rows: Floats, events: Floats, base: float, direction: str | None = None) -> list[int]:
    """The cuts (cut k lies between bins k and k + 1) that stay when neighbours are pooled until held rates run one way.

    Without a direction the one that loses less likelihood, rising when they are equal.
    """
    if direction is not None:
        return _pooled(rows, events, base, direction)[0]
    rising, falling = (_pooled(rows, events, base, way) for way in ("rising", "falling"))
    return rising[0] if rising[1] >= falling[1] else falling[0]


def _pooled(rows: Floats, events: Floats, base: float, direction: str) -> tuple[list[int], float]:
    """Pooled adjacent violators: the cuts that stay and the log-likelihood."""
    sign = 1.0 if direction == "rising" else -1.0
    held = _held(base)
    blocks: list[tuple[float, float, int]] = []  # rows, events, last bin

    def runs() -> bool:
        """Whether the last rate lies strictly on the wanted side of the one before."""
        (n, k, _), (m, j, _) = blocks[-2:]
        return sign * ((j + held * base) / (m + held) - (k + held * base) / (n + held)) > 0.0

    for at, (count, hits) in enumerate(zip(rows, events, strict=True)):
        blocks.append((float(count), float(hits), at))
        while len(blocks) > 1 and not runs():
            (n, k, _), (m, j, last) = blocks[-2:]
            blocks[-2:] = [(n + m, k + j, last)]
    return [last for _, _, last in blocks[:-1]], sum(_likelihood(n, k) for n, k, _ in blocks)


def _held(base: float) -> float:
    """Rows of the base rate that each bin is given."""
    return 1.0 / (SPREAD**2 * base * (1.0 - base))


def _likelihood(rows: float, events: float) -> float:
    rate = events / rows if rows else 0.0
    return 0.0 if rate <= 0.0 or rate >= 1.0 else events * np.log(rate) + (rows - events) * np.log1p(-rate)


def _edges(known: NDArray[np.float64], most: int) -> tuple[float, ...]:
    """Cuts into about `most` equal shares, midway between neighbouring values: no value seen lies on a cut."""
    values, counts = np.unique(known, return_counts=True)
    if len(values) < 2:
        return ()
    share = np.cumsum(counts)[:-1] / known.size
    wanted = np.arange(1, most) / most
    # The cut nearest to each wanted share.
    after = np.clip(np.searchsorted(share, wanted), 0, len(share) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.where(np.abs(share[before] - wanted) <= np.abs(share[after] - wanted), before, after)
    return tuple(float(values[at] / 2 + values[at + 1] / 2) for at in np.unique(nearer))
