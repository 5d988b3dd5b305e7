"""Rung 8, the information limit: true expectations given only what can be observed, learned from noise-free targets.

What a prospect's features tell is learned from people nobody can send to: in a market of our own, further people of the
same world, as many as are asked for. What earlier clicks, listings and applications tell beyond that is learned from
the candidates themselves, each predicted by a model that has not seen its half of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from jobs.evaluate.seen import Seen
from jobs.market.default import late_chance
from jobs.market.dice import Dice, Floats
from jobs.market.features import feature_column
from jobs.market.state import MARKER, played_conf
from jobs.market.truth import all_arms
from jobs.market.world import World

FOLDS = 2
TEACHERS = 150_000
MOST_PEOPLE = 5_000_000  # what a market may hold


@dataclass(frozen=True)
class Lesson:
    """People with their features and their true cost and good customers by channel."""

    people: pd.DataFrame
    cost: Floats
    good: Floats


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
    arms = all_arms(world)
    good = arms.funded[fresh] * (1.0 - late_chance(world, fresh, world.campaign_month))[:, None]
    people = pd.DataFrame(columns).reindex(columns=seen.candidates.columns).astype(dict(seen.candidates.dtypes))
    return Lesson(people, arms.cost[fresh], good)


def expectations(seen: Seen, cost: Floats, good: Floats, lesson: Lesson | None) -> tuple[Floats, Floats]:
    """Expected true cost and expected true good customers, candidates x channels, given what can be observed.

    `cost`, `good`: the truth of the candidates, from which only people of the other half are learned.
    """
    own = Lesson(seen.candidates, cost, good)
    first = _crossed(own) if lesson is None else _learned(lesson, seen.candidates)
    known = {f"{name}_{k}": values[:, k] for name, values in first.items() for k in range(values.shape[1])}
    second = _crossed(Lesson(seen.history.assign(**known), cost, good))
    return second["cost"], second["good"]


def _learned(lesson: Lesson, people: pd.DataFrame) -> dict[str, Floats]:
    """Expected cost and good customers of `people`, by channel."""
    # Every command imports the jobs; only a fit should pay.
    from sklearn.ensemble import HistGradientBoostingRegressor

    found = {}
    for name, target in (("cost", lesson.cost), ("good", lesson.good)):
        parts = []
        for channel in range(target.shape[1]):
            scale = float(np.abs(target[:, channel]).mean()) or 1.0
            model = HistGradientBoostingRegressor(
                max_iter=250,
                learning_rate=0.08,
                max_leaf_nodes=31,
                min_samples_leaf=40,
                l2_regularization=1.0,
                categorical_features="from_dtype",
                random_state=0,
            ).fit(lesson.people, target[:, channel] / scale)
            parts.append(model.predict(people) * scale)
        found[name] = np.stack(parts, axis=1)
    return found


def _crossed(lesson: Lesson) -> dict[str, Floats]:
    """The same for the lesson's own people, each from the other half."""
    half = Dice(0).pick("limit_fold", FOLDS, np.arange(len(lesson.people)))
    found = {"cost": np.zeros(lesson.cost.shape), "good": np.zeros(lesson.good.shape)}
    for part in range(FOLDS):
        rows, held = half != part, half == part
        learned = _learned(Lesson(lesson.people[rows], lesson.cost[rows], lesson.good[rows]), lesson.people[held])
        for name, values in learned.items():
            found[name][held] = values
    return found
