"""All stages fitted in their order, each taking what the one before knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.affinity.factors import Affinity
from jobs.model.learners import Features, LogisticSettings, Settings
from jobs.model.learners.features import Floats
from jobs.model.learners.sums import FactorModel
from jobs.model.person_features import person_features
from jobs.model.serving.funnel import AFFINITY, CLICK_SCORE, INTENT, POOLED, Funnel, Part, log_odds
from jobs.model.training.channels import Billed, fit_channels
from jobs.model.training.lateness import TAIL, late_rows
from jobs.model.training.stage import Fitted, Labelled, fit_stage, settings_of
from jobs.runtime.conf import Conf
from segments.outcomes import GOOD_MONTHS

OWN_AT = 10  # times min_positives: from here on a channel has a click model of its own
# Organic applications are few: one slope on what the apply stage knows.
ONE_LINE = LogisticSettings(knots=0, normal_scores=True)
RANDOMISED = ("exploration", "holdout")
ENOUGH = 100
FRAUD_MONTHS = 6  # by then a fraud is confirmed or will not be
CHANNEL_ROWS = 40_000  # of a channel, for counts
LIFT_WORTH = 60.0  # expected applications a channel's factor of 1 is worth before data move it


class Fits:
    """The stages fitted so far, usable as a funnel by the next one."""

    def __init__(self, affinity: Affinity | None) -> None:
        self.affinity = affinity
        self.all: list[Fitted] = []

    def add(self, fitted: Fitted) -> Fitted:
        """Keep a stage."""
        self.all.append(fitted)
        return fitted

    def parts(self) -> list[Part]:
        """The rows of stage_models they become."""
        return [Part(f.stage, f.channel, f.scale, f.payload) for f in self.all]

    def funnel(self) -> Funnel:
        """What they predict so far."""
        return Funnel.of(self.parts(), self.affinity, "")


def fit_funnel(assigned: pd.DataFrame, decided: pd.DataFrame, conf: Conf, affinity: Affinity | None) -> list[Fitted]:
    """Every stage from the rows of `training.cohorts`; empty frames give priors throughout."""
    fits = Fits(affinity)
    sent = assigned[assigned["channel"].astype(object) != "none"]
    sent = sent.assign(**{AFFINITY: _affinity_of(sent, affinity)})
    _fit_clicks(fits, sent, conf)
    _count_clicks(fits, sent, conf)
    _fit_units(fits, sent, conf)
    _fit_apply(fits, sent, conf)
    _fit_organic(fits, assigned, conf)
    _count_wins(fits, sent, conf)
    _fit_credit(fits, decided, conf)
    _fit_lift(fits, sent, conf)
    return fits.all


def click_features(conf: Conf) -> Features:
    """Inputs of the pooled click model."""
    person = person_features(conf)
    return Features((*person.numeric, AFFINITY), (*person.categorical, "channel"))


def own_features(conf: Conf) -> Features:
    """Inputs of one channel's click model: the pooled model's score among them, so that strength is shared."""
    person = person_features(conf)
    return Features((*person.numeric, AFFINITY, POOLED), person.categorical)


def labelled(rows: pd.DataFrame, label: NDArray[Any], day: str = "assigned_day") -> Labelled:
    """Rows with a label; randomised are exploration and holdout rows."""
    weight = rows["weight"].to_numpy(dtype=np.float64) if "weight" in rows else np.ones(len(rows))
    role = rows["role"].isin(RANDOMISED) if "role" in rows else pd.Series(False, index=rows.index)
    return Labelled(rows, np.asarray(label, dtype=np.float64), weight, rows[day], role.to_numpy(dtype=bool))


def _affinity_of(rows: pd.DataFrame, affinity: Affinity | None) -> Floats:
    best = np.full(len(rows), np.nan)
    if affinity is None or rows.empty:
        return best
    channel = rows["channel"].to_numpy(dtype=object)
    people = affinity.people(rows)
    for name in sorted(set(channel)):
        mask = channel == name
        best[mask] = affinity.best(people[mask], name)
    return best


def _fit_clicks(fits: Fits, sent: pd.DataFrame, conf: Conf) -> None:
    training = conf.base.training
    settings = settings_of(training.learner)
    clicked = (sent["clicks"] > 0).to_numpy(dtype=np.float64)
    pooled = fits.add(fit_stage("click", labelled(sent, clicked), click_features(conf), training, settings))
    if pooled.is_prior or pooled.model is None:
        return
    for channel in sorted(conf.channels):
        mask = _of(sent, channel)
        if clicked[mask].sum() < OWN_AT * training.min_positives:
            continue
        rows = sent[mask]
        rows = rows.assign(**{POOLED: pooled.model.log_odds(rows)})
        own = fit_stage("click", labelled(rows, clicked[mask]), own_features(conf), training, settings, channel)
        if not own.is_prior:
            fits.add(own)


def _count_clicks(fits: Fits, sent: pd.DataFrame, conf: Conf) -> None:
    """Clicks a person sent, log-linear: for channels with enough people who clicked."""
    rows = _few_a_channel(sent, (sent["clicks"] > 0).to_numpy(), conf)
    if len(rows):
        clicks = rows["clicks"].to_numpy(dtype=np.float64)
        ones = np.ones(len(rows))
        billed = Billed.singly(rows, rows["weight"].to_numpy(dtype=np.float64), ones, clicks, 0.0 * ones)
        _add_factors(fits, "clicks", billed, _counted_features(conf), clicks > 0)


def _count_wins(fits: Fits, sent: pd.DataFrame, conf: Conf) -> None:
    """Applications a click adds, log-linear: what would have come unasked is known, and not the click's."""
    clicked = sent[(sent["clicks"] > 0).to_numpy()]
    rows = _few_a_channel(clicked, clicked["is_applied"].to_numpy(dtype=bool), conf)
    if len(rows):
        applied, clicks = (rows[name].to_numpy(dtype=np.float64) for name in ("is_applied", "clicks"))
        base = fits.funnel().organic(rows)
        billed = Billed.singly(rows, rows["weight"].to_numpy(dtype=np.float64), clicks, applied, base)
        _add_factors(fits, "wins", billed, _counted_features(conf), applied > 0)


