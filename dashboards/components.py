"""The same pages as Dash components: what the static report writes as HTML, the shell hands to the browser live."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboards.nodes import Chart, Node

NAMES = {"class": "className", "tabindex": "tabIndex"}
GRAPH: Any = {"displayModeBar": False, "responsive": True}


def component(node: Node) -> Any:
    """A node as a Dash component, text as itself."""
    if isinstance(node, str):
        return node
    if isinstance(node, Chart):
        height = f"{int(node.figure.layout.height or 360)}px"
        graph = dcc.Graph(figure=node.figure, config=GRAPH, style={"height": height})
        named: dict[str, Any] = {"aria-label": node.summary}
        return html.Div(graph, role="img", className="chart", **named)
    made = getattr(html, node.name.capitalize())
    attributes = {NAMES.get(key, key): value for key, value in node.attributes.items()}
    return made([component(child) for child in node.children], **attributes)
