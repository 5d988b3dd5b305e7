"""What ingredients of the stage models are worth: plans learned without or with them on the same worlds; resumable."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ablation_world import World, asking, world_of
from arms import ARMS, NOTHING, learned
from scipy import stats

from jobs.evaluate.judge import Caps
from jobs.evaluate.promises import promised
from jobs.evaluate.volumes import Plan, at_volume
from jobs.evaluate.world import Say
from jobs.runtime.shell import code_print

BOOK = "book"
NEARLY = 1.02  # of a cap: a plan cut off at a volume, whole people, may lie this far above it
LEFT_OUT = "without hazard,without p_organic,without calibration,without exploration"
USUAL = f"{LEFT_OUT},with history,with answers,with LightFM"
BOTH = "(all)"
Row = dict[str, Any]


def add(options: argparse.ArgumentParser) -> None:
    """The options of `ablations`."""
    options.add_argument("--families", default="log_linear,scarce", help="of markets")
    options.add_argument("--seeds", default="71,72", help="of worlds")
    options.add_argument("--prospects", type=int, default=50_000)
    options.add_argument("--volumes", default="0.1,0.2,0.3", help="shares of the volume that can be reached")
    options.add_argument("--arms", default=USUAL, help=f"what is changed, of: {', '.join(ARMS)}")
    options.add_argument(
        "--max-late", default=BOOK, help=f"caps on lateness, each played; {BOOK}: the lender's own rate"
    )


def run_ablations(asked: argparse.Namespace) -> list[Row]:
    """Rows of family, seed, arm, max_late, volume: true cost per good customer, late rate, promised over true good.

    Worlds are taken seed by seed, so that a run cut short has as many of each family. Rows of seed `mean` follow.
    """
    started, rows = time.monotonic(), list[Row]()

    def say(line: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {line}", file=sys.stderr, flush=True)

    volumes = [float(part) for part in asked.volumes.split(",")]
    for seed in asked.seeds.split(","):
        for family in asked.families.split(","):
            place = asked.folder.resolve() / "ablations" / f"{family}-{asked.prospects}-{seed}"
            say(f"world {place.name}")
            world = world_of(place, family, int(seed), asked.prospects, say)
            for arm in [NOTHING, *asked.arms.split(",")]:
                say(f"{place.name} {arm}")
                told = arm_rows(place, world, arm, volumes, asked.max_late.split(","), say)
                rows += [{"family": family, "seed": int(seed), "arm": arm, **row} for row in told]
    return rows + means(rows)


def arm_rows(place: Path, world: World, arm: str, volumes: list[float], lates: list[str], say: Say) -> list[Row]:
    """One arm's rows on a world, by cap and volume; what an equal earlier call found is given back."""
    asked = {"volumes": volumes, "max_late": lates, "book": asdict(world.caps), "code": code_print()}
    kept = place / f"{'-'.join([*arm.split(), *lates])}.json"
    if kept.is_file():
        found = json.loads(kept.read_text(encoding="utf-8"))
        if found["asked"] == asked:
            return list(found["rows"])
    fitted, rows = learned(arm, world.rows, world.conf), list[Row]()
    for late in lates:
        caps = world.caps if late == BOOK else Caps(float(late))
        goals = {volume: volume * world.reachable for volume in volumes}
        rows += [{"max_late": late, **row} for row in judged(goals, asking(world, fitted, caps, say), caps)]
    kept.write_text(json.dumps({"asked": asked, "rows": rows}, indent=1), encoding="utf-8")
    return rows


def judged(goals: dict[float, float], ask: Callable[[float], Plan], caps: Caps) -> list[Row]:
    """By volume, the cost and lateness of the mixture of two plans that meets its goal truly; promises of the nearer.

    A plan that itself says it breaks the cap is none: the volume is out of reach.
    """
    plans, rows = list[Plan](), list[Row]()
    for volume, goal in goals.items():
        verdict, told = at_volume(goal, ask, plans), promised(plans, goal)
        if caps.late is not None and (told["late_rate"]["promised"] or 0.0) > NEARLY * caps.late:
            verdict = None
        good, late = told["good"], told["late_rate"]
        row: Row = {"volume": volume, "promised_over_true": good["promised"] / good["true"] if good["true"] else None}
        row["promised_late_rate"] = late["promised"]
        for name in ("cost_per_good", "late_rate", "fraud_loss_rate"):
            row[name] = float(getattr(verdict, name)) if verdict else None
        rows.append(row)
    return rows


