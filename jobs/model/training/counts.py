"""Counts a person sent: clicks, exposures, and the applications that clicks add; log-linear, a model a channel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners import Features
from jobs.model.learners.features import Floats
from jobs.model.learners.sums import FactorModel
from jobs.model.person_features import person_features, with_past
from jobs.model.serving.funnel import ASKED, CLICKS_TOLD
from jobs.model.training.channels import FEATURES_ALONE, Billed, Ridges, fit_channels
from jobs.model.training.choice import is_glass_box
from jobs.model.training.fits import Fits, of_channel
from jobs.model.training.lift import CLICKS_WORTH, factors
from jobs.model.training.stage import Fitted
from jobs.runtime.conf import Conf


@dataclass(frozen=True)
class Effort:
    """How much work a fit may be: rows of a channel, and the ridges tried."""

    rows: int
    ridges: Ridges
    wins: Ridges


# Applications are few: who asks for credit unasked, and who clicks, tell most of who applies after a click, and the
# features must show what they add.
WINS = Ridges(
    common=(30.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0),
    own=(500.0, 2000.0, 10_000.0, 50_000.0),
    scores=(ASKED, CLICKS_TOLD),
)
FULL = Effort(40_000, FEATURES_ALONE, WINS)
# One ridge each, of the middle: for models whose differences are wanted, not they themselves.
MIDDLE = Ridges((30.0,), (500.0,))
HALF = Effort(10_000, MIDDLE, replace(WINS, common=(300.0,), own=(10_000.0,)))


def count_units(fits: Fits, sent: pd.DataFrame, conf: Conf, effort: Effort = FULL) -> None:
    """What channels bill for: exposures a person sent, log-linear; of clicks the share that was counted too few."""
    shown = [name for name, told in conf.channels.items() if told.billing in ("impression", "message")]
    seen = sent[sent["channel"].isin(shown).to_numpy()]
    rows = _few_a_channel(seen, (seen["impressions"] > 0).to_numpy(), conf, effort)
    if len(rows):
        units, ones = rows["impressions"].to_numpy(dtype=np.float64), np.ones(len(rows))
        billed = Billed.singly(rows, rows["weight"].to_numpy(dtype=np.float64), ones, units, 0.0 * ones)
        _add_factors(fits, "units", billed, _counted_features(conf), units > 0, effort.ridges, alone=frozenset(shown))
    funnel = fits.funnel()

    def clicked(rows: pd.DataFrame, channel: str) -> tuple[Floats, Floats]:
        return rows["clicks"].to_numpy(dtype=np.float64), funnel.clicks(rows, channel)

    bought = [name for name in sorted(conf.channels) if conf.channels[name].billing == "click"]
    for channel, (scale, count, seen_clicks) in factors(sent, bought, clicked, CLICKS_WORTH)[1].items():
        if seen_clicks > 0:
            fits.add(Fitted("units", channel, None, "ratio", count, int(seen_clicks), scale=scale))


def count_clicks(fits: Fits, sent: pd.DataFrame, conf: Conf, effort: Effort = FULL) -> None:
    """Clicks a person sent, log-linear: for channels with enough people who clicked."""
    rows = _few_a_channel(sent, (sent["clicks"] > 0).to_numpy(), conf, effort)
    if len(rows):
        clicks = rows["clicks"].to_numpy(dtype=np.float64)
        ones = np.ones(len(rows))
        billed = Billed.singly(rows, rows["weight"].to_numpy(dtype=np.float64), ones, clicks, 0.0 * ones)
        _add_factors(fits, "clicks", billed, _counted_features(conf), clicks > 0, effort.ridges)


def count_wins(fits: Fits, sent: pd.DataFrame, conf: Conf, effort: Effort = FULL) -> None:
    """Applications a click adds, log-linear: what would have come unasked is known, and not the click's."""
    clicked = sent[(sent["clicks"] > 0).to_numpy()]
    won = clicked["is_applied"].to_numpy(dtype=bool)
    enough = conf.base.training.min_positives
    told = {name: int(won[of_channel(clicked, name)].sum()) for name in conf.channels}
    if max(told.values(), default=0) < enough:
        return
    rows = _few_a_channel(clicked, won, conf, effort, least=0)
    applied, clicks = (rows[name].to_numpy(dtype=np.float64) for name in ("is_applied", "clicks"))
    funnel = fits.funnel()
    base = funnel.organic(rows)
    scores = np.empty((len(rows), len(WINS.scores)))
    for name in sorted(set(rows["channel"].unique())):
        mine = of_channel(rows, name)
        scores[mine] = funnel.with_scores(rows[mine], name)[list(WINS.scores)].to_numpy(dtype=np.float64)
    rows = rows.assign(**dict(zip(WINS.scores, scores.T, strict=True)))
    billed = Billed.singly(rows, rows["weight"].to_numpy(dtype=np.float64), clicks, applied, base)
    few = frozenset(name for name, events in told.items() if events < enough)
    counted = _counted_features(conf)
    if counted.numeric:
        counted = with_past(counted, conf)
        counted = Features((*counted.numeric, *WINS.scores), counted.categorical)
    _add_factors(fits, "wins", billed, counted, applied > 0, effort.wins, few=few)


def _add_factors(
    fits: Fits,
    stage: str,
    billed: Billed,
    features: Features,
    event: NDArray[np.bool_],
    ridges: Ridges,
    alone: frozenset[str] = frozenset(),
    few: frozenset[str] = frozenset(),
) -> None:
    for channel, fit in fit_channels(billed, features, alone, few, ridges).items():
        model, events = FactorModel(fit.terms), int(event[fit.rows].sum())
        fits.add(Fitted(stage, channel, None, "log-linear", int(fit.rows.sum()), events, factors=model))


def _counted_features(conf: Conf) -> Features:
    """What counts are learned from; the channel is not among them, as each has a model. In a glass box, levels only."""
    if is_glass_box(conf.base.training):
        return Features()
    return person_features(conf)


def _few_a_channel(
    rows: pd.DataFrame, event: NDArray[np.bool_], conf: Conf, effort: Effort, least: int | None = None
) -> pd.DataFrame:
    """At most `effort.rows` a channel with `least` events, half of the room for events, the sampled weighted up."""
    least = conf.base.training.min_positives if least is None else least
    chance = np.random.default_rng(conf.base.training.seed)
    parts = []
    for channel in sorted(conf.channels):
        mine = of_channel(rows, channel)
        if event[mine].sum() < least:
            continue
        for kind in (mine & event, mine & ~event):
            share = min(1.0, effort.rows / 2 / max(int(kind.sum()), 1))
            chosen = rows[kind][chance.random(int(kind.sum())) < share]
            parts.append(chosen.assign(weight=chosen["weight"] / share))
    return pd.concat(parts).sort_index() if parts else rows[:0]
