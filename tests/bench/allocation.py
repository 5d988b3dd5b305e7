"""The plan of many people through the product's own road: seconds, certified gap and broken rows; resumable by size."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
from people import CHANNELS, people_of, terms_for
from pyspark.sql import functions as F

from jobs.activate.allocation.passes import HELD, Passes
from jobs.activate.allocation.people import Layout
from jobs.activate.allocation.program import activity, violation
from jobs.activate.allocation.solve import allocate
from jobs.runtime.conf import SparkConf, load_conf
from jobs.runtime.keys import Keys
from jobs.runtime.session import spark_session
from jobs.runtime.shell import Shell

ROOT = Path(__file__).resolve().parents[2]
Row = dict[str, Any]


def add(options: argparse.ArgumentParser) -> None:
    """The options of `allocation`."""
    options.add_argument("--sizes", default="100000,300000,1000000,3000000", help="people, smallest first")
    options.add_argument("--seed", type=int, default=1)


def run_allocation(asked: argparse.Namespace) -> list[Row]:
    """A row a size: rows, people, seconds, gap, worst violation (counted anew in Spark from who was put where).

    `seconds`: from the narrow frame of people, on disk, to everybody's channel, on disk, Spark being up.
    """
    folder, found = asked.folder.resolve() / "allocation", list[Row]()
    folder.mkdir(parents=True, exist_ok=True)
    for size in [int(one) for one in asked.sizes.split(",")]:
        kept = folder / f"{size}-{asked.seed}.json"
        if not kept.is_file():
            kept.write_text(json.dumps(_measured(folder, size, asked.seed), indent=1), encoding="utf-8")
        found.append(json.loads(kept.read_text(encoding="utf-8")))
    for row, before in zip(found, [None, *found], strict=False):
        each = row["seconds"] / row["people"]
        row["against"] = None if before is None else each / (before["seconds"] / before["people"]) - 1.0
    return found


def show(found: list[Row]) -> None:
    """Print the table."""
    print(
        "rows      people   seconds   people / s   seconds a person   against before   gap        worst row broken by"
    )
    for row in found:
        rate, against = row["people"] / row["seconds"], row["against"]
        told = "-" if against is None else f"{against:+.0%}"
        print(
            f"{row['rows']:>4} {row['people']:>11,} {row['seconds']:>9.1f} {rate:>12,.0f} {1 / rate:>18.2e} "
            f"{told:>16}   {row['gap']:.1e}    {row['violation']:.1e}"
        )


def _measured(folder: Path, size: int, seed: int) -> Row:
    conf = load_conf(ROOT / "conf")
    spark = spark_session(SparkConf(), folder / "scratch")
    try:
        terms = terms_for(size)
        program = terms.program()
        layout = Layout(CHANNELS, program.quantities)
        place = folder / f"people-{size}-{seed}"
        if not (place / "_SUCCESS").is_file():
            people_of(spark, size, layout, seed).write.mode("overwrite").parquet(str(place))
        frame = spark.read.parquet(str(place))
        frame.agg(F.sum("role")).collect()  # Spark and the file cache are warm
        shell = Shell(folder / "warehouse", folder / "landing", conf, Keys(bytes(32)), spark)
        out = folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        started = time.perf_counter()
        passes = Passes(shell, frame, layout, program).holding(size)
        outcome = allocate(passes, terms, size)
        solved = time.perf_counter()
        passes.settle(outcome.chooser, outcome.layout, outcome.placed).write.parquet(str(out))
        settled = time.perf_counter()
        sums = _counted(spark.read.parquet(str(out)), frame, layout)
        return {
            "rows": len(program.rows),
            "people": size,
            "seconds": settled - started,
            "solving": solved - started,
            "is_held": size <= HELD,
            "gap": outcome.gap,
            "violation": violation(program, activity(program, sums)),
            "listed": int(sums["places"].sum()),
            "passes": outcome.passes,
            "notes": list(outcome.notes),
        }
    finally:
        spark.stop()


def _counted(settled: Any, frame: Any, layout: Layout) -> dict[str, Any]:
    """Exact sums of what was settled, from the two files alone."""
    both = settled.join(frame, "prospect_key")
    found = {"places": np.zeros(len(CHANNELS), dtype=np.int64)}
    cells = []
    for k, channel in enumerate(CHANNELS):
        mine = F.col("channel") == channel
        cells.append(F.count_if(mine).alias(f"places_{k}"))
        cells += [F.sum(F.when(mine, F.col(layout.column(q, k)))).alias(layout.column(q, k)) for q in layout.quantities]
    told = both.agg(*cells).collect()[0]
    for name in ("places", *layout.quantities):
        found[name] = np.array([told[f"{name}_{k}"] or 0 for k in range(len(CHANNELS))], dtype=np.int64)
    return found
