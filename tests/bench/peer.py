"""The analyst's script at growing sizes: cost, forecast error, lateness, seconds, peak memory; resumable by size."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from jobs.market.conf import read_market_conf
from jobs.market.history import new_market
from jobs.market.referee import referee

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("analyst.py")
GOOD_PER_PERSON = 0.0005  # good customers wanted, of all people
Row = dict[str, Any]


def add(options: argparse.ArgumentParser) -> None:
    """The options of `peer`."""
    options.add_argument("--sizes", default="100000,500000,1000000", help="people, smallest first")


def run_peer(asked: argparse.Namespace) -> list[Row]:
    """A row a size; a size measured before is read back."""
    folder = asked.folder.resolve() / "peer"
    return [_measured(folder / size, int(size)) for size in asked.sizes.split(",")]


def show(found: list[Row]) -> None:
    """Print the table."""
    for row in found:
        print("  ".join(f"{name} {value:,.4g}" for name, value in row.items()))


def _measured(place: Path, people: int) -> Row:
    import pandas as pd

    kept = place / "row.json"
    if kept.is_file():
        return dict(json.loads(kept.read_text(encoding="utf-8")))
    market = read_market_conf(ROOT / "conf" / "market.yaml", people=people)
    new_market(market, place / "landing", place / "truth", lambda line: None)
    out, capacity = place / "list.parquet", place / "truth" / "channels.json"
    line = [sys.executable, str(SCRIPT), str(place / "landing"), str(capacity)]
    line += ["--good", str(GOOD_PER_PERSON * people), "--out", str(out)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)  # ru_maxrss of this child alone
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{SCRIPT.name} failed at {people} people")
    promised, true = json.loads(said), referee(place / "truth", pd.read_parquet(out))["overall"]
    row = {
        "people": people,
        "cost_per_good": true["spend"] / true["good"],
        "good_promised_by_true": promised["expected_good"] / true["good"],
        "spend_promised_by_true": promised["expected_spend"] / true["spend"],
        "late_rate": true["late_rate"],
        "seconds": promised["seconds"],
        "peak_gib": used.ru_maxrss / 2**20,
    }
    kept.write_text(json.dumps(row), encoding="utf-8")
    return row
