"""Dictionary: what every figure means, as conf/metrics.yaml defines it."""

from __future__ import annotations

import pandas as pd

from dashboards.nodes import Node, tag
from dashboards.pages.context import Context
from dashboards.parts import Show, section


def dictionary(context: Context) -> Node:
    """The page."""
    words, metrics = context.words, context.conf.metrics
    rows = [
        {
            "label": metric.label[words.lang],
            "formula": f"{name} = {words.formula(name)}",
            "unit": words(f"unit_{metric.unit}"),
            "of": metric.of,
            "interval": words(f"interval_{metric.interval}"),
            "decided": words(f"decided_{metric.decided}") if metric.decided else None,
            "grain": ", ".join(metric.grain),
        }
        for name, metric in metrics.items()
    ]
    columns = [Show(name, words(f"dictionary_{name}")) for name in rows[0]] if rows else []
    table = context.table(pd.DataFrame(rows), columns, "dictionary")
    return tag("div", section(words("dictionary_title"), table, note=words("dictionary_note")))
