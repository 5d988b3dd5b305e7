"""Partial pooling: what each group adds to known log-odds, held to nothing as strongly as the groups are alike.

Random effects in a logistic model with an offset, by Laplace's approximation; their spread is the one under which
the labels are most likely (empirical Bayes; Efron and Morris 1975; Breslow and Clayton 1993 for the approximation).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from jobs.model.learners.features import Floats

SPREADS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.75, 1.0, 1.4)  # tried, in log-odds
FREE = 100.0  # a spread that holds nothing back
STEPS, LONGEST, ENOUGH = 60, 2.0, 1e-9
BINS = 100  # of the offset, within a group: rows of one are told by their mean

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cells:
    """Rows of alike groups and offsets, counted: group (0..), offset in log-odds, rows and rows with a label of 1."""

    group: Ints
    offset: Floats
    rows: Floats
    hits: Floats
    groups: int

    @classmethod
    def of(cls, group: Ints, offset: Floats, label: Floats, groups: int) -> Cells:
        """The cells of rows; exact where a group has fewer than BINS distinct offsets a quantile each."""
        edges = np.unique(np.quantile(offset, np.linspace(0.0, 1.0, BINS + 1)[1:-1])) if len(offset) else np.zeros(0)
        place = group * (len(edges) + 1) + np.searchsorted(edges, offset, side="right")
        kept, cell = np.unique(place, return_inverse=True)
        rows = np.bincount(cell, minlength=len(kept)).astype(np.float64)
        mean = np.bincount(cell, weights=offset, minlength=len(kept)) / np.maximum(rows, 1.0)
        hits = np.bincount(cell, weights=label, minlength=len(kept)).astype(np.float64)
        return cls(kept // (len(edges) + 1), mean, rows, hits, groups)


@dataclass(frozen=True, eq=False)
class Effects:
    """What each group adds (groups x terms), the spread of each term, and the log of the labels' likelihood."""

    value: Floats
    spread: tuple[float, ...]
    evidence: float


def pooled(cells: Cells, terms: Floats, spreads: tuple[float, ...] = SPREADS) -> Effects:
    """The effects under the spreads, of those tried, that make the labels most likely.

    `terms` (cells x terms) multiply a group's effects. Each term has its own spread; 0 leaves the term out.
    """
    tried = [fitted(cells, terms, one) for one in product(spreads, repeat=terms.shape[1])]
    return max(tried, key=lambda one: one.evidence)


def fitted(cells: Cells, terms: Floats, spread: tuple[float, ...]) -> Effects:
    """The effects under one spread a term: their most likely values, by Newton's method, all groups at once."""
    width, scaled = terms.shape[1], terms * np.array(spread)
    found = np.zeros((cells.groups, width))  # in units of the spread
    for _ in range(STEPS):
        slope, curve = _slope_and_curve(cells, scaled, found)
        step = np.linalg.solve(curve, slope[:, :, None])[:, :, 0]
        step /= np.maximum(1.0, np.abs(step * np.array(spread)).max(axis=1, initial=0.0) / LONGEST)[:, None]
        found = found + step
        if np.abs(step).max(initial=0.0) < ENOUGH:
            break
    curve = _slope_and_curve(cells, scaled, found)[1]
    held = 0.5 * float(np.square(found).sum()) + 0.5 * float(np.linalg.slogdet(curve)[1].sum())
    return Effects(found * np.array(spread), spread, _likelihood(cells, scaled, found) - held)


def shrunk(cells: Cells, spreads: tuple[float, ...] = SPREADS) -> Floats:
    """What each group adds, one number each."""
    return pooled(cells, np.ones((len(cells.rows), 1)), spreads).value[:, 0]


def _score(cells: Cells, scaled: Floats, found: Floats) -> Floats:
    score: Floats = cells.offset + (scaled * found[cells.group]).sum(axis=1)
    return score


def _likelihood(cells: Cells, scaled: Floats, found: Floats) -> float:
    score = _score(cells, scaled, found)
    return float((cells.hits * score - cells.rows * np.logaddexp(0.0, score)).sum())


def _slope_and_curve(cells: Cells, scaled: Floats, found: Floats) -> tuple[Floats, Floats]:
    chance = expit(_score(cells, scaled, found))
    width, left = scaled.shape[1], cells.hits - cells.rows * chance
    about = cells.rows * chance * (1.0 - chance)
    slope, curve = np.empty((cells.groups, width)), np.empty((cells.groups, width, width))
    for a in range(width):
        slope[:, a] = np.bincount(cells.group, weights=scaled[:, a] * left, minlength=cells.groups)
        for b in range(width):
            both = scaled[:, a] * scaled[:, b] * about
            curve[:, a, b] = np.bincount(cells.group, weights=both, minlength=cells.groups) + (a == b)
    return slope - found, curve
