"""What choosing the funding institution of each person is worth: the same models plan with the choice, and without."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from ablations import judged, means
from arms import NOTHING

from jobs.evaluate.judge import Caps
from jobs.evaluate.lent import partner_truth
from jobs.evaluate.planning import Planning
from jobs.evaluate.product import Product, referee_conf
from jobs.evaluate.truth import read_stakes
from jobs.evaluate.world import Opened, Say, family_world, plan_day, reachable
from jobs.runtime import runner
from jobs.runtime.shell import Shell, code_print

ROOT = Path(__file__).resolve().parents[2]
CHOICE = "without partner choice"
Row = dict[str, Any]


def add(options: argparse.ArgumentParser) -> None:
    """The options of `partners`."""
    options.add_argument("--families", default="log_linear,scarce", help="of markets")
    options.add_argument("--seeds", default="71", help="of worlds")
    options.add_argument("--prospects", type=int, default=20_000)
    options.add_argument("--volumes", default="0.1,0.2,0.3", help="shares of the volume that can be reached")
    options.add_argument("--max-late", type=float, default=0.04, help="most that may be late, a share")


def run_partners(asked: argparse.Namespace) -> list[Row]:
    """Rows as of `ablations`: nothing left out, then the choice of partners, who are then as they would have been."""
    started, rows = time.monotonic(), list[Row]()

    def say(line: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {line}", file=sys.stderr, flush=True)

    volumes, caps = [float(part) for part in asked.volumes.split(",")], Caps(asked.max_late)
    for seed in asked.seeds.split(","):
        for family in asked.families.split(","):
            place = asked.folder.resolve() / "partners" / f"{family}-{asked.prospects}-{seed}"
            say(f"world {place.name}")
            told = world_rows(place, family, int(seed), asked.prospects, volumes, caps, say)
            rows += [{"family": family, "seed": int(seed), **row} for row in told]
    return rows + means(rows)


def world_rows(
    place: Path,
    family: str,
    seed: int,
    people: int,
    volumes: list[float],
    caps: Caps,
    say: Say,
    opened: Opened = runner.opened,
) -> list[Row]:
    """Both arms' rows on a world by volume; what an equal earlier call found is given back."""
    kept, asked = place / "rows.json", {"volumes": volumes, "caps": caps.told(), "code": code_print()}
    if kept.is_file():
        found = json.loads(kept.read_text(encoding="utf-8"))
        if found["asked"] == asked:
            return list(found["rows"])
    landing, truth = family_world(ROOT / "conf", place, family, seed, people, say)
    stakes, prospects, channels = read_stakes(truth)
    lenders, day = partner_truth(truth), plan_day(landing, truth)
    if lenders is None:
        raise SystemExit(f"the partners of {family} are alike: there is nothing to choose")
    capacity = dict(zip(channels, (int(c) for c in stakes.capacity), strict=True))
    goals, rows = {share: share * reachable(stakes, truth) for share in volumes}, list[Row]()
    choosing = referee_conf(landing, place, capacity, lenders.quota)
    with opened(place / "warehouse", landing, choosing) as shell:
        Product(shell, choosing, day, say).train()
        for arm, truly in ((NOTHING, lenders), (CHOICE, None)):
            conf = referee_conf(landing, place, capacity, truly.quota if truly else None)
            own = Shell(shell.store.root, shell.landing.root, conf, shell.keys, shell.spark)
            ask = Planning(Product(own, conf, day, say), stakes, prospects, channels, caps, say, truly)
            told = judged(goals, ask, caps)
            rows += [{"arm": arm, "max_late": f"{caps.late:.2%}", **row} for row in told]
    kept.write_text(json.dumps({"asked": asked, "rows": rows}, indent=1), encoding="utf-8")
    return rows
