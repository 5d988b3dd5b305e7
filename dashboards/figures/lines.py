"""Lines over months on book: one a cohort, older ones paler, what is to come dotted to a hollow mark."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from dashboards.figures.style import MAIN, MUTED, PALE, SECOND, figure

DASHES = ("solid", "dash", "dot", "dashdot")


def curves(cohorts: Sequence[tuple[str, pd.DataFrame]], x_title: str, y_title: str) -> go.Figure:
    """Shares by age; each cohort's frame has `age`, `value`, `is_final`, oldest cohort first.

    Points that are not final are joined by a dotted line and hollow. Lines differ by shade and by dash.
    """
    result = figure(420, x_title, has_legend=True)
    for at, (name, rows) in enumerate(cohorts):
        newness = (at + 1) / len(cohorts)
        colour = SECOND if at == len(cohorts) - 1 else MAIN if newness > 0.5 else PALE if newness <= 0.25 else MUTED
        told = rows[rows["is_final"]]
        ahead = pd.concat([told.tail(1), rows[~rows["is_final"]]])
        result.add_trace(_line(told, name, colour, DASHES[at % len(DASHES)], is_shown=True))
        if len(ahead) > len(told.tail(1)):
            result.add_trace(_line(ahead, name, colour, "dot", is_shown=not len(told)))
    result.update_yaxes(
        tickformat=".1~%",
        rangemode="tozero",
        title={"text": y_title, "font": {"size": 12, "color": MUTED}, "standoff": 14},
    )
    result.update_xaxes(tickformat="d", dtick=1)
    return result


def _line(rows: pd.DataFrame, name: str, colour: str, dash: str, *, is_shown: bool) -> go.Scatter:
    return go.Scatter(
        x=rows["age"].tolist(),
        y=rows["value"].tolist(),
        name=name,
        legendgroup=name,
        showlegend=is_shown,
        mode="lines+markers",
        line={"color": colour, "dash": dash, "width": 2},
        marker={"size": 7, "symbol": ["circle" if final else "circle-open" for final in rows["is_final"]]},
        hovertemplate="%{x}: <b>%{y:.2%}</b><extra>" + name + "</extra>",
    )