def _add_factors(
    fits: Fits,
    stage: str,
    billed: Billed,
    features: Features,
    event: NDArray[np.bool_],
    alone: frozenset[str] = frozenset(),
) -> None:
    for channel, fit in fit_channels(billed, features, alone).items():
        model, events = FactorModel(fit.terms), int(event[fit.rows].sum())
        fits.add(Fitted(stage, channel, None, "log-linear", int(fit.rows.sum()), events, factors=model))


def _counted_features(conf: Conf) -> Features:
    """What counts are learned from; the channel is not among them, as each has a model."""
    person = person_features(conf)
    return Features((*person.numeric, AFFINITY), person.categorical)


def _few_a_channel(rows: pd.DataFrame, event: NDArray[np.bool_], conf: Conf) -> pd.DataFrame:
    """At most CHANNEL_ROWS a channel with enough events, half of the room for events, the sampled weighted up."""
    chance = np.random.default_rng(conf.base.training.seed)
    parts = []
    for channel in sorted(conf.channels):
        mine = _of(rows, channel)
        if event[mine].sum() < conf.base.training.min_positives:
            continue
        for kind in (mine & event, mine & ~event):
            share = min(1.0, CHANNEL_ROWS / 2 / max(int(kind.sum()), 1))
            chosen = rows[kind][chance.random(int(kind.sum())) < share]
            parts.append(chosen.assign(weight=chosen["weight"] / share))
    return pd.concat(parts).sort_index() if parts else rows[:0]


def _fit_units(fits: Fits, sent: pd.DataFrame, conf: Conf) -> None:
    """What channels bill for: exposures a person sent, log-linear; of clicks the share that was counted too few."""
    shown = [name for name, told in conf.channels.items() if told.billing in ("impression", "message")]
    seen = sent[sent["channel"].isin(shown).to_numpy()]
    rows = _few_a_channel(seen, (seen["impressions"] > 0).to_numpy(), conf)
    if len(rows):
        units, ones = rows["impressions"].to_numpy(dtype=np.float64), np.ones(len(rows))
        billed = Billed.singly(rows, rows["weight"].to_numpy(dtype=np.float64), ones, units, 0.0 * ones)
        _add_factors(fits, "units", billed, _counted_features(conf), units > 0, alone=frozenset(shown))
    for channel in sorted(set(conf.channels) - set(shown)):
        rows = sent[_of(sent, channel)]
        clicks = rows["clicks"].to_numpy(dtype=np.float64)
        if conf.channels[channel].billing != "click" or not (clicks > 0).any():
            continue
        weight = rows["weight"].to_numpy(dtype=np.float64) * _randomised(rows, clicks > 0, ENOUGH)
        expected = fits.funnel().clicks(rows, channel)
        scale = float((weight * clicks).sum()) / float((weight * expected).sum())
        fits.add(Fitted("units", channel, None, "ratio", len(rows), int((clicks > 0).sum()), scale=scale))


def _fit_apply(fits: Fits, sent: pd.DataFrame, conf: Conf) -> None:
    training = conf.base.training
    clicked = sent[(sent["clicks"] > 0).to_numpy()]
    score = _by_channel(clicked, lambda rows, channel: log_odds(fits.funnel().click(rows, channel)))
    clicked = clicked.assign(**{CLICK_SCORE: score})
    person = person_features(conf)
    features = Features((*person.numeric, CLICK_SCORE), (*person.categorical, "channel"))
    rows = labelled(clicked, clicked["is_applied"].to_numpy(dtype=np.float64))
    fits.add(fit_stage("apply", rows, features, training, settings_of(training.learner)))


