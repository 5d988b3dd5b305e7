"""Bars: money by month, the funnel, people by band, budget against plan."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from dashboards.figures.style import GRID, INK, MAIN, MUTED, PALE, PALETTE, figure, rows_height


def stacked_months(frame: pd.DataFrame, y_title: str) -> go.Figure:
    """Spend by month, stacked by channel; `frame` has `month` (date), `channel`, `spend`."""
    result = figure(380, has_legend=True)
    names = frame.groupby("channel")["spend"].sum().sort_values(ascending=False, kind="stable").index.tolist()
    for at, name in enumerate(names):
        rows = frame[frame["channel"] == name].sort_values("month")
        result.add_trace(
            go.Bar(
                x=rows["month"].dt.strftime("%Y-%m").tolist(),
                y=rows["spend"].tolist(),
                name=str(name),
                marker={
                    "color": PALETTE[at % len(PALETTE)],
                    "pattern": {"shape": "/" if at >= len(PALETTE) else ""},
                    "line": {"width": 0.6, "color": "#ffffff"},
                },
                hovertemplate="%{x}<br><b>%{y:,.0f}</b><extra>" + str(name) + "</extra>",
            )
        )
    result.update_layout(barmode="stack", bargap=0.3)
    result.update_xaxes(type="category", showgrid=False, tickformat="", nticks=8)
    result.update_yaxes(
        tickformat=",~s",
        title={"text": y_title, "font": {"size": 12, "color": MUTED}, "standoff": 14},
        tickfont={"color": MUTED},
    )
    return result


def steps(titles: Sequence[str], counts: Sequence[float], notes: Sequence[str]) -> go.Figure:
    """Stages of a funnel as bars from the top down, each with its count and a note."""
    result = figure(rows_height(len(titles), 46))
    result.add_trace(
        go.Bar(
            x=list(counts),
            y=list(titles),
            orientation="h",
            marker={"color": [MAIN] * (len(counts) - 1) + ["#0a4a59"]},
            text=[f"<b>{count:,.0f}</b>  {note}" for count, note in zip(counts, notes, strict=True)],
            textposition="outside",
            textfont={"size": 12, "color": INK},
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    result.update_yaxes(autorange="reversed", showgrid=False)
    result.update_xaxes(visible=False, range=[0, max(counts) * 1.75])
    result.update_layout(bargap=0.35)
    return result


def sizes(names: Sequence[str], people: Sequence[float], x_title: str) -> go.Figure:
    """One bar a group, first on top."""
    result = figure(rows_height(len(names), 26), x_title)
    result.add_trace(
        go.Bar(
            x=list(people),
            y=list(names),
            orientation="h",
            marker={"color": MAIN},
            hovertemplate="%{y}: <b>%{x:,.0f}</b><extra></extra>",
        )
    )
    result.update_yaxes(autorange="reversed", showgrid=False, type="category")
    result.update_layout(bargap=0.4)
    return result


def against_budget(
    names: Sequence[str], left: Sequence[float | None], planned: pd.DataFrame, titles: tuple[str, str], x_title: str
) -> go.Figure:
    """Expected spend (dark, with interval) inside what is left of the budget (pale); `planned` has value, lo, hi."""
    result = figure(rows_height(len(names), 34), x_title, has_legend=True)
    result.add_trace(
        go.Bar(
            x=list(left),
            y=list(names),
            orientation="h",
            name=titles[0],
            width=0.7,
            marker={"color": PALE, "line": {"width": 1, "color": GRID}},
            hovertemplate="%{y}: <b>%{x:,.0f}</b><extra>" + titles[0] + "</extra>",
        )
    )
    up = (planned["hi"] - planned["value"]).clip(lower=0).fillna(0).tolist()
    down = (planned["value"] - planned["lo"]).clip(lower=0).fillna(0).tolist()
    result.add_trace(
        go.Bar(
            x=planned["value"].tolist(),
            y=list(names),
            orientation="h",
            name=titles[1],
            width=0.35,
            marker={"color": MAIN},
            error_x={"type": "data", "symmetric": False, "array": up, "arrayminus": down, "color": INK, "width": 3},
            hovertemplate="%{y}: <b>%{x:,.0f}</b><extra>" + titles[1] + "</extra>",
        )
    )
    result.update_layout(barmode="overlay")
    result.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return result
