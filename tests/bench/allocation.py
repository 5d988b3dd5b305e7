"""The plan of many people through the product's own road: seconds, certified gap and broken rows; resumable by size."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
from people import CHANNELS, MAX_GAP, people_of, terms_for
from pyspark.sql import functions as F

from jobs.activate.allocation.passes import HELD, Passes
from jobs.activate.allocation.people import Layout
from jobs.activate.allocation.program import Program
from jobs.activate.allocation.solve import allocate
from jobs.activate.allocation.sums import activity, violation
from jobs.runtime.conf import load_conf
from jobs.runtime.keys import Keys
from jobs.runtime.session import spark_session
from jobs.runtime.settings import SparkConf
from jobs.runtime.shell import Shell

ROOT = Path(__file__).resolve().parents[2]
Row = dict[str, Any]


def add(options: argparse.ArgumentParser) -> None:
    """The options of `allocation`."""
    options.add_argument("--sizes", default="100000,300000,1000000,3000000", help="people, smallest first")
    options.add_argument("--rows", type=int, choices=sorted(MAX_GAP), default=18, help="coupling rows; 168: partners'")
    options.add_argument("--seed", type=int, default=1)


def run_allocation(asked: argparse.Namespace) -> list[Row]:
    """A row a size: rows, people, seconds, gap, worst violation (counted anew in Spark from who was put where).

    `seconds`: from the narrow frame of people, on disk, to everybody's channel, on disk, Spark being up.
    """
    folder, found = asked.folder.resolve() / "allocation", list[Row]()
    folder.mkdir(parents=True, exist_ok=True)
    for size in [int(one) for one in asked.sizes.split(",")]:
        kept = folder / f"{size}-{asked.rows}-{asked.seed}.json"
        if not kept.is_file():
            kept.write_text(json.dumps(_measured(folder, size, asked.rows, asked.seed), indent=1), encoding="utf-8")
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


def _measured(folder: Path, size: int, rows: int, seed: int) -> Row:
    conf = load_conf(ROOT / "conf")
    spark = spark_session(SparkConf(), folder / "scratch")
    try:
        terms = terms_for(size, rows, seed)
        program = terms.program()
        layout = Layout(CHANNELS, program.quantities, has_kind=rows > 18)
        place = folder / f"people-{size}-{rows}-{seed}"
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
        sums = _counted(spark.read.parquet(str(out)), frame, layout, program)
        return {
            "rows": len(program.rows),
            "people": size,
            "seconds": settled - started,
            "solving": solved - started,
            "is_held": size <= HELD,
            "gap": outcome.gap,
            "violation": violation(program, activity(program, sums)),
            "listed": int(sums["places"].sum()),
            "binding": sorted(name for name, price in outcome.prices.items() if price > 0.0),
            "passes": outcome.passes,
            "notes": list(outcome.notes),
        }
    finally:
        spark.stop()


def _counted(settled: Any, frame: Any, layout: Layout, program: Program) -> dict[str, Any]:
    """Exact sums by arm of what was settled, from the two files and the pass rates alone."""
    partners = program.partners
    names = ("(all alike)",) if partners is None else partners.names
    both = settled.join(frame, "prospect_key")
    if partners is None:
        both = both.withColumn("partner", F.lit(names[0])).withColumn("rate", F.lit(1))
    else:
        pairs = [(c, n, int(r)) for c, row in enumerate(partners.rates) for n, r in zip(names, row, strict=True)]
        rates = settled.sparkSession.createDataFrame(pairs, "kind int, partner string, rate bigint")
        both = both.join(F.broadcast(rates), ["kind", "partner"])
    cells = [F.count("*").alias("places")]
    for name in layout.quantities:
        amount = F.lit(0)
        for k, channel in enumerate(CHANNELS):
            amount = F.when(F.col("channel") == channel, F.col(layout.column(name, k))).otherwise(amount)
        cells.append(F.sum(amount if name == "cost" else amount * F.col("rate")).alias(name))
    found = {one: np.zeros((len(CHANNELS), len(names)), dtype=np.int64) for one in ("places", *layout.quantities)}
    for row in both.groupBy("channel", "partner").agg(*cells).collect():
        for one, sums in found.items():
            sums[CHANNELS.index(row["channel"]), names.index(row["partner"])] = row[one]
    return {one: sums.ravel() for one, sums in found.items()}
