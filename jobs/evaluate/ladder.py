"""One world's ladder: every rung at every volume, on true expectations, each under the same capacities and caps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from jobs.evaluate import baselines
from jobs.evaluate.judge import Stakes, judge_at
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


@dataclass(frozen=True)
class Paid:
    """What a lender has to pay on average, by channel, base currency: a person sent, and a click where clicks are
    billed.
    """

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
    # By the truth's rows: candidates stand in the order of their pseudonyms, which every warehouse draws anew.
    by_luck = np.argsort(Dice(0).uniform("ladder", people.row), kind="stable")
    average = np.argsort(cost.sum(axis=0) / np.maximum(good.sum(axis=0), 1e-12), kind="stable")
    made: dict[int, Callable[[], TakingOrder]] = {
        0: lambda: random_channels(by_luck, Dice(0).uniform("ladder_channel", people.row[by_luck]), capacity),
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


def judged(stakes: Stakes, found: dict[int, TakingOrder], goals: dict[float, float]) -> dict[tuple[float, int], Any]:
    """Verdicts by volume and rung; None where a rung runs out of people before it reaches a volume."""
    return {(v, rung): judge_at(stakes, order, goal) for v, goal in goals.items() for rung, order in found.items()}


def _open(order: TakingOrder, is_open: Any) -> TakingOrder:
    """The rows whose channel the person may be put on."""
    kept = is_open[order.person, order.channel]
    return TakingOrder(order.person[kept], order.channel[kept])


def candidates(seen: Seen, ids: pd.Series[str], prospects: pd.Index[str]) -> Candidates:
    """The candidates' rows in the truth; those it does not know are left out."""
    row = prospects.get_indexer(pd.Index(ids.reindex(seen.candidates.index)))
    known = row >= 0
    kept = replace(
        seen,
        candidates=seen.candidates[known],
        is_open=seen.is_open[known],
        is_crowded=seen.is_crowded[known],
        history=seen.history[known],
    )
    return Candidates(kept, row[known].astype(np.int64))
