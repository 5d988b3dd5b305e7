"""Rung 8, the information limit: true expectations given only what can be observed, learned from noise-free targets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jobs.evaluate.seen import Seen
from jobs.market.dice import Dice, Floats

FOLDS = 2


def limit_ratio(seen: Seen, cost: Floats, good: Floats, share: float = 1.0) -> Floats:
    """Expected true cost over expected true good customers given the features, candidates x channels, cross-fitted.

    `cost`, `good`: the truth of the candidates. `share`: the part of them learned from, to tell the limit's own error:
    if half of them give nearly the same costs, more people would not change it much either.
    """
    # Every command imports the jobs; only a fit should pay.
    from sklearn.ensemble import HistGradientBoostingRegressor

    people = seen.candidates
    dice, who = Dice(0), np.arange(len(people))
    fold = dice.pick("limit_fold", FOLDS, who)
    used = dice.uniform("limit_used", who) < share
    expected = {"cost": np.zeros(cost.shape), "good": np.zeros(good.shape)}
    for name, target in (("cost", cost), ("good", good)):
        for channel in range(target.shape[1]):
            scale = float(np.abs(target[:, channel]).mean()) or 1.0
            for part in range(FOLDS):
                rows = (fold != part) & used
                model = HistGradientBoostingRegressor(
                    max_iter=250,
                    learning_rate=0.08,
                    max_leaf_nodes=31,
                    min_samples_leaf=40,
                    l2_regularization=1.0,
                    categorical_features="from_dtype",
                    random_state=0,
                ).fit(people[rows], target[rows, channel] / scale)
                held = fold == part
                expected[name][held, channel] = model.predict(people[held]) * scale
    ratio: Floats = np.where(
        seen.is_open.to_numpy() & (expected["good"] > 0),
        np.maximum(expected["cost"], 1e-9) / np.maximum(expected["good"], 1e-12),
        np.inf,
    )
    return ratio


def with_history(seen: Seen) -> Seen:
    """The same with what people did before as more features: clicks and listings by channel, earlier applications."""
    sent, decided = seen.sent, seen.decided
    clicks = sent.pivot_table(index="prospect_key", columns="channel", values="clicks", aggfunc="sum", observed=True)
    listed = sent.pivot_table(index="prospect_key", columns="channel", values="clicks", aggfunc="count", observed=True)
    past = decided.groupby("prospect_key").agg(applications=("applied_at", "count"), approvals=("is_approved", "sum"))
    parts: list[pd.DataFrame] = [clicks.add_prefix("clicks_"), listed.add_prefix("listed_"), past.astype(np.float64)]
    people = seen.candidates
    for part in parts:
        people = people.join(part, how="left")
    added = [name for part in parts for name in part.columns]
    people[added] = people[added].fillna(0.0).astype(np.float64)
    return Seen(seen.features, people, seen.is_open, sent, decided)
