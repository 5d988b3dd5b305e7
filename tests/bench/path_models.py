"""Attribution of growing files of paths: first, last, linear, position and a chain, beside the PyPI package `mta`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jobs.measure.attribution.credits import attribute
from jobs.measure.attribution.path_file import read_path_file

CHANNELS, MOST_TOUCHES, LIMIT = 12, 9, 300.0
# What both of them have; ours goes on with what the package has not, or not of these files.
MODELS = ("first", "last", "linear", "position", "markov")
MORE = (("linear_unique", 1), ("last_non_direct", 1), ("shapley_model", 1), ("markov", 2), ("markov", 3))
THEIRS = """
import json, sys, time
from mta import MTA
started = time.perf_counter()
model = MTA(sys.argv[1], allow_loops=True, add_timepoints=False)
model.first_touch().last_touch().linear(share="proportional").position_based().markov()
told = {name: dict(part) for name, part in model.attribution.items()}
print(json.dumps({"seconds": time.perf_counter() - started, "told": told}))
"""
Row = dict[str, Any]


def add(options: argparse.ArgumentParser) -> None:
    """The options of `paths`."""
    options.add_argument("--sizes", default="10000,100000,1000000,3000000", help="rows of the file, smallest first")
    options.add_argument("--limit", type=float, default=LIMIT, help="seconds given to the package")


def run_paths(asked: argparse.Namespace) -> list[Row]:
    """A row a size: seconds of both with the models both have, and of ours with five more."""
    folder = asked.folder.resolve() / "paths"
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for size in (int(one) for one in asked.sizes.split(",")):
        file = folder / f"{size}.csv"
        if not file.exists():
            _write(file, size)
        started = time.perf_counter()
        paths = read_path_file(file)
        ours = {name: attribute(paths, name) for name in MODELS}
        took = time.perf_counter() - started
        for name, order in MORE:
            attribute(paths, name, order)
        whole = time.perf_counter() - started
        theirs = _theirs(file, asked.limit)
        print(f"{size:,} paths: done", file=sys.stderr)
        row = {"paths": size, "touches": len(paths.codes), "seconds": took, "seconds_of_ten": whole}
        found.append(
            row | {"mta_seconds": theirs and theirs["seconds"], "furthest": theirs and _furthest(ours, theirs)}
        )
    return found


def _write(file: Path, size: int) -> None:
    """Paths at random, no two alike for long, as `huoke attribute` reads them."""
    rng = np.random.default_rng(size)
    lengths = rng.integers(1, MOST_TOUCHES + 1, size)
    names = np.array([f"channel{i:02d}" for i in range(CHANNELS)])
    touched = names[rng.integers(0, CHANNELS, lengths.sum())]
    ends = np.cumsum(lengths)
    told = [" > ".join(touched[end - length : end]) for end, length in zip(ends, lengths, strict=True)]
    won = rng.poisson(0.3, size)
    table = {"path": told, "total_conversions": won, "total_conversion_value": won * 100, "total_null": 1}
    pd.DataFrame(table).to_csv(file, index=False)


def _theirs(file: Path, limit: float) -> Row | None:
    """Seconds and shares of the package, in a process of its own; None when it did not end in time."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", THEIRS, str(file)], capture_output=True, text=True, timeout=limit, check=True
        )
    except subprocess.TimeoutExpired:
        return None
    told: Row = json.loads(done.stdout.splitlines()[-1])
    return told


def _furthest(ours: dict[str, Any], theirs: Row) -> float:
    """The largest difference of a channel's share by the rules; the package's chain sums seen paths alone."""
    named = {"first": "first_touch", "last": "last_touch", "linear": "linear", "position": "pos_based"}
    gaps = []
    for name, other in named.items():
        credits = {one.channel: one.conversions for one in ours[name].credits}
        told, whole = theirs["told"][other], sum(credits.values())
        gaps += [abs(told[channel] / sum(told.values()) - credit / whole) for channel, credit in credits.items()]
    return max(gaps)


def show(found: list[Row]) -> None:
    """Print the table."""
    print(f"{'paths':>10} {'touches':>11} {'seconds':>9} {'mta':>18} {'ratio':>8} {'shares apart':>13} {'all ten':>9}")
    for row in found:
        ended = row["mta_seconds"] is not None
        told = f"{row['mta_seconds']:.1f}" if ended else "did not end"
        ratio = f"x{row['mta_seconds'] / row['seconds']:.0f}" if ended else "-"
        apart = f"{row['furthest']:.1e}" if ended else "-"
        print(
            f"{row['paths']:10,} {row['touches']:11,} {row['seconds']:9.1f} {told:>18} {ratio:>8} {apart:>13} "
            f"{row['seconds_of_ten']:9.1f}"
        )