def _fit_organic(fits: Fits, assigned: pd.DataFrame, conf: Conf) -> None:
    held = assigned[(assigned["role"] == "holdout").to_numpy()]
    held = held.assign(**{INTENT: fits.funnel().intent(held) if len(held) else np.zeros(0)})
    rows = labelled(held, held["is_applied"].to_numpy(dtype=np.float64))
    found = fit_stage("organic", rows, Features((INTENT,)), conf.base.training, ONE_LINE)
    note = () if len(held) else ("no holdout yet: what people do unasked is a guess, so incremental figures are too",)
    fits.add(replace(found, notes=found.notes + note))


def _fit_credit(fits: Fits, decided: pd.DataFrame, conf: Conf) -> None:
    training = conf.base.training
    usual, careful = settings_of(training.learner), settings_of(training.default_learner)
    approved = decided["is_approved"].eq(True)
    told = approved & decided["is_funded"].notna()
    _fit_of_people(fits, "approve", decided[decided["is_approved"].notna()], "is_approved", usual, conf)
    _fit_of_people(fits, "fund", decided[told], "is_funded", usual, conf)
    loans, weight, table = late_rows(decided)
    note = () if not table.unseen else (
        f"no loan was seen for longer than {GOOD_MONTHS - table.unseen} months: the rate of the last {TAIL} goes on",
    )  # fmt: skip
    _fit_of_people(fits, "late", loans.assign(weight=weight), "is_late", careful, conf, note)
    seen_long = decided["is_funded"].eq(True) & (decided["months_observed"].fillna(-1) >= FRAUD_MONTHS)
    frauds = decided[seen_long & decided["is_fraud"].eq(True)]
    scale = 1.0 - float(frauds["is_late"].eq(True).mean()) if len(frauds) else 1.0
    _fit_of_people(fits, "fraud", decided[seen_long], "is_fraud", careful, conf, scale=scale)


def _fit_of_people(
    fits: Fits,
    stage: str,
    rows: pd.DataFrame,
    label: str,
    settings: Settings,
    conf: Conf,
    notes: tuple[str, ...] = (),
    scale: float = 1.0,
) -> None:
    """A stage no channel changes, from the lender's whole book."""
    y = rows[label].eq(True).to_numpy(dtype=np.float64)
    found = fit_stage(stage, labelled(rows, y, "applied_day"), person_features(conf), conf.base.training, settings)
    if len(rows) and (late := int((~rows["is_known"].eq(True)).sum())):
        notes += (f"{late} of {len(rows)} rows take their features from the first snapshot after the application",)
    fits.add(replace(found, notes=found.notes + notes, scale=scale))


def _fit_lift(fits: Fits, sent: pd.DataFrame, conf: Conf) -> None:
    """A factor a channel: incremental applications seen / expected, shrunk to all channels' factor, and that to 1.

    Seen on rows chosen by chance where they hold enough applications: the old policy chose by what no feature tells.
    """
    funnel = fits.funnel()
    rows = sent[_randomised(sent, sent["is_applied"].to_numpy(dtype=bool), LIFT_WORTH)]
    organic = funnel.organic(rows) if len(rows) else np.zeros(0)
    found: dict[str, tuple[float, float, int]] = {}
    for channel in sorted(conf.channels):
        mask = _of(rows, channel)
        mine, base = rows[mask], organic[mask]
        if not len(mine):
            continue
        added = funnel.added(mine, base, channel)
        weight = mine["weight"].to_numpy(dtype=np.float64)
        seen = float((weight * (mine["is_applied"].to_numpy(dtype=np.float64) - base)).sum())
        found[channel] = (seen, float((weight * added).sum()), len(mine))
    seen, expected = (sum(figures[at] for figures in found.values()) for at in (0, 1))
    overall = _factor(seen, expected, 1.0)
    fits.add(_lift("*", overall, len(rows), int(max(seen, 0))))
    for channel, (one, other, count) in found.items():
        fits.add(_lift(channel, _factor(one, other, overall), count, int(max(one, 0))))


def _randomised(rows: pd.DataFrame, event: NDArray[np.bool_], least: float) -> NDArray[np.bool_]:
    """The rows chosen by chance, where they hold at least so many events, else all."""
    mask = rows["role"].isin(RANDOMISED).to_numpy(dtype=bool)
    return mask if event[mask].sum() >= least else np.ones(len(rows), dtype=bool)


def _factor(seen: float, expected: float, start: float) -> float:
    return float(max(seen + start * LIFT_WORTH, 0.0) / (expected + LIFT_WORTH))


def _lift(channel: str, factor: float, rows: int, positives: int) -> Fitted:
    return Fitted("lift", channel, None, "ratio", rows, positives, scale=factor)


def _of(rows: pd.DataFrame, channel: str) -> NDArray[np.bool_]:
    return np.asarray(rows["channel"].astype(object) == channel, dtype=bool)


def _by_channel(rows: pd.DataFrame, score: Callable[[pd.DataFrame, str], Floats]) -> Floats:
    found = np.full(len(rows), np.nan)
    for channel in sorted(set(rows["channel"].astype(object))):
        mask = _of(rows, channel)
        found[mask] = score(rows[mask], channel)
    return found
