"""Connected components of millions of edges: in one task, by stars, by scipy, and by splink's clustering on DuckDB."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "storms"))
import chain
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

from jobs.link.components import MOST_IN_ONE_TASK, components
from jobs.runtime.conf import load_conf
from jobs.runtime.keys import load_keys
from jobs.runtime.session import spark_session
from jobs.runtime.shell import Shell

CHAIN, HUB, CLUSTER = 10_000, 100_000, 4
# Each prints how many components it found, how many nodes, and a sum over every node's smallest neighbour's name.
SCIPY = """
import sys
import pandas as pd, numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
edges = pd.read_parquet(sys.argv[1])
codes, names = pd.factorize(np.concatenate([edges["a"], edges["b"]]), sort=True)
a, b = codes[: len(edges)], codes[len(edges) :]
graph = coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(len(names), len(names)))
count, label = connected_components(graph, directed=False)
first = np.full(count, len(names)); np.minimum.at(first, label, np.arange(len(names)))
pd.DataFrame({"node": names, "label": names[first[label]]}).to_parquet(sys.argv[2])
"""
SPLINK = """
import sys
import duckdb
from splink.backends.duckdb import DuckDBAPI
from splink.clustering import cluster_pairwise_predictions_at_threshold as cluster
at = duckdb.connect(sys.argv[2] + ".db")
at.execute(f"create table edges as select a, b from read_parquet('{sys.argv[1]}/*.parquet')")
at.execute("create table nodes as select a as node from edges union select b from edges")
api = DuckDBAPI(connection=at)
nodes, edges = (at.table(name) for name in ("nodes", "edges"))
found = cluster(nodes, edges, api, "node", edge_id_column_name_left="a", edge_id_column_name_right="b")
at.execute(f"copy (select node, cluster_id as label from {found.physical_name}) to '{sys.argv[2]}' (format parquet)")
"""
Row = dict[str, Any]


def add(options: argparse.ArgumentParser) -> None:
    """The options of `components`."""
    options.add_argument("--sizes", default="1000000,10000000", help="edges, smallest first")
    options.add_argument("--stars", type=int, default=10_000_000, help="most edges given to the road by stars")
    options.add_argument("--limit", type=float, default=1200.0, help="seconds given to each of the others")


def run_components(asked: argparse.Namespace) -> list[Row]:
    """A row a size and way: seconds from the same Parquet to labels, how many components, whether all agree."""
    conf = load_conf(chain.ROOT / "conf")
    folder = asked.folder.resolve() / "components"
    spark = spark_session(conf.base.spark, folder / "scratch")
    found: list[Row] = []
    sizes = [int(size) for size in asked.sizes.split(",")]
    for turn, size in enumerate([sizes[0], *sizes]):  # the smallest once before, as a warm-up
        place = folder / str(size)
        if not (place / "edges" / "_SUCCESS").exists():
            _write(spark, size, place / "edges")
        shell = Shell(place / "warehouse", place, conf, load_keys(place / "warehouse"), spark)
        for way, most in (("one task", MOST_IN_ONE_TASK), ("stars", 0)):
            if way == "stars" and size > asked.stars:
                continue
            started = time.perf_counter()
            labels = components(spark.read.parquet(str(place / "edges")), shell, most)
            labels.write.mode("overwrite").parquet(str(place / "spark"))
            took = time.perf_counter() - started
            if turn:
                found.append({"edges": size, "way": way, "seconds": took, **_print(spark, place / "spark")})
    for size in sizes:
        for way, script in (("scipy", SCIPY), ("splink", SPLINK)):
            found.append({"edges": size, "way": way, **_other(spark, script, folder / str(size), way, asked.limit)})
            print(f"{size:,} edges by {way}: done", file=sys.stderr)
    spark.stop()
    return sorted(found, key=lambda row: row["edges"])


def _other(spark: SparkSession, script: str, place: Path, way: str, limit: float) -> Row:
    out = place / f"{way}.parquet"
    for old in place.glob(f"{way}.parquet*"):
        old.unlink()
    started = time.perf_counter()
    try:
        subprocess.run(
            [sys.executable, "-c", script, str(place / "edges"), str(out)],
            check=True,
            timeout=limit,
            capture_output=True,
        )
    except subprocess.TimeoutExpired:
        return {"seconds": None}
    except subprocess.CalledProcessError as error:
        return {"seconds": None, "error": error.stderr.decode().strip().splitlines()[-1][:200]}
    return {"seconds": time.perf_counter() - started, **_print(spark, out)}


def _print(spark: SparkSession, labels: Path) -> Row:
    """What two ways that agree have in common: the components and what each node is labelled."""
    pair = F.xxhash64("node", F.min("node").over(Window.partitionBy("label"))).cast("decimal(38,0)")
    told = spark.read.parquet(str(labels)).select("label", pair.alias("pair"))
    row = told.agg(F.count_distinct("label").alias("components"), F.sum("pair").cast("string").alias("sum")).collect()
    return {"components": row[0]["components"], "sum": row[0]["sum"]}


def _write(spark: SparkSession, size: int, place: Path) -> None:
    """Edges within clusters of at most four, one chain and one hub among them, in no order."""
    name = lambda number: F.format_string("p%09d", number)  # noqa: E731
    dice = [F.pmod(F.xxhash64("id", F.lit(salt)), F.lit(size)) for salt in range(2)]
    first = dice[0] - F.pmod(dice[0], F.lit(CLUSTER))
    drawn = spark.range(size - CHAIN - HUB).select(
        name(dice[0]).alias("a"), name(first + F.pmod(dice[1], F.lit(CLUSTER))).alias("b")
    )
    scrambled = lambda number: F.pmod(F.xxhash64(number), F.lit(10**9))  # noqa: E731
    line = spark.range(CHAIN).select(
        F.format_string("c%09d", scrambled(F.col("id"))).alias("a"),
        F.format_string("c%09d", scrambled(F.col("id") + 1)).alias("b"),
    )
    hub = spark.range(HUB).select(F.lit("h").alias("a"), F.format_string("h%09d", F.col("id")).alias("b"))
    drawn.where("a <> b").union(line).union(hub).repartition(8).write.mode("overwrite").parquet(str(place))


def show(found: list[Row]) -> None:
    """Print the table; a time is over that of one task at the same size."""
    print(f"{'edges':>12} {'way':>8} {'seconds':>9} {'over first':>11} {'components':>12} {'same labels':>12}")
    spark = {row["edges"]: row for row in found if row["way"] == "one task"}
    for row in found:
        mine = spark[row["edges"]]
        if row["seconds"] is None:
            print(f"{row['edges']:12,} {row['way']:>8}   {row.get('error', 'did not end in time')}")
            continue
        same = "yes" if row["sum"] == mine["sum"] else "NO"
        print(
            f"{row['edges']:12,} {row['way']:>8} {row['seconds']:9.1f} {row['seconds'] / mine['seconds']:10.2f}x "
            f"{row['components']:12,} {same:>12}"
        )
