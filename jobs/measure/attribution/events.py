"""Touches and conversions of many people as arrays, and the journeys they make up, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jobs.measure.attribution.paths import Floats, Ints, Paths
from jobs.measure.attribution.windows import flattened, ranks, windows

if TYPE_CHECKING:
    import pandas as pd

STAGES = ("apply", "approve", "fund")
TOUCH = -1  # in place of a stage
MICROS_A_DAY = 86_400 * 10**6


@dataclass(frozen=True)
class Window:
    """Touches in (moment - days, moment] of a conversion, and if `is_cut` only after the person's previous one.

    `view_days`: the same of views, which count only where there is no act in time; 0 where views count for nothing.
    """

    days: int
    is_cut: bool = False
    view_days: int = 0


@dataclass(frozen=True)
class Events:
    """All events of some people, sorted by person, moment and id; whole people only.

    `rows`: person (int), at (int, microseconds), stage (TOUCH or a place in STAGES), channel (a place in `channels`, -1
    for conversions), is_view (of touches), and whatever else its caller wants carried.
    """

    rows: pd.DataFrame
    channels: tuple[str, ...]

    @cached_property
    def touches(self) -> pd.DataFrame:
        """The touches alone."""
        return self.rows[self.rows["stage"] == TOUCH].reset_index(drop=True)

    def won(self, stage: int) -> pd.DataFrame:
        """The conversions of a stage."""
        return self.rows[self.rows["stage"] == stage].reset_index(drop=True)


@dataclass(frozen=True)
class Journeys:
    """Paths of a stage: which touch each step of them is, and how many were cut as too long."""

    paths: Paths
    places: Ints
    cut: int


def journeys(events: Events, stage: int, window: Window, values: Floats | None = None) -> Journeys:
    """The touches of each conversion of a stage."""
    touches, won = events.touches, events.won(stage)
    people, moments, ended = ints(touches, "person"), ints(touches, "at"), ints(won, "at")
    is_view = touches["is_view"].to_numpy(dtype=bool)
    acts, views = np.flatnonzero(~is_view), np.flatnonzero(is_view)

    def inside(these: Ints, days: int) -> tuple[Ints, Ints]:
        width = days * MICROS_A_DAY
        return windows(people[these], moments[these], ints(won, "person"), ended, width, is_cut=window.is_cut)

    starts, ends = inside(acts, window.days)
    if window.view_days and len(views):
        first, last = (len(acts) + of_views for of_views in inside(views, window.view_days))
        is_bare = starts == ends
        starts, ends = np.where(is_bare, first, starts), np.where(is_bare, last, ends)
    places, bounds, cut = flattened(starts, ends)
    places = np.concatenate([acts, views])[places]
    ages = (np.repeat(ended, np.diff(bounds)) - moments[places]) / 10**6
    ones, none = np.ones(len(won)), np.zeros(len(won))
    codes = ints(touches, "channel")[places]
    worth = none if values is None else values
    return Journeys(Paths(events.channels, codes, bounds, ones, worth, none, ages), places, cut)


def without_conversion(events: Events, stage: int, window: Window, taken: Ints) -> Journeys:
    """Journeys that led to no conversion of the stage: touches not `taken`, apart where a person waited too long.

    Nor do touches before and after a conversion make one journey. Views make one where a person did nothing else.
    """
    touches, won = events.touches, events.won(stage)
    is_view = touches["is_view"].to_numpy(dtype=bool)
    acted = np.unique(ints(touches, "person")[~is_view])
    free = ~(is_view & (np.isin(ints(touches, "person"), acted) | (not window.view_days)))
    free[taken] = False
    people, moments = ints(touches, "person")[free], ints(touches, "at")[free]
    past = ranks(ints(won, "person"), ints(won, "at"), people, moments)
    opens = np.ones(len(people), dtype=bool)
    opens[1:] = (
        (people[1:] != people[:-1])
        | (past[1:] != past[:-1])
        | (moments[1:] - moments[:-1] > window.days * MICROS_A_DAY)
    )
    starts = np.append(np.flatnonzero(opens), len(people))
    places, bounds, _ = flattened(starts[:-1], starts[1:])
    none = np.zeros(len(starts) - 1)
    paths = Paths(events.channels, ints(touches, "channel")[free][places], bounds, none, none, none + 1)
    return Journeys(paths, np.flatnonzero(free)[places], 0)


def ints(frame: pd.DataFrame, name: str) -> Ints:
    """A column as whole numbers."""
    return frame[name].to_numpy(dtype=np.int64)
