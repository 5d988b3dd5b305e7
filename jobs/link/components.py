"""Connected components: in one task while there are few edges, else on DataFrames by alternating stars.

Stars converge on chains and hubs alike (Kiveris et al., "Connected Components in MapReduce and Beyond", 2014):
large-star and small-star steps keep connectivity, never raise the number of edges beyond the nodes, and end in one
star a component in O(log² n) rounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.runtime.errors import Fault

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

MAX_ROUNDS = 60
# A task holds some 300 bytes an edge: 3 GB. What many rounds of shuffling cost is more than one core's time by far.
MOST_IN_ONE_TASK = 10_000_000


def components(edges: DataFrame, shell: Shell, most_in_one_task: int = MOST_IN_ONE_TASK) -> DataFrame:
    """(node, label) of every node that has an edge to another: label is the smallest node of its component.

    `edges`: columns a, b (strings), any direction, repeats and self-loops allowed. One row a node.
    """
    current = shell.cut(_down(edges))
    seen = _print(current, shell)
    if seen[0] <= most_in_one_task:
        return shell.cut(current.coalesce(1).mapInArrow(_labelled, "node string, label string"))
    for _ in range(MAX_ROUNDS):
        current = shell.cut(_small_star(_large_star(current)))
        before, seen = seen, _print(current, shell)
        if before == seen:
            labels = current.select(F.col("a").alias("node"), F.col("b").alias("label"))
            return labels.union(current.select("b", "b").distinct())
    raise Fault(f"job people: components did not settle in {MAX_ROUNDS} rounds; report it with the number of prospects")


def _labelled(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Labels of a whole graph of edges a, b."""
    import numpy as np
    import pyarrow as pa
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = pa.Table.from_batches(list(batches), pa.schema([("a", pa.string()), ("b", pa.string())]))
    if not edges.num_rows:
        return
    ends = pa.chunked_array([*edges["a"].chunks, *edges["b"].chunks]).cast(pa.large_string()).combine_chunks()
    coded = ends.dictionary_encode()
    names, codes = coded.dictionary, coded.indices.to_numpy()
    pairs = (codes[: edges.num_rows], codes[edges.num_rows :])
    graph = coo_matrix((np.ones(edges.num_rows, dtype=np.int8), pairs), shape=(len(names), len(names)))
    count, component = connected_components(graph, directed=False)
    table = pa.table({"node": names, "component": component})
    smallest = table.group_by("component").aggregate([("node", "min")])
    label = np.empty(count, dtype=np.int64)
    label[smallest["component"].to_numpy()] = np.arange(count)
    told = {"node": names, "label": smallest["node_min"].combine_chunks().take(pa.array(label[component]))}
    yield from pa.table(told).cast(pa.schema([("node", pa.string()), ("label", pa.string())])).to_batches(100_000)


def _down(edges: DataFrame) -> DataFrame:
    """Each edge once, from its larger to its smaller end."""
    ends = edges.where("a <> b").select(F.greatest("a", "b").alias("a"), F.least("a", "b").alias("b"))
    return ends.distinct()


def _large_star(edges: DataFrame) -> DataFrame:
    """Every larger neighbour of a node moves to the smallest of the node and its neighbours."""
    both = edges.union(edges.select("b", "a"))
    smallest = both.groupBy("a").agg(F.least(F.col("a"), F.min("b")).alias("_min"))
    moved = both.join(smallest, "a").where("b > a")
    return _down(moved.select(F.col("b").alias("a"), F.col("_min").alias("b")))


def _small_star(edges: DataFrame) -> DataFrame:
    """Every smaller neighbour of a node, and the node, move to the smallest of them."""
    smallest = edges.groupBy("a").agg(F.min("b").alias("_min"))
    moved = edges.join(smallest, "a")
    return _down(moved.select(F.col("b").alias("a"), F.col("_min").alias("b")).union(smallest.select("a", "_min")))


def _print(edges: DataFrame, shell: Shell) -> tuple[int, str]:
    total = F.sum(F.xxhash64("a", "b").cast("decimal(38,0)")).cast("string")
    row = shell.small(edges.agg(F.count("*").alias("rows"), total.alias("total")), 1).iloc[0]
    return int(row["rows"]), str(row["total"])
