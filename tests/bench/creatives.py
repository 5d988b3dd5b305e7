"""Which creative for whom, judged by the truth: LightFM beside its rivals and limits; resumable by world."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from creative_rivals import RIVALS
from creative_world import Shown, shown_world
from scipy import stats

from jobs.market.dice import Floats

CELLS = [(creatives, persons) for creatives in ("any", "known", "hidden") for persons in ("known", "hidden")]
LEAD = ("LightFM", "boosted")  # whose paired difference is told as well
Row = dict[str, Any]


def add(options: argparse.ArgumentParser) -> None:
    """The options of `creatives`."""
    options.add_argument("--families", default="log_linear,interacting", help="of markets, with their tastes")
    options.add_argument("--seeds", default="911,912", help="none that the model was tuned on (901, 902, 903)")
    options.add_argument("--people", type=int, default=40_000)


def run_creatives(asked: argparse.Namespace) -> list[Row]:
    """Rows of family, seed, rival, creatives, persons: `gain` in per cent and the half-width of its 95 % interval.

    `gain`: expected clicks more than a random running creative of the same channel, summed over people and channels.
    Of one world the interval is over people, its creatives given; with several seeds rows of seed `mean` follow, whose
    interval (Student) is over worlds.
    """
    folder, found = asked.folder.resolve() / "creatives", list[Row]()
    folder.mkdir(parents=True, exist_ok=True)
    for family in asked.families.split(","):
        rows = [row for seed in asked.seeds.split(",") for row in _world(folder, family, int(seed), asked.people)]
        found += rows + _over_seeds(rows)
    return found


def show(found: list[Row]) -> None:
    """Print a table a world, then one a family over its seeds."""
    print("expected clicks more than a random creative of the same channel, %, with 95 % intervals")
    cells = {(row["family"], row["seed"], row["rival"], row["creatives"], row["persons"]): row for row in found}
    for family, seed in dict.fromkeys((row["family"], row["seed"]) for row in found):
        print(f"\n{family} {seed:<8}" if seed != "mean" else f"\n{family}, mean of seeds, interval over worlds")
        print(" " * 22 + "".join(f"{creatives + ' creatives':^30}" for creatives, _ in CELLS[::2]))
        print(f"{'':<22}" + "".join(f"{persons + ' people':^15}" for _, persons in CELLS))
        for rival in dict.fromkeys(row["rival"] for row in found):
            told = [cells[(family, seed, rival, *cell)] for cell in CELLS]
            print(f"{rival:<22}" + "".join(f"{row['gain']:>7.1f} ±{row['half_width']:<6.1f}" for row in told))


def _world(folder: Path, family: str, seed: int, people: int) -> list[Row]:
    kept = folder / f"{family}-{seed}-{people}.json"
    if kept.is_file():
        return list(json.loads(kept.read_text(encoding="utf-8"))["rows"])
    started = time.perf_counter()
    shown = shown_world(family, seed, people)
    seconds = {"world": time.perf_counter() - started}
    scores = {}
    for name, rival in RIVALS.items():
        started = time.perf_counter()
        scores[name] = rival(shown)
        seconds[name] = time.perf_counter() - started
    rows = [
        {"family": family, "seed": seed, "rival": rival, "creatives": cell[0], "persons": cell[1]}
        | {"gain": gain, "half_width": half_width}
        for cell in CELLS
        for rival, gain, half_width in judged(shown, scores, *cell)
    ]
    told = {"rows": rows, "seconds": {name: round(took, 1) for name, took in seconds.items()}}
    kept.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return rows


def judged(shown: Shown, scores: dict[str, Floats], creatives: str, persons: str) -> Iterator[tuple[str, float, float]]:
    """Each rival's gain in one cell, and what the first of LEAD has more than the second, each with a half-width."""
    mine = shown.is_hidden_person == (persons == "hidden")
    among = shown.is_running & ((creatives == "any") | (shown.is_hidden_creative == (creatives == "hidden")))
    channel = shown.world.creatives.channel
    choices = [np.flatnonzero(among & (channel == one)) for one in np.unique(channel)]
    choices = [at for at in choices if len(at) > 1]
    random = sum(shown.clicks[np.ix_(mine, at)].mean(axis=1) for at in choices)
    got = {
        name: sum(_chosen(shown.clicks[np.ix_(mine, at)], score[np.ix_(mine, at)]) for at in choices)
        for name, score in scores.items()
    }
    for name, clicks in got.items():
        yield name, *_ratio(clicks - random, random)
    yield " less ".join(LEAD), *_ratio(got[LEAD[0]] - got[LEAD[1]], random)


def _chosen(clicks: Floats, score: Floats) -> Floats:
    """Clicks of each person's best by score; where several are, their mean."""
    is_best = score >= score.max(axis=1, keepdims=True)
    return np.asarray((clicks * is_best).sum(axis=1) / is_best.sum(axis=1))


def _ratio(more: Floats, random: Floats) -> tuple[float, float]:
    """Sum over sum in per cent, and 1.96 standard errors of it over people (linearised)."""
    ratio = more.sum() / random.sum()
    error = np.sqrt(len(more)) * (more - ratio * random).std(ddof=1) / random.sum()
    return float(100 * ratio), float(196 * error)


def _over_seeds(rows: list[Row]) -> list[Row]:
    told = pd.DataFrame(rows)
    count = told["seed"].nunique()
    if count < 2:
        return []
    keys = ["family", "rival", "creatives", "persons"]
    each = told.groupby(keys, sort=False)["gain"].agg(["mean", "std"]).reset_index()
    half = stats.t.ppf(0.975, count - 1) * each["std"] / count**0.5
    return each[keys].assign(seed="mean", gain=each["mean"], half_width=half).to_dict("records")
