"""Rung 8, the information limit: true expectations given only what can be observed, learned from noise-free targets.

What a prospect's features tell is learned from people nobody can send to: in a market of our own, further people of the
same world, as many as are asked for. What earlier clicks, listings and applications tell beyond that is learned from
the candidates themselves, each predicted by models that have not seen its quarter of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.evaluate.optimum import Hopes
from jobs.evaluate.seen import Seen
from jobs.market.default import late_chance
from jobs.market.dice import Dice, Floats, Ints
from jobs.market.features import feature_column
from jobs.market.state import MARKER, played_conf
from jobs.market.truth import all_arms
from jobs.market.world import World
from jobs.model.learners.threads import one_thread

Mask = NDArray[np.bool_]
Pair = tuple[Floats, Floats]
TREES, FEWER_TREES = 160, 60
LEAST = 0.02  # of a channel's mean, below which nobody's expectation is taken

QUARTERS = 4
TEACHERS = 150_000
MOST_PEOPLE = 5_000_000  # what a market may hold


@dataclass(frozen=True)
class Lesson:
    """People with their features, their true cost and good customers by channel, and their true lateness."""

    people: pd.DataFrame
    cost: Floats
    good: Floats
    late: Floats

    def where(self, rows: Mask) -> Lesson:
        """Those people."""
        return Lesson(self.people[rows], self.cost[rows], self.good[rows], self.late[rows])


@dataclass(frozen=True)
class Expected:
    """Expected truth of the candidates given what can be observed.

    `rough`: the same learned from half of the teachers and a third of the candidates it may use: by how much a plan on
    it is dearer bounds what the better one still lacks.
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
    columns["region"] = pd.Series(np.array(conf.regions, dtype=object)[world.people.region[fresh]])
    arms = all_arms(world, fresh)
    late = late_chance(world, fresh, world.campaign_month)
    good = arms.funded * (1.0 - late)[:, None]
    people = pd.DataFrame(columns).reindex(columns=seen.candidates.columns).astype(dict(seen.candidates.dtypes))
    return Lesson(people, arms.cost, good, late)


def expectations(seen: Seen, truth: Hopes, lesson: Lesson | None) -> Expected:
    """What can be known of the candidates; of their own truth only people of other quarters are learned from.

    Fraud has no feature but what people share: whom that gives away has the share of fraud among such, others theirs.
    """
    own = Lesson(seen.candidates, truth.cost, truth.good, truth.late)
    quarter = Dice(0).pick("limit_fold", QUARTERS, np.arange(len(own.people)))
    if lesson is None:
        first, rough = _crossed(own, quarter, TREES)
    else:
        half = np.arange(len(lesson.people)) % 2 == 0
        parts = _learned([(lesson.where(half), own.people), (lesson.where(~half), own.people)], TREES)
        first, rough = _mean(parts), parts[0]
    # What they did before corrects what their features say, so that the first is not told anew, and worse.
    known, halved = (tuple(np.maximum(x, LEAST * x.mean(axis=0)) for x in pair) for pair in (first, rough))
    ratio = Lesson(seen.history.assign(**_columns(first)), truth.cost / known[0], truth.good / known[1], truth.late)
    best, second = _crossed(ratio, quarter, FEWER_TREES, (known[0], known[1]))
    late = _lateness(own, quarter) if lesson is None else _late_of(lesson, own.people)
    crowd = [float(truth.fraud[mask].mean()) if mask.any() else 0.0 for mask in (~seen.is_crowded, seen.is_crowded)]
    fraud = np.where(seen.is_crowded, crowd[1], crowd[0])
    return Expected(
        Hopes(known[0] * best[0], known[1] * best[1], late, fraud),
        Hopes(halved[0] * second[0], halved[1] * second[1], late, fraud),
    )


def _lateness(own: Lesson, quarter: Ints) -> Floats:
    """Each quarter's lateness as people of the other quarters tell it."""
    late = np.empty(len(own.late))
    for part in range(QUARTERS):
        mine = quarter == part
        late[mine] = _late_of(own.where(~mine), own.people[mine])
    return late


def _late_of(lesson: Lesson, people: pd.DataFrame) -> Floats:
    """Expected lateness of those the channels would win, by their features."""
    found = _one(lesson.people, lesson.late, np.maximum(lesson.good.mean(axis=1), 0.0), people, FEWER_TREES)
    return np.clip(found, 0.0, 1.0)


def _crossed(lesson: Lesson, quarter: Ints, trees: int, weight: Pair | None = None) -> tuple[Pair, Pair]:
    """Each quarter's expectations: the mean of what the other three say of it, and what one of them says."""
    asked = [(lesson.where(quarter == part), lesson.people[quarter != part]) for part in range(QUARTERS)]
    weights = None if weight is None else [tuple(w[quarter == part] for w in weight) for part in range(QUARTERS)]
    told = _learned(asked, trees, weights)
    shape = (QUARTERS, *lesson.cost.shape)
    whole = [np.full(shape, np.nan), np.full(shape, np.nan)]
    for part, pair in enumerate(told):
        for at, values in enumerate(pair):
            whole[at][part, quarter != part] = values
    place = (quarter + 1) % QUARTERS, np.arange(len(quarter))
    best = np.nanmean(whole[0], axis=0), np.nanmean(whole[1], axis=0)
    return best, (whole[0][place], whole[1][place])


def _learned(
    asked: Sequence[tuple[Lesson, pd.DataFrame]], trees: int, weights: Sequence[tuple[Floats, ...]] | None = None
) -> list[Pair]:
    """Expected cost and good customers by channel of the people beside each lesson; a fit a channel, a core a fit."""
    # Every command imports the jobs; only a fit should pay.
    from joblib import Parallel, delayed

    fits = [
        delayed(_one)(
            lesson.people,
            target[:, channel],
            None if weights is None else weights[number][at][:, channel],
            people,
            trees,
        )
        for number, (lesson, people) in enumerate(asked)
        for at, target in enumerate((lesson.cost, lesson.good))
        for channel in range(target.shape[1])
    ]
    made = Parallel(n_jobs=-1)(fits)
    width = asked[0][0].cost.shape[1]
    stacked = [np.stack(made[at : at + width], axis=1) for at in range(0, len(made), width)]
    return list(zip(stacked[::2], stacked[1::2], strict=True))


def _one(people: pd.DataFrame, target: Floats, weight: Floats | None, asked: pd.DataFrame, trees: int) -> Floats:
    from sklearn.ensemble import HistGradientBoostingRegressor

    scale = float(np.abs(target).mean()) or 1.0
    with one_thread():
        model = HistGradientBoostingRegressor(
            max_iter=trees,
            learning_rate=0.12,
            max_leaf_nodes=31,
            min_samples_leaf=40,
            l2_regularization=1.0,
            categorical_features="from_dtype",
            random_state=0,
        ).fit(people, target / scale, sample_weight=None if weight is None else weight / weight.mean())
        found: Floats = model.predict(asked) * scale
    return found


def _mean(parts: Sequence[Pair]) -> Pair:
    cost, good = (np.mean([part[at] for part in parts], axis=0) for at in (0, 1))
    return cost, good


def _columns(pair: Pair) -> dict[str, Floats]:
    return {
        f"{name}_{k}": values[:, k]
        for name, values in zip(("cost", "good"), pair, strict=True)
        for k in range(values.shape[1])
    }
