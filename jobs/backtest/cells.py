"""The judged contacts by channel and band: approvals, rate, and cost per approval."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jobs.backtest.report import Cell
from jobs.model.learners.features import Floats

ALL = "(all)"
BANDS = ("A", "B", "C", "D", "E")
BAND_ENDS = (0.1, 0.2, 0.4, 0.7, 1.0)
BANDS_SAID = (
    "Bands rank the people of the judged period (or block) by the product's score: "
    "A the best tenth, B the next, C up to 40 %, D up to 70 %, E the rest."
)


def bands(score: Floats, group: np.ndarray) -> np.ndarray:
    """A band letter a row, by place within its group; equal scores keep the order of rows."""
    frame = pd.DataFrame({"score": -score, "group": group})
    place = frame.groupby("group")["score"].rank(method="first", pct=True).to_numpy()
    return np.array(BANDS)[np.searchsorted(np.array(BAND_ENDS), place - 1e-12)]


def cells(judged: pd.DataFrame, band: np.ndarray, cost_of_unit: float) -> tuple[Cell, ...]:
    """One cell a channel and band, each channel's total, and the total; channels by rows, most first.

    `judged` has channel, label and units.
    """
    frame = judged[["channel", "label", "units"]].assign(band=band)
    parts = [frame, frame.assign(band=ALL), frame.assign(channel=ALL), frame.assign(channel=ALL, band=ALL)]
    total = (
        pd.concat(parts)
        .groupby(["channel", "band"])
        .agg(rows=("label", "size"), hits=("label", "sum"), units=("units", "sum"))
    )
    size = frame["channel"].value_counts()
    order = [ALL, *sorted(size.index, key=lambda c: (-int(size[c]), str(c)))]
    return tuple(
        _cell(channel, band_name, [int(v) for v in total.loc[(channel, band_name)]], cost_of_unit)
        for channel in order
        for band_name in (*BANDS, ALL)
        if (channel, band_name) in total.index
    )


def _cell(channel: str, band: str, counts: list[int], cost_of_unit: float) -> Cell:
    rows, hits, units = counts
    lo, hi = wilson(hits, rows)
    cost = units * cost_of_unit
    return Cell(channel, band, rows, hits, hits / rows, lo, hi, cost, cost / hits if hits else None)


def wilson(hits: int, rows: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; rows must be positive."""
    z = 1.959963984540054
    p, n = hits / rows, float(rows)
    centre, half = p + z * z / (2 * n), z * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    return max(0.0, (centre - half) / (1 + z * z / n)), min(1.0, (centre + half) / (1 + z * z / n))
