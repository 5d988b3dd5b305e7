"""One world's ladder: every rung at every volume, on true expectations, each under the same capacities and caps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jobs.evaluate import baselines
from jobs.evaluate.judge import Stakes, Verdict, judge_at
from jobs.evaluate.limit import expectations, teachers
from jobs.evaluate.optimum import cheapest_plan
from jobs.evaluate.seen import Seen
from jobs.market.dice import Dice, Floats, Ints
from jobs.market.taking import TakingOrder, cheapest_first, fill_channels, random_channels
from jobs.model.learners.threads import one_thread

RUNGS = {
    0: "random",
    1: "best channel first",
    2: "look-alike",
    3: "response only",
    4: "logistic a channel",
    5: "stage models, greedy",
    6: "product",
    7: "oracle",
    8: "information limit",
}
PRODUCT, ORACLE, LIMIT = 6, 7, 8
BEYOND = (1.0, 1.08, 1.2, 1.5)


@dataclass(frozen=True)
class Paid:
    """What a lender has paid so far, by channel, base currency: a person sent, and a click where clicks are billed."""

    a_person: Floats
    a_click: Floats


@dataclass(frozen=True)
class Candidates:
    """The people any rung may take, as rows of the truth, in the order of `Seen.candidates`."""

    seen: Seen
    row: Ints

    def taken(self, order: TakingOrder) -> TakingOrder:
        """An order over candidates as one over the truth's rows."""
        return TakingOrder(self.row[order.person], order.channel)


def orders(
    stakes: Stakes, people: Candidates, paid: Paid, rungs: Sequence[int], say: Callable[[str], None]
) -> dict[int, TakingOrder]:
    """The taking order of every baseline asked for, over the truth's rows."""
    seen, capacity = people.seen, stakes.capacity
    is_open = seen.is_open.to_numpy()
    cost, good = stakes.cost[people.row], stakes.good[people.row]
    count = np.arange(len(people.row))
    by_luck = np.argsort(Dice(0).uniform("ladder", count), kind="stable")
    average = np.argsort(cost.sum(axis=0) / np.maximum(good.sum(axis=0), 1e-12), kind="stable")
    made: dict[int, Callable[[], TakingOrder]] = {
        0: lambda: random_channels(by_luck, Dice(0).uniform("ladder_channel", count), capacity),
        1: lambda: fill_channels(by_luck, average, capacity),
        2: lambda: fill_channels(np.argsort(-baselines.look_alike(seen), kind="stable"), average, capacity),
        3: lambda: cheapest_first(baselines.response_only(seen, paid.a_person), capacity),
        4: lambda: cheapest_first(baselines.channel_logistic(seen, paid.a_person), capacity),
        5: lambda: cheapest_first(baselines.stage_models(seen, paid.a_click, paid.a_person), capacity),
    }
    found = {}
    for rung in rungs:
        if rung in made:
            with one_thread():
                found[rung] = people.taken(_open(made[rung](), is_open))
            say(f"rung {rung}, {RUNGS[rung]}: {len(found[rung]):,} people in order")
    return found


def optima(
    stakes: Stakes,
    truth: Path,
    people: Candidates,
    goals: dict[float, float],
    rungs: Sequence[int],
    errors: dict[float, float],
    say: Callable[[str], None],
) -> dict[tuple[float, int], Verdict | None]:
    """Verdicts of the plans made by who knows everything, and by who knows all that observing can tell.

    `errors` is given, by volume, how much dearer rung 8 is at most for what it has not learned (base currency a good
    customer).
    """
    cost, good = stakes.cost[people.row], stakes.good[people.row]
    found: dict[tuple[float, int], Verdict | None] = {}

    def planned(expected: tuple[Floats, Floats], goal: float) -> Verdict | None:
        for beyond in BEYOND:  # who expects too much must plan for more to reach a volume
            with one_thread():
                asked = goal * beyond
                order = cheapest_plan(*expected, people.seen.is_open.to_numpy(), stakes.capacity, stakes.impact, asked)
            if (verdict := judge_at(stakes, people.taken(order), goal)) is not None:
                return verdict
        return None

    if ORACLE in rungs:
        found |= {(share, ORACLE): planned((cost, good), goal) for share, goal in goals.items()}
        say(f"rung {ORACLE}, {RUNGS[ORACLE]}: planned")
    if LIMIT in rungs:
        known = expectations(people.seen, cost, good, teachers(truth, people.seen))
        for share, goal in goals.items():
            best, rough = planned(known.best, goal), planned(known.rough, goal)
            found[(share, LIMIT)] = best
            if best and rough:
                errors[share] = max(rough.cost_per_good - best.cost_per_good, 0.0)
        say(f"rung {LIMIT}, {RUNGS[LIMIT]}: planned")
    return found


def rows_of(
    verdicts: dict[tuple[float, int], Verdict | None],
    label: dict[str, Any],
    late_cap: float | None,
    errors: dict[float, float],
) -> list[dict[str, Any]]:
    """The referee's rows: one a volume and rung, with what the product has captured of what could be saved."""
    rows = []
    for (volume, rung), verdict in sorted(verdicts.items()):
        row: dict[str, Any] = {**label, "volume": volume, "rung": rung, "policy": RUNGS[rung]}
        names = ("cost_per_good", "cost_per_approval", "late_rate", "fraud_loss_rate", "spend", "good", "people")
        row |= {name: _number(getattr(verdict, name)) if verdict else None for name in names}
        row["keeps_caps"] = None if verdict is None or late_cap is None else bool(verdict.late_rate <= late_cap)
        row["saving_captured"] = _captured(verdicts, volume) if rung == PRODUCT else None
        row["error"] = errors.get(volume) if rung == LIMIT else None
        rows.append(row)
    return rows


def judged(stakes: Stakes, found: dict[int, TakingOrder], goals: dict[float, float]) -> dict[tuple[float, int], Any]:
    """Verdicts by volume and rung; None where a rung runs out of people before it reaches a volume."""
    return {(v, rung): judge_at(stakes, order, goal) for v, goal in goals.items() for rung, order in found.items()}


def _open(order: TakingOrder, is_open: Any) -> TakingOrder:
    """The rows whose channel the person may be put on."""
    kept = is_open[order.person, order.channel]
    return TakingOrder(order.person[kept], order.channel[kept])


def _captured(verdicts: dict[tuple[float, int], Verdict | None], volume: float) -> float | None:
    """(C1 - C6) / (C1 - C8) at a volume."""
    first, product, limit = (verdicts.get((volume, rung)) for rung in (1, PRODUCT, LIMIT))
    if not (first and product and limit) or first.cost_per_good <= limit.cost_per_good:
        return None
    return _number((first.cost_per_good - product.cost_per_good) / (first.cost_per_good - limit.cost_per_good))


def _number(value: float) -> float | None:
    return None if not np.isfinite(value) else float(value)


def candidates(seen: Seen, ids: pd.Series[str], prospects: pd.Index[str]) -> Candidates:
    """The candidates' rows in the truth; those it does not know are left out."""
    row = prospects.get_indexer(pd.Index(ids.reindex(seen.candidates.index)))
    known = row >= 0
    kept = replace(seen, candidates=seen.candidates[known], is_open=seen.is_open[known], history=seen.history[known])
    return Candidates(kept, row[known].astype(np.int64))
