"""Segments, as a part of the bands page: how they have moved in a week, and whom they share."""

from __future__ import annotations

import pandas as pd

from dashboards.nodes import Tag
from dashboards.pages.context import Context
from dashboards.parts import Show, section

MOST_PAIRS = 60


def segments(context: Context) -> list[Tag]:
    """Two sections: drift of each segment, and the pairs of segments that share most."""
    return [_drifts(context), _overlaps(context)]


def _drifts(context: Context) -> Tag:
    words, reading = context.words, context.read("segment_drifts")
    if reading.is_empty:
        return section(words("segment_drifts_title"), context.missing(reading))
    frame = reading.frame.sort_values(["kind", "segment"], ignore_index=True)
    moved = (frame["psi"] > frame["noise"]).map({True: words("drifts"), False: words("within_noise")})
    shown = frame.assign(verdict=moved.where(frame["psi"].notna()))
    columns = [
        Show("segment", words("segment")),
        Show("people", words("people"), "count"),
        Show("share", words("of_everybody"), "share"),
        Show("earlier_people", words("people_earlier"), "count"),
        Show("entered", words("entered"), "count"),
        Show("departed", words("departed"), "count"),
        Show("psi", words("psi"), "plain"),
        Show("noise", words("psi_noise"), "plain"),
        Show("verdict", words("verdict")),
    ]
    table = context.table(shown, columns, "segment-drifts")
    return section(words("segment_drifts_title"), table, note=words("segment_drifts_note"))


def _overlaps(context: Context) -> Tag:
    words, reading = context.words, context.read("segment_overlaps")
    if reading.is_empty:
        return section(words("segment_overlaps_title"), context.missing(reading))
    frame = largest(reading.frame)
    columns = [
        Show("segment", words("segment")),
        Show("other", words("other_segment")),
        Show("people", words("people_in_both"), "count"),
        Show("share", words("share_of_first"), "share"),
        Show("other_share", words("share_of_other"), "share"),
    ]
    table = context.table(frame, columns, "segment-overlaps")
    return section(words("segment_overlaps_title"), table, note=words("small_cells"))


def largest(frame: pd.DataFrame) -> pd.DataFrame:
    """The pairs with the most people in common."""
    ordered = frame.sort_values(["people", "segment", "other"], ascending=[False, True, True], ignore_index=True)
    return ordered.head(MOST_PAIRS)
