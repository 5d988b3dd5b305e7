"""A page as a tree of tags and charts, which the static report writes as HTML and the shell as Dash components."""

from __future__ import annotations

import html
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import plotly.graph_objects as go

VOID = {"br", "hr"}


@dataclass(frozen=True)
class Tag:
    """An HTML element: its name, its attributes, its children."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: Sequence[Node] = ()


@dataclass(frozen=True)
class Chart:
    """A plotly figure with the sentence that says what it shows, for whoever cannot see it."""

    figure: go.Figure
    summary: str


Node: TypeAlias = Tag | Chart | str


def tag(name: str, *children: Node | None, **attributes: str) -> Tag:
    """An element; `class_` is class, `data_x` is data-x, and children that are None are left out."""
    named = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    return Tag(name, named, tuple(child for child in children if child is not None))


class HtmlWriter:
    """Writes nodes as HTML; every chart becomes a placeholder with its figure as JSON beside it."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def write(self, node: Node) -> str:
        """The HTML of a node; every text and attribute is escaped."""
        if isinstance(node, str):
            return html.escape(node, quote=False)
        if isinstance(node, Chart):
            return self._chart(node)
        opened = "".join(f' {key}="{html.escape(value)}"' for key, value in node.attributes.items())
        if node.name in VOID:
            return f"<{node.name}{opened}>"
        return f"<{node.name}{opened}>{''.join(map(self.write, node.children))}</{node.name}>"

    def _chart(self, chart: Chart) -> str:
        name = f"chart-{next(self._numbers)}"
        content = json.dumps(chart.figure.to_plotly_json(), cls=_encoder(), ensure_ascii=False).replace("</", "<\\/")
        height = int(chart.figure.layout.height or 360)
        label = html.escape(chart.summary)
        return (
            f'<div class="chart" id="{name}" role="img" aria-label="{label}" style="height:{height}px"></div>'
            f'<script type="application/json" data-chart="{name}">{content}</script>'
        )


def _encoder() -> type[json.JSONEncoder]:
    from plotly.utils import PlotlyJSONEncoder

    encoder: type[json.JSONEncoder] = PlotlyJSONEncoder
    return encoder


def text_of(node: Node) -> str:
    """All the words of a node, charts by their summaries."""
    if isinstance(node, str):
        return node
    if isinstance(node, Chart):
        return node.summary
    return " ".join(filter(None, (text_of(child) for child in node.children)))


def charts_of(node: Node) -> list[Any]:
    """Every figure inside a node, in reading order."""
    if isinstance(node, Chart):
        return [node.figure]
    return [] if isinstance(node, str) else [figure for child in node.children for figure in charts_of(child)]
