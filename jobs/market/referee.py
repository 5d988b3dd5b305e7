"""The referee: what any audience truly costs and wins, in expectation, beside random and best channel first."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.market.dice import Floats, Ints
from jobs.market.ladder import (
    SAMPLE,
    best_channel_cost,
    cheapest_first_cost,
    impact_of,
    random_cost,
    random_rank,
    reachable_volume,
)
from jobs.market.state import MARKER, played_conf
from jobs.runtime.errors import DataRefused
from segments.impact import Impact

Cell = dict[str, float | int | None]


@dataclass(frozen=True)
class Truth:
    """A market's truth in memory: prospects in file order, people x channels matrices."""

    prospects: pd.Index[str]
    channels: list[str]
    capacity: Ints
    person: Ints
    late: Floats
    is_fraud: np.ndarray[tuple[int], np.dtype[np.bool_]]
    cost: Floats
    funded: Floats
    reach: Floats
    impact: Impact


def read_truth(truth: Path) -> Truth:
    """Read people.parquet, arms.parquet and channels.json of any market."""
    people = pq.read_table(truth / "people.parquet").to_pandas()
    arms = pq.read_table(truth / "arms.parquet").to_pandas()
    capacity = json.loads((truth / "channels.json").read_text(encoding="utf-8"))
    channels = list(capacity)
    prospects = pd.Index(people["prospect_id"])
    row = prospects.get_indexer(pd.Index(arms["prospect_id"]))
    column = pd.Index(channels).get_indexer(pd.Index(arms["channel"]))
    if (row < 0).any() or (column < 0).any():
        lost = int(((row < 0) | (column < 0)).sum())
        raise DataRefused(f"{truth}/arms.parquet: {lost} rows name a prospect or channel the other files lack")
    matrices = {name: np.zeros((len(prospects), len(channels))) for name in ("expected_cost", "inc_funded", "reach")}
    for name, matrix in matrices.items():
        matrix[row, column] = arms[name].to_numpy()
    return Truth(
        prospects=prospects,
        channels=channels,
        capacity=np.array([int(capacity[name]) for name in channels]),
        person=pd.factorize(people["person_id"])[0].astype(np.int64),
        late=people["p_late"].to_numpy(),
        is_fraud=people["is_fraud_ring"].to_numpy(),
        cost=matrices["expected_cost"],
        funded=matrices["inc_funded"],
        reach=matrices["reach"],
        impact=_impact(truth, channels),
    )


def _impact(truth: Path, channels: list[str]) -> Impact:
    """The price impact of one of our own markets; none for a market that does not tell."""
    if (truth / MARKER).exists():
        conf = played_conf(truth)
        return impact_of(conf, conf.people)
    return Impact((0.0,) * len(channels), (1.0,) * len(channels))


def referee(truth: Path, audiences: pa.Table | pd.DataFrame) -> dict[str, Any]:
    """True expectations of an audience: columns prospect_id, channel, and band where there is one.

    Gives `overall`, `by_channel`, `by_channel_band` (spend in base currency, incremental customers, cost per
    incremental good customer, late rate, fraud share), the people counted, and `same_volume`: what random, best
    channel first and the oracle pay per good customer at the audience's own volume. Rows on channel `none` count
    for nothing. Raises DataRefused for prospects or channels the truth does not know.
    """
    known = read_truth(truth)
    frame = audiences.to_pandas() if isinstance(audiences, pa.Table) else audiences
    frame = frame[frame["channel"] != "none"]
    row = known.prospects.get_indexer(pd.Index(frame["prospect_id"]))
    column = pd.Index(known.channels).get_indexer(pd.Index(frame["channel"]))
    if (row < 0).any() or (column < 0).any():
        raise DataRefused(
            f"audience: {int((row < 0).sum())} rows name an unknown prospect_id and {int((column < 0).sum())} an "
            f"unknown channel; map prospect_key back with `huoke keys` and use the market's channels {known.channels}"
        )
    rows = pd.DataFrame(
        {
            "channel": frame["channel"].to_numpy(),
            "band": frame["band"].to_numpy() if "band" in frame else None,
            "spend": known.impact.rated(known.cost[row, column], column),
            "funded": known.funded[row, column],
            "good": known.funded[row, column] * (1.0 - known.late[row]),
            "fraud": known.funded[row, column] * known.is_fraud[row],
            "reached": known.reach[row, column],
        }
    )
    overall = _cell(rows)
    return {
        "overall": overall,
        "by_channel": {str(name): _cell(part) for name, part in rows.groupby("channel", sort=True)},
        "by_channel_band": [
            {"channel": channel, "band": band, **_cell(part)}
            for (channel, band), part in rows.groupby(["channel", "band"], sort=True)
        ],
        "persons": len(np.unique(known.person[row])),
        "over_capacity": _over_capacity(known, column),
        "same_volume": same_volume(known, float(overall["good"] or 0.0)),
    }


