"""All rules and Markov chains of one to three touches over growing numbers of touches, in one pass each; one run."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "storms"))
import chain
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.measure.channel_credits import channel_credits
from jobs.runtime.conf import load_conf
from jobs.runtime.frames import resolved, schema
from jobs.runtime.keys import load_keys
from jobs.runtime.session import spark_session
from jobs.runtime.shell import Shell
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES

CHANNELS, CAMPAIGNS, DAYS = 12, 40, 180
TOUCHES_A_PERSON, TOUCHES_A_CONVERSION = 8, 10
SECONDS = DAYS * 86_400
Row = dict[str, Any]


def add(options: argparse.ArgumentParser) -> None:
    """The options of `attribution`."""
    options.add_argument("--sizes", default="1000000,3000000,10000000", help="touches, smallest first")


def run_attribution(asked: argparse.Namespace) -> list[Row]:
    """A row a size: seconds, touches a second, seconds a touch, and its rise against the size before."""
    conf = load_conf(chain.ROOT / "conf")
    folder = asked.folder.resolve() / "attribution"
    spark = spark_session(conf.base.spark, folder / "scratch")
    found: list[Row] = []
    sizes = [int(size) for size in asked.sizes.split(",")]
    for turn, size in enumerate([sizes[0], *sizes]):  # the smallest once before, as a warm-up
        place = folder / str(size)
        if not (place / "outcomes" / "_SUCCESS").exists():
            _make(spark, size, place)
        shutil.rmtree(place / "warehouse", ignore_errors=True)
        shell = Shell(place / "warehouse", place, conf, load_keys(place / "warehouse"), spark)
        started = time.perf_counter()
        touches, outcomes = (spark.read.parquet(str(place / name)) for name in ("touches", "outcomes"))
        credits, effects = channel_credits(touches, outcomes, conf=conf, shell=shell)
        cells = shell.cut(credits).count()
        took = time.perf_counter() - started
        if turn:
            found.append({"touches": size, "seconds": took, "cells": cells, "effects": len(effects)})
    spark.stop()
    for before, row in zip([None, *found[:-1]], found, strict=True):
        row["touches_a_second"] = row["touches"] / row["seconds"]
        if before is not None:
            row["seconds_a_touch_against_before"] = before["touches_a_second"] / row["touches_a_second"] - 1
    return found


def show(found: list[Row]) -> None:
    """Print the table."""
    print(f"{'touches':>12} {'seconds':>9} {'touches / s':>12} {'against before':>16} {'cells':>10}")
    for row in found:
        rise = row.get("seconds_a_touch_against_before")
        told = "-" if rise is None else f"{rise:+.0%}"
        print(
            f"{row['touches']:12,} {row['seconds']:9.1f} {row['touches_a_second']:12,.0f} {told:>16} {row['cells']:10,}"
        )


def _make(spark: SparkSession, size: int, place: Path) -> None:
    """Touches and applications of as many people as that takes, spread over half a year."""
    conf = load_conf(chain.ROOT / "conf")
    dice = [F.xxhash64(F.col("id"), F.lit(salt)) for salt in range(6)]
    people = max(1, size // TOUCHES_A_PERSON)
    start = F.lit("2025-01-01").cast("timestamp")
    moment = F.timestamp_seconds(F.unix_seconds(start) + F.pmod(dice[1], F.lit(SECONDS)))
    person = F.concat(F.lit("p"), F.pmod(dice[0], F.lit(people)))
    rows = spark.range(size)
    touches = rows.select(
        F.concat(F.lit("t"), "id").alias("touch_id"),
        person.alias("person_key"),
        moment.alias("occurred_at"),
        F.concat(F.lit("channel"), F.pmod(dice[2], F.lit(CHANNELS))).alias("channel"),
        F.concat(F.lit("campaign"), F.pmod(dice[3], F.lit(CAMPAIGNS))).alias("campaign"),
        F.lit("click").alias("kind"),
    )
    is_funded = F.pmod(dice[4], F.lit(4)) == 0
    outcomes = spark.range(size // TOUCHES_A_CONVERSION).select(
        F.concat(F.lit("a"), "id").alias("application_id"),
        person.alias("person_key"),
        moment.alias("applied_at"),
        (F.pmod(dice[4], F.lit(2)) == 0).alias("is_approved"),
        is_funded.alias("is_funded"),
        (is_funded & (F.pmod(dice[5], F.lit(10)) > 0)).alias("is_good"),
        F.when(is_funded, F.lit(1_000_000).cast("bigint")).alias("principal_minor"),
    )
    for name, frame, table in (("touches", touches, LINKED_TOUCHES), ("outcomes", outcomes, MATURED_OUTCOMES)):
        wanted = schema(resolved(table, conf), with_day=False)
        whole = frame.select(
            *[
                (F.col(f.name) if f.name in frame.columns else F.lit(None)).cast(f.dataType).alias(f.name)
                for f in wanted.fields
            ]
        )
        whole.write.mode("overwrite").parquet(str(place / name))
