"""What a scorecard says for itself: its points as a table, and the reasons for a row's score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jobs.model.learners.scorecard import ScorecardModel

MOST = 4  # as many as adverse-action notices name


@dataclass(frozen=True)
class Reason:
    """A feature whose points are `short` of an average training row's, in the direction that counts."""

    feature: str
    bin: str
    points: int
    average: float
    short: float


def points_table(card: ScorecardModel) -> list[dict[str, str | int | float | None]]:
    """Every bin: feature, bin, points, training rows (weighted; those of sampled rows add up to rows), event rate."""
    return [
        {
            "feature": one.name,
            "bin": label,
            "points": int(points),
            "rows": round(float(rows)),
            "rate": None if np.isnan(rate) else round(float(rate), 6),
        }
        for one in card.cards
        for label, points, rows, rate in zip(one.bins.labels, one.points, one.rows, one.rates, strict=True)
    ]


def reasons(card: ScorecardModel, row: pd.DataFrame, is_event_good: bool, most: int = MOST) -> list[Reason]:
    """The features of one row that cost it the most points against the average row, the dearest first.

    `is_event_good`: whether more points are better (an approval) or worse (a late loan).
    """
    sign = 1.0 if is_event_good else -1.0
    found = []
    for one in card.cards:
        at = int(one.bins.codes(row[one.name])[0])
        points = int(one.points[at])
        short = sign * (one.mean - points)
        if short > 0:
            found.append(Reason(one.name, one.bins.labels[at], points, one.mean, short))
    return sorted(found, key=lambda r: (-r.short, r.feature))[:most]