def referee_history(truth: Path) -> dict[str, Any]:
    """True expectations of the incumbent's waves, as they stood when each was sent; costs in base currency."""
    rows = pq.read_table(truth / "history.parquet").to_pandas()
    return {
        "overall": _totals(rows),
        "by_channel": {str(name): _totals(part) for name, part in rows.groupby("channel", sort=True)},
        "by_role": {str(name): _totals(part) for name, part in rows.groupby("role", sort=True)},
    }


def same_volume(known: Truth, good: float) -> dict[str, float | None]:
    """Cost per good customer of the yardsticks at a volume, and the reachable volume; null where out of reach."""
    first = np.unique(known.person, return_index=True)[1]
    who = first[:: max(1, len(first) // SAMPLE)]
    scale = len(who) / len(first)
    cost, win = known.cost[who], known.funded[who] * (1.0 - known.late[who])[:, None]
    capacity = (known.capacity * scale).astype(np.int64)
    goal, rank = good * scale, random_rank(len(who))
    impact = replace(known.impact, usual=tuple(np.asarray(known.impact.usual) * scale))
    reachable = reachable_volume(win, capacity)
    if not 0 < goal <= reachable:
        return {"reachable": reachable / scale, "random": None, "best_channel": None, "oracle": None}
    return {
        "reachable": reachable / scale,
        "share_of_reachable": goal / reachable,
        "random": random_cost(cost, win, capacity, goal, rank, impact),
        "best_channel": best_channel_cost(cost, win, capacity, goal, rank, impact),
        "oracle": cheapest_first_cost(cost, win, capacity, goal, impact),
    }


def _over_capacity(known: Truth, column: Ints) -> dict[str, int]:
    """By how many people each channel's audience exceeds its capacity, where it does."""
    over = np.bincount(column, minlength=len(known.channels)) - known.capacity
    return {name: int(extra) for name, extra in zip(known.channels, over, strict=True) if extra > 0}


def _cell(rows: pd.DataFrame) -> Cell:
    sums = {name: float(rows[name].sum()) for name in ("spend", "funded", "good", "fraud", "reached")}
    return _rates({"people": len(rows), **sums})


def _totals(rows: pd.DataFrame) -> Cell:
    sums = {name: float(rows[name].sum()) for name in ("spend", "funded", "good", "fraud")}
    return _rates({"people": int(rows["people"].sum()), **sums})


def _rates(cell: Cell) -> Cell:
    spend, funded, good, fraud = (float(cell[name] or 0.0) for name in ("spend", "funded", "good", "fraud"))
    return {
        **cell,
        "cost_per_funded": spend / funded if funded > 0 else None,
        "cost_per_good": spend / good if good > 0 else None,
        "late_rate": 1.0 - good / funded if funded > 0 else None,
        "fraud_share": fraud / funded if funded > 0 else None,
    }
