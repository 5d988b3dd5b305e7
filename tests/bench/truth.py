"""Attributed and incremental cost per customer, as the jobs measure them, beside the truth of whole markets."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "storms"))
import chain
import pandas as pd
from scipy.stats import binom

from jobs.ingest import INGEST
from jobs.market.conf import read_market_conf
from jobs.market.history import new_market
from jobs.market.play import play
from jobs.registry import jobs
from jobs.runtime.conf import load_conf
from jobs.runtime.keys import load_keys
from jobs.runtime.session import spark_session
from jobs.runtime.shell import Shell
from jobs.tables.measure.costs import CAMPAIGN_COSTS
from jobs.tables.measure.experiments import CHANNEL_LIFT

Row = dict[str, Any]
# What measuring needs of the chain; nobody is planned for.
MEASURED = (
    *("people", "linked_touches", "matured_outcomes", "assignment_outcomes", "spend_ledger", "loan_results"),
    *("daily_costs", "campaign_costs", "channel_lift"),
)
OUTCOMES = ("funded", "good")
ALL = "(all)"


def add(options: argparse.ArgumentParser) -> None:
    """The options of `truth`."""
    options.add_argument("--people", type=int, default=20_000)
    options.add_argument("--seeds", default=",".join(str(seed) for seed in range(301, 321)))


def run_truth(asked: argparse.Namespace) -> list[Row]:
    """Two rows a world (funded, good): true, attributed and incremental cost; a world measured is read back."""
    conf = load_conf(chain.ROOT / "conf")
    folder = asked.folder.resolve() / "truth"
    spark, found = None, []
    for seed in asked.seeds.split(","):
        kept = folder / f"{asked.people}-{seed}.json"
        if not kept.exists():
            spark = spark or spark_session(conf.base.spark, folder / "scratch")
            rows = _measured(folder / f"{asked.people}-{seed}", asked.people, int(seed), conf, spark)
            kept.write_text(json.dumps(rows), encoding="utf-8")
        found += json.loads(kept.read_text(encoding="utf-8"))
        print(f"seed {seed}: measured", file=sys.stderr)
    if spark is not None:
        spark.stop()
    return found


def _measured(place: Path, people: int, seed: int, conf: Any, spark: Any) -> list[Row]:
    shutil.rmtree(place, ignore_errors=True)
    market = read_market_conf(chain.ROOT / "conf" / "market.yaml", people=people, seed=seed)
    made = new_market(market, place / "landing", place / "truth", lambda line: None)
    # One person is sent to, so that life goes on until history's last loans are thirteen months old.
    someone = pd.read_parquet(place / "truth" / "people.parquet")["prospect_id"].iloc[0]
    sent = {
        "day": made.history_end,
        "audience": "aud-00000000",
        "channel": "own_sms",
        "prospect_id": someone,
        "role": "policy",
    }
    later = play(market, place / "landing", place / "truth", pd.DataFrame([sent]), lambda line: None)
    day = date.fromisoformat(later.landed_until)
    shell = Shell(place / "warehouse", place / "landing", conf, load_keys(place / "warehouse"), spark)
    for one in INGEST.values():
        shell.run_landing(one, day)
    for name in [name for name in jobs() if name in MEASURED]:
        shell.run(jobs()[name], day)
    lift, costs = (shell.read(table, "day", day).toPandas() for table in (CHANNEL_LIFT, CAMPAIGN_COSTS))
    truth = pd.read_parquet(place / "truth" / "history.parquet")
    shutil.rmtree(place)
    return [_row(seed, outcome, lift, costs, truth) for outcome in OUTCOMES]


def _row(seed: int, outcome: str, lift: pd.DataFrame, costs: pd.DataFrame, truth: pd.DataFrame) -> Row:
    arm = (lift["channel"] == ALL) & (lift["role"] == "exploration") & (lift["outcome"] == outcome)
    caused = lift[arm & (lift["period"] == "history")].iloc[0]
    told = costs[(costs["channel"] == ALL) & (costs["band"] == ALL) & (costs["period"] == "history")].iloc[0]
    drawn = truth[truth["role"] == "exploration"]
    true = {name: float(part["spend"].sum() / part[outcome].sum()) for name, part in (("all", truth), ("drawn", drawn))}
    keys = ("incremental_cost", "incremental_cost_lo", "incremental_cost_hi")
    of = {name: None if pd.isna(caused[name]) else float(caused[name]) for name in keys}
    # Where the cost is not identified the interval is open above, and may be empty below.
    low, high = of["incremental_cost_lo"], of["incremental_cost_hi"]
    holds = (low is None or low <= true["drawn"]) and (high is None or true["drawn"] <= high)
    return {
        "seed": seed,
        "outcome": outcome,
        "true": true["all"],
        "attributed": float(told[f"cost_per_{outcome}"]),
        "attributed_lo": float(told[f"cost_per_{outcome}_lo"]),
        "attributed_hi": float(told[f"cost_per_{outcome}_hi"]),
        "true_of_drawn": true["drawn"],
        **of,
        "holds_truth": bool(holds),
    }


def show(found: list[Row]) -> None:
    """Print the table and how many intervals hold the truth."""
    print(f"{'seed':>5} {'outcome':>8} {'true':>7} {'attributed':>24} {'true, drawn':>12} {'incremental':>28}")
    for row in found:
        told = f"{row['attributed']:,.0f} [{row['attributed_lo']:,.0f}, {row['attributed_hi']:,.0f}]"
        low, cost, high = (
            "-" if row[name] is None else f"{row[name]:,.0f}"
            for name in ("incremental_cost_lo", "incremental_cost", "incremental_cost_hi")
        )
        caused, drawn = f"{cost} [{low}, {high}]", row["true_of_drawn"]
        print(f"{row['seed']:5} {row['outcome']:>8} {row['true']:7,.0f} {told:>24} {drawn:12,.0f} {caused:>28}")
    for outcome in OUTCOMES:
        mine = [row for row in found if row["outcome"] == outcome]
        held = sum(row["holds_truth"] for row in mine)
        chance = binom.cdf(held, len(mine), 0.95)
        over = sum(row["attributed"] / row["true"] for row in mine) / len(mine)
        print(f"{outcome}: {held} of {len(mine)} intervals hold the truth (chance of as few {chance:.2f}); ", end="")
        print(f"attributed over true {over:.2f} on average")
