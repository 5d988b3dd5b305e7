"""Must-not-link: nobody has two national identifiers.

Where a component holds two, it is put together again from its strongest identifiers down, newest first, and an
identifier that would bring two national ones together ties nobody: it tells whose row it is on, not who it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

NATIONAL = "national"
MUST_NOT_LINK = "two_national_ids"
SETTLED = "node string, label string, kind string, id_key string, holders bigint"


def settled(labels: DataFrame, ties: DataFrame, nationals: DataFrame, shell: Shell) -> tuple[DataFrame, DataFrame]:
    """`labels` (node, label) with no two national identifiers under a label, and (kind, id_key, …) of the refused ties.

    `ties`: node, rank, kind, id_key, last_day of usable identifiers; `nationals`: node, national, at most one a node.
    """
    counted = labels.join(nationals, "node").groupBy("label").agg(F.count_distinct("national").alias("_nationals"))
    torn = shell.cut(counted.where("_nationals > 1").select("label"))
    none = ties.limit(0).select("kind", "id_key", F.lit("").alias("reason"), F.lit(0).cast("bigint").alias("holders"))
    if not shell.small(torn.agg(F.count("*").alias("rows")), 1)["rows"].iloc[0]:
        return labels, none
    cells = ties.join(labels.join(torn, "label"), "node").join(nationals, "node", "left")
    cells = cells.select("label", "node", "rank", "kind", "id_key", "last_day", "national")
    told = shell.cut(cells.groupBy("label").applyInPandas(_put_together, SETTLED))
    whole = labels.join(torn, "label", "left_anti").select("node", "label")
    refused = told.where("kind is not null").select("kind", "id_key", F.lit(MUST_NOT_LINK).alias("reason"), "holders")
    return whole.union(told.where("node is not null").select("node", "label")), refused


def _put_together(cells: pd.DataFrame) -> pd.DataFrame:
    """One component's nodes with their new labels, and the identifiers that tie nobody."""
    import pandas as pd

    parent = {str(node): str(node) for node in cells["node"]}
    national: dict[str, Any] = dict(zip(cells["node"], cells["national"], strict=True))
    told: list[tuple[Any, ...]] = []
    hubs = cells.groupby(["rank", "kind", "id_key"], as_index=False).agg(last=("last_day", "max"), nodes=("node", list))
    hubs["age"] = [-day.toordinal() for day in hubs["last"]]
    hubs = hubs.sort_values(["rank", "age", "id_key"])
    for kind, id_key, nodes in zip(hubs["kind"], hubs["id_key"], hubs["nodes"], strict=True):
        roots = sorted({_root(parent, node) for node in nodes})
        known = {national[root] for root in roots if not pd.isna(national[root])}
        if len(known) > 1:
            told.append((None, None, kind, id_key, len(nodes)))
            continue
        for root in roots[1:]:
            parent[root] = roots[0]
        national[roots[0]] = next(iter(known), None)
    told += [(node, _root(parent, node), None, None, None) for node in sorted(parent)]
    return pd.DataFrame(told, columns=["node", "label", "kind", "id_key", "holders"]).astype({"holders": "Int64"})


def _root(parent: dict[str, str], node: str) -> str:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
