"""What a band is: a range of the band score, cut at quantiles, merged where its people do not respond as ranked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SMALLEST_SHARE = 0.03
EVENTS_TO_JUDGE = 50  # fewer say too little about a band's order


@dataclass(frozen=True)
class Band:
    """People with a band score of at least `lower` and below the band before."""

    lower: float
    rows: int
    assigned: int = 0
    responses: int = 0

    @property
    def rate(self) -> float:
        """Responses a person assigned."""
        return self.responses / self.assigned if self.assigned else 0.0


def cut(score: NDArray[np.float64], count: int) -> list[Band]:
    """Up to `count` bands of equal share, best first, each at least SMALLEST_SHARE; ties are never split.

    The last band's lower cut is minus infinity's stand-in, the least score less 1, so that nobody is below it.
    """
    if score.size == 0:
        return []
    ranked = np.sort(score)[::-1]
    count = max(1, min(count, int(1 / SMALLEST_SHARE)))
    lowers = np.unique([ranked[max(round(score.size * at / count) - 1, 0)] for at in range(1, count)])[::-1]
    bands: list[Band] = []
    start = 0
    for lower in [*lowers, float(ranked[-1]) - 1.0]:
        end = int((ranked >= lower).sum())
        bands.append(Band(float(lower), end - start))
        start = end
    return _no_splinter(bands, score.size)


def merge_unordered(bands: list[Band]) -> list[Band]:
    """Neighbours joined until no band responds less than the one after it, judged where both have enough events."""
    found: list[Band] = []
    for band in bands:
        found.append(band)
        while len(found) > 1 and _is_unordered(found[-2], found[-1]):
            worse, better = found.pop(), found.pop()
            found.append(join(better, worse))
    return found


def join(better: Band, worse: Band) -> Band:
    """Two neighbours as one band."""
    return replace(
        worse,
        rows=better.rows + worse.rows,
        assigned=better.assigned + worse.assigned,
        responses=better.responses + worse.responses,
    )


def _is_unordered(better: Band, worse: Band) -> bool:
    return min(better.responses, worse.responses) >= EVENTS_TO_JUDGE and better.rate < worse.rate


def _no_splinter(bands: list[Band], total: int) -> list[Band]:
    found: list[Band] = []
    for band in bands:
        found.append(band)
        while len(found) > 1 and min(found[-1].rows, found[-2].rows) < SMALLEST_SHARE * total:
            worse, better = found.pop(), found.pop()
            found.append(join(better, worse))
    return found
