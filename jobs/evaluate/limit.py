"""Rung 8, the information limit: true expectations given only what can be observed, learned from noise-free targets.

Learned from the candidates themselves, each told by networks that have not seen its quarter of them, and, in a market
of our own, from further people of the same world, whom nobody can send to. Inputs are the features and what people did
before: clicks and listings by channel, applications, approvals.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from jobs.evaluate.network import Columns, Inputs, learned_all
from jobs.evaluate.optimum import Hopes
from jobs.evaluate.seen import Seen
from jobs.market.default import late_chance
from jobs.market.dice import Dice, Floats
from jobs.market.features import feature_column
from jobs.market.state import MARKER, played_conf
from jobs.market.truth import all_arms
from jobs.market.world import World
from jobs.model.person_features import APPLIED_BEFORE

QUARTERS, HALVES = 4, 2
TEACHERS = 150_000
MOST_PEOPLE = 5_000_000  # what a market may hold


@dataclass(frozen=True)
class Lesson:
    """People with their features, their true cost and good customers by channel, and their true lateness."""

    people: pd.DataFrame
    cost: Floats
    good: Floats
    late: Floats

    @property
    def amounts(self) -> Floats:
        """What a network learns, none below 0: cost, good won, good lost by channel; the won and the late of them."""
        won = np.maximum(self.good, 0.0)
        weight = won.mean(axis=1)
        return np.column_stack([self.cost, won, np.maximum(-self.good, 0.0), weight, weight * self.late])


@dataclass(frozen=True)
class Expected:
    """Expected truth of the candidates given what can be observed.

    `best`: the mean of what networks of either half of the rows say. `rough`: what one of them says. A plan on the
    first lacks about as much as it is better than a plan on the second: half the rows err twice as much.
    """

    best: Hopes
    rough: Hopes


def teachers(truth: Path, seen: Seen, count: int = TEACHERS) -> Lesson | None:
    """Further people of a market of our own, as its newest snapshot would show them; None for any other market."""
    if not (truth / MARKER).exists():
        return None
    conf = played_conf(truth)
    total = min(conf.people + count, MOST_PEOPLE)
    world = World(conf.model_copy(update={"people": total, "creatives_per_channel": conf.creative_count}))
    fresh = np.arange(conf.people, total)
    columns = {}
    for feature in conf.features:
        if feature.name in seen.candidates:
            values = feature_column(world, feature, fresh).to_pandas()
            factor = world.drift.unit(feature.name, world.calendar.end_month)
            columns[feature.name] = values * factor if factor != 1.0 else values
    columns[APPLIED_BEFORE] = pd.Series(np.zeros(len(fresh)))  # like the rest of their past
    columns["region"] = pd.Series(np.array(conf.regions, dtype=object)[world.people.region[fresh]])
    arms = all_arms(world, fresh)
    late = late_chance(world, fresh, world.campaign_month)
    good = arms.funded * (1.0 - late)[:, None]
    people = pd.DataFrame(columns).reindex(columns=seen.candidates.columns).astype(dict(seen.candidates.dtypes))
    return Lesson(people, arms.cost, good, late)


def expectations(seen: Seen, truth: Hopes, lesson: Lesson | None) -> Expected:
    """What can be known of the candidates; of their own truth only people of other quarters are learned from.

    Fraud has no feature but what people share: whom that gives away has the late and the fraud of such people.
    """
    own = Lesson(seen.candidates, truth.cost, truth.good, truth.late)
    quarter = Dice(0).pick("limit_fold", QUARTERS, np.arange(len(own.people)))
    columns = Columns.of(seen.features, own.people)
    past = _past(seen)
    inputs, amounts = np.hstack([columns.of_people(own.people), past]), own.amounts
    more, more_amounts = inputs[:0], amounts[:0]
    if lesson is not None:
        told = columns.of_people(lesson.people)
        more = np.hstack([told, np.zeros((len(told), past.shape[1]), dtype=np.float32)])
        more_amounts = lesson.amounts
    asked = []
    for part in range(QUARTERS):
        mine = quarter != part
        rows, known = np.concatenate([inputs[mine], more]), np.concatenate([amounts[mine], more_amounts])
        asked += [(rows[h::HALVES], known[h::HALVES], inputs[~mine], h) for h in range(HALVES)]
    found = np.empty((HALVES, *amounts.shape))
    for number, told_of in enumerate(learned_all(asked)):
        part, half = divmod(number, HALVES)
        found[half, quarter == part] = told_of
    return Expected(_hopes(found.mean(axis=0), seen, truth), _hopes(found[0], seen, truth))


def _past(seen: Seen) -> Inputs:
    """What candidates did before, in logs, each column as wide as a standardised one."""
    logs: Floats = np.log1p(seen.history.to_numpy(dtype=np.float64))
    return np.asarray(logs / np.maximum(logs.std(axis=0), 1e-9), dtype=np.float32)


def _hopes(amounts: Floats, seen: Seen, truth: Hopes) -> Hopes:
    """A network's amounts as expectations of candidates."""
    width = truth.cost.shape[1]
    cost, won, lost = (amounts[:, at * width : (at + 1) * width] for at in range(3))
    good = won - lost
    late = np.clip(amounts[:, -1] / np.maximum(amounts[:, -2], 1e-12), 0.0, 1.0)
    fraud = np.zeros(len(late))
    for group in (seen.is_crowded, ~seen.is_crowded):
        if group.any():
            fraud[group] = truth.fraud[group].mean()
    crowd = seen.is_crowded
    if crowd.any():
        # Too few to be learned apart by a network, and nothing like what their features say.
        late[crowd] = truth.late[crowd].mean()
        good[crowd] *= truth.good[crowd].sum() / good[crowd].sum()
    return Hopes(cost, good, late, fraud)
