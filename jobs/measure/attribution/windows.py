"""Which touches came before which conversion: exact windows over events sorted by person and time, without a loop."""

from __future__ import annotations

import numpy as np

from jobs.measure.attribution.paths import Ints

MOST_TOUCHES = 200  # of one path; beyond that, as of bots, the first and the last 199 are kept


def ranks(people: Ints, moments: Ints, at_people: Ints, at_moments: Ints) -> Ints:
    """How many events (sorted by person, then moment) are at or before each (person, moment) asked for."""
    asked = np.concatenate([np.zeros(len(people), dtype=np.int8), np.ones(len(at_people), dtype=np.int8)])
    whose, when = np.concatenate([people, at_people]), np.concatenate([moments, at_moments])
    order = np.lexsort((asked, when, whose))
    so_far = np.cumsum(asked[order] == 0)
    found = np.empty(len(order), dtype=np.int64)
    found[order] = so_far
    return found[len(people) :]


def windows(
    people: Ints, moments: Ints, won_people: Ints, won_at: Ints, width: int, *, is_cut: bool
) -> tuple[Ints, Ints]:
    """(starts, ends): touches [start, end) lie in (won_at - width, won_at]; if `is_cut`, after the previous conversion.

    Touches are sorted by person and moment, conversions too; whole numbers of one unit of time.
    """
    ends = ranks(people, moments, won_people, won_at)
    starts = ranks(people, moments, won_people, won_at - width)
    if not is_cut:
        return starts, ends
    again = np.zeros(len(won_people), dtype=bool)
    again[1:] = won_people[1:] == won_people[:-1]
    previous = np.where(again, np.concatenate([[0], ends[:-1]])[: len(ends)], 0)
    return np.maximum(starts, previous), ends


def flattened(starts: Ints, ends: Ints, most: int = MOST_TOUCHES) -> tuple[Ints, Ints, int]:
    """(places, bounds, paths cut): the places of each window's touches one after another, where each begins."""
    lengths = ends - starts
    kept = np.minimum(lengths, most)
    bounds = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    step = np.arange(bounds[-1]) - np.repeat(bounds[:-1], kept)
    skipped = np.repeat(lengths - kept, kept)
    places = np.repeat(starts, kept) + step + np.where(step > 0, skipped, 0)
    return places.astype(np.int64), bounds, int((lengths > most).sum())
