"""Dots with their intervals on a line each: the one chart for every comparison of costs, rates, lifts and worths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dashboards.figures.style import MAIN, SECOND, figure, rows_height

SHAPES = (("circle", MAIN), ("diamond", SECOND), ("square", "#7a9e3f"))


@dataclass(frozen=True)
class Series:
    """Dots of one kind: a frame with `name`, `value`, `lo`, `hi`, `is_final`."""

    title: str
    rows: pd.DataFrame


def dots(
    series: Sequence[Series], names: Sequence[str], x_title: str, *, is_share: bool = False, zero: bool = False
) -> go.Figure:
    """Horizontal dots with error bars, first name on top; a hollow dot is not final. `zero` draws the line at 0.

    Null values are left out; a null end leaves the bar open on that side.
    """
    result = figure(
        rows_height(len(names), 26 + 14 * len(series)), x_title, is_share=is_share, has_legend=len(series) > 1
    )
    places = {name: at for at, name in enumerate(names)}
    for at, item in enumerate(series):
        result.add_trace(_trace(item, places, (at - (len(series) - 1) / 2) * 0.24, SHAPES[at % len(SHAPES)], is_share))
    result.update_yaxes(
        tickmode="array",
        tickvals=list(places.values()),
        ticktext=list(names),
        range=[len(names) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    result.update_xaxes(rangemode="normal" if zero else "tozero", zeroline=True)
    return result


def _trace(item: Series, places: dict[str, int], shift: float, shape: tuple[str, str], is_share: bool) -> go.Scatter:
    rows = item.rows[item.rows["name"].isin(list(places)) & item.rows["value"].notna()]
    symbol, colour = shape
    up = (rows["hi"] - rows["value"]).clip(lower=0).fillna(0)
    down = (rows["value"] - rows["lo"]).clip(lower=0).fillna(0)
    number = ".2%" if is_share else ",.3~f"
    ends = [["" if pd.isna(v) else float(v) for v in pair] for pair in rows[["lo", "hi"]].itertuples(index=False)]
    return go.Scatter(
        x=rows["value"].tolist(),
        y=[places[name] + shift for name in rows["name"]],
        mode="markers",
        name=item.title,
        marker={
            "symbol": [symbol if final else f"{symbol}-open" for final in rows["is_final"]],
            "size": 10,
            "color": colour,
            "line": {"width": 2, "color": colour},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": up.tolist(),
            "arrayminus": down.tolist(),
            "color": colour,
            "thickness": 1.6,
            "width": 4,
        },
        text=rows["name"].tolist(),
        customdata=ends,
        hovertemplate=f"%{{text}}<br><b>%{{x:{number}}}</b> (%{{customdata[0]:{number}}} – %{{customdata[1]:{number}}})"
        f"<extra>{item.title}</extra>",
    )