def means(rows: list[Row]) -> list[Row]:
    """By family, and over both, each arm beside the whole product in the same worlds; ratios are geometric means.

    `ratio`: cost so changed over cost as it is, `lo` and `hi` its 95 % interval (Student's t over worlds, of the log
    ratio); None of fewer than two worlds. `short`: worlds in which the volume was out of reach for either; they do not
    count.
    """
    told = pd.DataFrame(rows)
    whole = told[told["arm"] == NOTHING].drop(columns="arm")
    same = ["family", "seed", "max_late", "volume"]
    pairs = told[told["arm"] != NOTHING].merge(whole, on=same, suffixes=("", "_whole"))
    pairs = pd.concat([pairs, pairs.assign(family=BOTH)] if pairs["family"].nunique() > 1 else [pairs])
    found = []
    for key, mine in pairs.groupby(["family", "arm", "max_late", "volume"], sort=False):
        both = mine.dropna(subset=["cost_per_good", "cost_per_good_whole"])
        log_ratio = np.log(both["cost_per_good"].to_numpy(float) / both["cost_per_good_whole"].to_numpy(float))
        row: Row = dict(zip(("family", "arm", "max_late", "volume"), key, strict=True))
        row |= {"seed": "mean", "worlds": len(both)}
        row |= {"short": len(mine) - len(both), **_interval(log_ratio)}
        for side in ("", "_whole"):
            ratio = np.log(both[f"promised_over_true{side}"].to_numpy(float))
            row[f"promised_over_true{side}"] = float(np.exp(ratio.mean())) if len(both) else None
            row[f"late_rate{side}"] = float(both[f"late_rate{side}"].mean()) if len(both) else None
        found.append(row)
    return found


def _interval(log_ratio: Any) -> Row:
    count = len(log_ratio)
    if count < 2:
        return {"ratio": float(np.exp(log_ratio[0])) if count else None, "lo": None, "hi": None}
    middle, half = log_ratio.mean(), stats.t.ppf(0.975, count - 1) * log_ratio.std(ddof=1) / count**0.5
    return dict(zip(("ratio", "lo", "hi"), np.exp([middle, middle - half, middle + half]).tolist(), strict=True))


def show(found: list[Row]) -> None:
    """Print a line an arm, family, cap and volume."""
    print("true cost per incremental good customer so changed over as it is, the same worlds, 95 % intervals")
    print(f"{'':<85}{'promised / true':>16}{'late, %':>16}")
    columns = f"{'family':<12}{'arm':<28}{'late at most':>12}{'volume':>7}{'worlds':>7}{'cost':>6}{'':<15}"
    print(columns.ljust(87) + f"{'changed':>8}{'as is':>6}" * 2)
    told = [row for row in found if row["seed"] == "mean"]
    for row in sorted(told, key=lambda one: (one["family"], one["arm"], one["max_late"])):
        between = "" if row["lo"] is None else f"[{row['lo']:.3f}, {row['hi']:.3f}]"
        line = f"{row['family']:<12}{row['arm']:<28}{row['max_late']:>12}{row['volume']:>7.0%}{row['worlds']:>7}"
        line += f"{_text(row['ratio'], 3):>6} {between:<14}"
        for name, times in (("promised_over_true", 1.0), ("late_rate", 100.0)):
            line += f"{_text(row[name], 2, times):>8}{_text(row[f'{name}_whole'], 2, times):>6}"
        print(line + (f"  out of reach in {row['short']}" if row["short"] else ""))


def _text(value: float | None, digits: int, times: float = 1.0) -> str:
    return "-" if value is None else f"{times * value:.{digits}f}"
