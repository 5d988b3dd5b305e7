"""A world refereed from end to end: its market made or given, the chain run on it, every rung judged; resumable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from jobs.evaluate.climb import Climb, Say, beside
from jobs.evaluate.judge import Caps, Stakes
from jobs.evaluate.ladder import PRODUCT, Candidates, Paid, candidates
from jobs.evaluate.lent import partner_truth
from jobs.evaluate.planning import Planning
from jobs.evaluate.product import Product, referee_conf
from jobs.evaluate.promises import promised
from jobs.evaluate.rows import rows_of
from jobs.evaluate.seen import read_seen
from jobs.evaluate.truth import read_stakes
from jobs.evaluate.volumes import Plan, at_volume
from jobs.market.conf import read_market_conf
from jobs.market.history import new_market
from jobs.market.ladder import SAMPLE, reachable_volume
from jobs.market.state import MARKER, played_conf
from jobs.model.person_features import served_features
from jobs.runtime import export, runner
from jobs.runtime.conf import Conf
from jobs.runtime.errors import UsageError
from jobs.runtime.shell import Shell, code_print
from jobs.runtime.starter import newest_day
from jobs.runtime.store import write_whole

Opened = Callable[[Path, Path, Conf], AbstractContextManager[Shell]]


def family_world(conf: Path, folder: Path, family: str, seed: int, people: int, say: Say) -> tuple[Path, Path]:
    """The landing and truth folders of one world of a family, made if they are not there."""
    path = None if family == "sample" else conf / "families" / f"{family}.yaml"
    market = read_market_conf(conf / "market.yaml", path, people=people, seed=seed)
    new_market(market, folder / "landing", folder / "truth", say)
    return folder / "landing", folder / "truth"


def referee(
    landing: Path,
    truth: Path,
    folder: Path,
    volumes: Sequence[float],
    rungs: Sequence[int],
    label: dict[str, Any],
    say: Say,
    opened: Opened = runner.opened,
    caps: Caps | None = None,
    partners: bool = False,
) -> list[dict[str, Any]]:
    """The ladder's rows for one world; what an equal earlier call found is given back.

    Without `caps`, lateness is capped at the rate of the lender's own mature loans. With `partners` the product chooses
    them, which no other rung does, and is judged by them.

    Raises UsageError where the landing folder holds no dated files.
    """
    asked = {
        "volumes": list(volumes),
        "rungs": list(rungs),
        **label,
        "caps": None if caps is None else asdict(caps),
        "partners": partners,
        "code": code_print(),
        "of": market_print(landing, truth),
    }
    kept = folder / "rows.json"
    if kept.is_file():
        found = json.loads(kept.read_text(encoding="utf-8"))
        if found["asked"] == asked:
            say("refereed before: nothing done")
            return list(found["rows"])
    folder.mkdir(parents=True, exist_ok=True)
    stakes, prospects, channels = read_stakes(truth)
    lenders = partner_truth(truth) if partners else None
    capacity = dict(zip(channels, (int(c) for c in stakes.capacity), strict=True))
    conf = referee_conf(landing, folder, capacity, lenders.quota if lenders else None)
    day = plan_day(landing, truth)
    with opened(folder / "warehouse", landing, conf) as shell:
        product = Product(shell, conf, day, say)
        product.train()
        seen = read_seen(folder / "warehouse", day, served_features(conf), channels)
        people = candidates(seen, product.prospect_ids(), prospects)
        goals = {share: share * reachable(stakes, truth) for share in volumes}
        caps = Caps(late=late_of_book(people)) if caps is None else caps
        say(f"{len(people.row):,} people may be taken; {caps.told()}")
        paid = _paid(folder / "warehouse", day, conf, channels, people)
        plans: list[Plan] = []
        ask = Planning(product, stakes, prospects, channels, caps, say, lenders)
        with beside(Climb(stakes, truth, people, paid, tuple(rungs), goals, caps), say) as climbing:
            asked_of = goals if PRODUCT in rungs else {}
            own = {(share, PRODUCT): at_volume(goal, ask, plans) for share, goal in asked_of.items()}
            climbed = climbing.result()
    told_of = {share: promised(plans, goal) for share, goal in goals.items()}
    rows = rows_of(climbed.verdicts | own, climbed.cut, label, caps, climbed.errors, told_of)
    told = [{"floor": p.floor, "truth": asdict(p.verdict), "forecast": asdict(p.forecast)} for p in plans]
    write_whole(kept, json.dumps({"asked": asked, "rows": rows, "plans": told, "caps": asdict(caps)}, indent=1))
    return rows


def market_print(landing: Path, truth: Path) -> str:
    """What tells a market from another of the same name: every file of its truth, and what landed when."""
    told = hashlib.sha256()
    for file in sorted(truth.rglob("*")):
        if file.is_file():
            with file.open("rb") as handle:
                told.update(f"{file.relative_to(truth)}\n".encode() + hashlib.file_digest(handle, "sha256").digest())
    for file in sorted(landing.rglob("*")):
        if file.is_file():
            told.update(f"{file.relative_to(landing)} {file.stat().st_size}\n".encode())
    return told.hexdigest()[:32]


def plan_day(landing: Path, truth: Path) -> date:
    """The day the plan is for: after history in a market of our own, else the newest landed day."""
    if (truth / MARKER).exists():
        return played_conf(truth).history_end + timedelta(days=1)
    newest = newest_day(landing)
    if newest is None:
        raise UsageError(f"{landing} holds no landed day; put files under TABLE/day=YYYY-MM-DD")
    return newest


def reachable(stakes: Stakes, truth: Path) -> float:
    """The most good customers any plan could win, one record a person, capacities kept."""
    person = pd.factorize(pd.read_parquet(truth / "people.parquet", columns=["person_id"])["person_id"])[0]
    first = np.unique(person, return_index=True)[1]
    who = first[:: max(1, len(first) // SAMPLE)]
    scale = len(who) / len(first)
    return reachable_volume(stakes.good[who], (stakes.capacity * scale).astype(np.int64)) / scale


def late_of_book(people: Candidates) -> float | None:
    """What a lender would cap lateness at: the rate of its own mature loans; None where there are few.

    Of younger loans the late are known before the others.
    """
    decided = people.seen.decided
    known = decided.loc[decided["is_mature"].eq(True), "is_late"].dropna()
    return float(known.eq(True).mean()) if len(known) >= 100 else None


def _paid(warehouse: Path, day: date, conf: Conf, channels: list[str], people: Candidates) -> Paid:
    """Average cost of a person sent, and of a click: what the scores expect, which adds up to what was spent."""
    found = export.find(warehouse, "scores", day)
    columns = ["channel", "expected_cost"]
    frame = pa.Table.from_batches(list(found.batches()), schema=found.schema).select(columns).to_pandas()
    a_person = frame.groupby("channel")["expected_cost"].mean().reindex(channels).fillna(np.inf).to_numpy()
    clicks = people.seen.sent.groupby("channel")["clicks"].mean().reindex(channels).fillna(0.0).to_numpy()
    bills = np.array([conf.channels[name].billing == "click" if name in conf.channels else False for name in channels])
    return Paid(a_person, np.where(bills & (clicks > 0), a_person / np.maximum(clicks, 1e-9), np.nan))
