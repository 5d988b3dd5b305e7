"""Switchbacks: where a channel cannot leave people out, whole regions are served and not served in turn.

Periods come in pairs: in each pair every region is served once, half of them first. What a region or a period is like
then falls out of the comparison (Bojinov, Simchi-Levi and Zhao, "Design and Analysis of Switchback Experiments", 2023).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from scipy.stats import t

from jobs.runtime.settings import SwitchbackConf
from segments.intervals import LEVEL, Floats

FEWEST_REGIONS = 4


@dataclass(frozen=True)
class Turn:
    """A region and period, from `first_day` to `last_day`; days before `counted_from` still feel the one before."""

    region: str
    period: int
    first_day: date
    counted_from: date
    last_day: date
    is_on: bool


def schedule(channel: str, regions: Sequence[str], conf: SwitchbackConf) -> list[Turn]:
    """Every turn of a switchback: which region is served when, by a salted hash that nobody can choose."""
    turns = []
    for pair in range(conf.periods // 2):
        drawn = sorted(regions, key=lambda region: _draw(conf.salt, channel, pair, region))
        first = set(drawn[: (len(drawn) + pair % 2) // 2])
        for half in (0, 1):
            period = 2 * pair + half
            start = conf.first_day + timedelta(days=period * conf.days)
            for region in sorted(regions):
                turns.append(
                    Turn(
                        region,
                        period,
                        start,
                        start + timedelta(days=conf.washout_days),
                        start + timedelta(days=conf.days - 1),
                        (region in first) == (half == 0),
                    )
                )
    return turns


def effect(outcomes: Floats, people: Floats, is_on: Floats) -> tuple[float, float, float] | None:
    """What being served adds to outcomes a person and period, with its 95 % interval; None with too few regions.

    `outcomes`, `is_on` (regions, periods); `people` (regions,). Least squares with an effect of each region and period,
    weighted by people; errors by region (CR1, Student's t).
    """
    regions, periods = outcomes.shape
    if regions < FEWEST_REGIONS or periods < 2:
        return None
    weight = people / people.sum()
    rate = outcomes / people[:, None]
    y, x = (_residual(table, weight) for table in (rate, is_on))
    scale = float((weight[:, None] * x * x).sum())
    if scale <= 0:
        return None
    gain = float((weight[:, None] * x * y).sum()) / scale
    scores = (weight[:, None] * x * (y - gain * x)).sum(axis=1)
    error = float(np.sqrt((scores**2).sum() * regions / (regions - 1))) / scale
    reach = float(t.ppf((1 + LEVEL) / 2, regions - 1)) * error
    return gain, gain - reach, gain + reach


def _residual(table: Floats, weight: Floats) -> Floats:
    """What is left of a table when its rows' and columns' weighted means are taken out."""
    left = table - table.mean(axis=1, keepdims=True)
    return np.asarray(left - (weight[:, None] * left).sum(axis=0))


def _draw(salt: str, channel: str, pair: int, region: str) -> str:
    return hashlib.sha256(f"{salt}|{channel}|{pair}|{region}".encode()).hexdigest()
