"""What the chain costs a person as the market grows; ratios taken in one run."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "storms"))
import chain

from jobs.market.conf import read_market_conf
from jobs.market.history import new_market
from jobs.registry import jobs
from jobs.runtime.keys import load_keys
from jobs.runtime.runner import plan, run
from jobs.runtime.session import spark_session
from jobs.runtime.shell import Shell

DAY = date(2026, 5, 31)


def measure(folder: Path, sizes: list[int]) -> list[dict[str, float | int | str]]:
    """Seconds of each stage at each size, in one session, the smallest size once before as a warm-up."""
    from jobs.runtime.conf import load_conf

    conf = load_conf(chain.ROOT / "conf")
    spark = spark_session(conf.base.spark, folder / "scratch")
    found: list[dict[str, float | int | str]] = []
    for turn, people in enumerate([sizes[0], *sizes]):
        place = folder / str(people)
        shutil.rmtree(place / "warehouse", ignore_errors=True)
        market = read_market_conf(chain.ROOT / "conf" / "market.yaml", people=people)
        started = time.perf_counter()
        new_market(market, place / "landing", place / "truth", lambda line: None)
        seconds = {"market": time.perf_counter() - started}
        shell = Shell(place / "warehouse", place / "landing", conf, load_keys(place / "warehouse"), spark)
        for step in run(shell, plan([DAY])):
            seconds[step.job.stage] = seconds.get(step.job.stage, 0.0) + step.seconds
        if turn:
            found += [{"people": people, "stage": stage, "seconds": round(took, 2)} for stage, took in seconds.items()]
    spark.stop()
    return found


def add(options: argparse.ArgumentParser) -> None:
    """The options of `growth`."""
    options.add_argument("--sizes", default="10000,30000,100000", help="people, smallest first")


def run_growth(asked: argparse.Namespace) -> list[dict[str, float | int | str]]:
    """Measure as asked."""
    return measure(asked.folder.resolve() / "growth", [int(size) for size in asked.sizes.split(",")])


def show(found: list[dict[str, float | int | str]]) -> None:
    """Print seconds by stage and size, and the cost a person against the smallest size."""
    sizes = list(dict.fromkeys(int(row["people"]) for row in found))
    stages = ["market", *dict.fromkeys(job.stage for job in jobs().values())]
    took = {(row["stage"], row["people"]): float(row["seconds"]) for row in found}
    print("stage      " + "".join(f"{size:>18,}" for size in sizes) + "   (seconds, cost a person against the first)")
    for stage in stages:
        each = [took.get((stage, size), 0.0) for size in sizes]
        ratio = [(one / size) / (each[0] / sizes[0]) if each[0] else 0.0 for one, size in zip(each, sizes, strict=True)]
        print(f"{stage:<11}" + "".join(f"{one:>11.1f} ×{part:<5.2f}" for one, part in zip(each, ratio, strict=True)))
