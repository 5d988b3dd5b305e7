"""What all figures share: colours that can be told apart without colour vision, type, margins."""

from __future__ import annotations

import plotly.graph_objects as go

INK, MUTED, GRID = "#1c2733", "#5c6b7a", "#e6eaee"
MAIN, SECOND, PALE = "#0f6e84", "#c2571a", "#c9dde2"
PALETTE = ("#0f6e84", "#c2571a", "#7a9e3f", "#8a5a9e", "#d3a11d", "#4878b8", "#a33b4e", "#5f6b76", "#3f9e88", "#b58a6a")
FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, 'PingFang SC', 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif"


def figure(height: int, x_title: str = "", *, is_share: bool = False, has_legend: bool = False) -> go.Figure:
    """An empty figure in the house's style; `is_share` writes the x axis in per cent."""
    result = go.Figure()
    result.update_layout(
        template="none",
        height=height,
        margin={"l": 8, "r": 16, "t": 36 if has_legend else 8, "b": 48 if x_title else 32},
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=has_legend,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 12}, "traceorder": "normal"},
        hoverlabel={"font": {"family": FONT, "size": 13}},
        dragmode=False,
        separators=".,",
    )
    result.update_xaxes(
        title={"text": x_title, "font": {"size": 12, "color": MUTED}, "standoff": 8},
        gridcolor=GRID,
        zerolinecolor="#aab4bd",
        tickfont={"size": 12, "color": MUTED},
        tickformat=".1~%" if is_share else ",~r",
        automargin=True,
        fixedrange=True,
        nticks=6,
    )
    result.update_yaxes(
        ticks="outside",
        ticklen=6,
        tickcolor="rgba(0,0,0,0)",
        automargin=True,
        fixedrange=True,
        tickfont={"size": 13},
        gridcolor=GRID,
        zerolinecolor="#aab4bd",
    )
    return result


def rows_height(rows: int, per_row: int = 34) -> int:
    """Pixels for so many horizontal rows."""
    return max(150, 90 + per_row * rows)
