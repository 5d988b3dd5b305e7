"""All stages fitted in their order, each taking what the one before knows."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners import Features, FittedModel
from jobs.model.learners.calibration import Line
from jobs.model.learners.features import Floats
from jobs.model.learners.settings import LogisticSettings
from jobs.model.person_features import APPLIED_BEFORE, person_features, served_features
from jobs.model.serving.funnel import CLICK_SCORE, INTENT, POOLED, log_odds
from jobs.model.training.choice import is_glass_box, rivals_of, settings_of
from jobs.model.training.counts import count_clicks, count_units, count_wins
from jobs.model.training.fits import RANDOMISED, Fits, of_channel
from jobs.model.training.lateness import FALL, TAIL, Loans, late_rows
from jobs.model.training.lift import fit_lift
from jobs.model.training.repeats import with_repeats
from jobs.model.training.stage import Fitted, Labelled, fit_shares, fit_stage
from jobs.model.training.times import coming_level
from jobs.runtime.conf import Conf
from jobs.runtime.settings import Stage
from segments.outcomes import GOOD_MONTHS

OWN_AT = 10  # times min_positives: from here on a channel has a click model of its own
ASKED_SETTINGS = LogisticSettings(normal_scores=True, knots=1)  # straight where a feature views a trait
CREDIT = ("approve", "fund", "late", "fraud")
FRAUD_MONTHS = 6  # by then a fraud is confirmed or will not be


def fit_funnel(assigned: pd.DataFrame, decided: pd.DataFrame, asked: pd.DataFrame, conf: Conf) -> list[Fitted]:
    """Every stage from the rows of `training.cohorts`; empty frames give priors throughout."""
    fits = Fits()
    sent = assigned[assigned["channel"] != "none"]
    is_counted = not is_glass_box(conf.base.training)
    _fit_clicks(fits, sent, conf)
    if is_counted:
        count_clicks(fits, sent, conf)
    count_units(fits, sent, conf)
    fit_apply(fits, sent, conf)
    fit_organic(fits, assigned, conf)
    if is_counted:
        _fit_asked(fits, asked, conf)
        count_wins(fits, sent, conf)
    fit_credit(fits, decided, conf)
    fit_lift(fits, sent, conf)
    return fits.all


def click_features(conf: Conf) -> Features:
    """Inputs of the pooled click model."""
    person = person_features(conf)
    return Features(person.numeric, (*person.categorical, "channel"))


def own_features(conf: Conf) -> Features:
    """Inputs of one channel's click model: the pooled model's score among them, so that strength is shared."""
    person = person_features(conf)
    return Features((*person.numeric, POOLED), person.categorical)


def labelled(rows: pd.DataFrame, label: NDArray[Any], day: str = "assigned_day") -> Labelled:
    """Rows with a label; randomised are exploration and holdout rows."""
    weight = rows["weight"].to_numpy(dtype=np.float64) if "weight" in rows else np.ones(len(rows))
    role = rows["role"].isin(RANDOMISED) if "role" in rows else pd.Series(False, index=rows.index)
    return Labelled(rows, np.asarray(label, dtype=np.float64), weight, rows[day], role.to_numpy(dtype=bool))


def _fit_clicks(fits: Fits, sent: pd.DataFrame, conf: Conf) -> None:
    training = conf.base.training
    settings, rivals = settings_of("click", training), rivals_of("click", training)
    clicked = (sent["clicks"] > 0).to_numpy(dtype=np.float64)
    pooled = fit_stage("click", labelled(sent, clicked), click_features(conf), training, settings, rivals=rivals)
    fits.add(pooled)
    if pooled.is_prior or pooled.model is None:
        return
    for channel in sorted(conf.channels):
        mask = of_channel(sent, channel)
        if clicked[mask].sum() < OWN_AT * training.min_positives:
            continue
        rows = sent[mask]
        rows = rows.assign(**{POOLED: pooled.model.log_odds(rows)})
        own = fit_stage("click", labelled(rows, clicked[mask]), own_features(conf), training, settings, channel)
        if not own.is_prior:
            fits.add(own)


def fit_apply(fits: Fits, sent: pd.DataFrame, conf: Conf) -> None:
    """Who applies, given a click; also what is known of people's wish for credit."""
    training = conf.base.training
    clicked = sent[(sent["clicks"] > 0).to_numpy()]
    score = _by_channel(clicked, lambda rows, channel: log_odds(fits.funnel().click(rows, channel)))
    clicked = clicked.assign(**{CLICK_SCORE: score})
    person = person_features(conf)
    features = Features((*person.numeric, CLICK_SCORE), (*person.categorical, "channel"))
    rows = labelled(clicked, clicked["is_applied"].to_numpy(dtype=np.float64))
    settings, rivals = settings_of("apply", training), rivals_of("apply", training)
    fits.add(fit_stage("apply", rows, features, training, settings, rivals=rivals))


def fit_organic(fits: Fits, assigned: pd.DataFrame, conf: Conf) -> None:
    """Who applies within 14 days unasked, from those held out."""
    held = assigned[(assigned["role"] == "holdout").to_numpy()]
    held = held.assign(**{INTENT: fits.funnel().intent(held) if len(held) else np.zeros(0)})
    rows = labelled(held, held["is_applied"].to_numpy(dtype=np.float64))
    training = conf.base.training
    settings, rivals = settings_of("organic", training), rivals_of("organic", training)
    found = fit_stage("organic", rows, Features((INTENT,)), training, settings, rivals=rivals)
    note = () if len(held) else ("no holdout yet: what people do unasked is a guess, so incremental figures are too",)
    fits.add(replace(found, notes=found.notes + note))


def _fit_asked(fits: Fits, asked: pd.DataFrame, conf: Conf) -> None:
    """Who applies of its own accord: many more rows than lists have applications; an input of `wins`, no chance."""
    training = conf.base.training
    label = asked["is_asked"].to_numpy(dtype=np.float64)
    rows = labelled(asked, label, "known_day")
    if rows.rarer < training.min_positives:
        return
    model = fit_shares(rows, person_features(conf), ASKED_SETTINGS, training.seed)
    told = Fitted("asked", "*", model, "logistic", len(asked), rows.positives, window=rows.window)
    fits.add(replace(told, notes=_seen_later(asked)))


def fit_credit(fits: Fits, decided: pd.DataFrame, conf: Conf, stages: Collection[str] = CREDIT) -> None:
    """The stages no channel changes, from the lender's whole book; lateness from loans as far as they were seen."""
    if "approve" in stages:
        _fit_of_people(fits, "approve", decided[decided["is_approved"].notna()], "is_approved", conf)
    if "fund" in stages:
        told = decided["is_approved"].eq(True) & decided["is_draw_over"].eq(True) & decided["is_funded"].notna()
        _fit_of_people(fits, "fund", decided[told], "is_funded", conf)
    if "late" in stages:
        _fit_late(fits, late_rows(decided), conf)
    if "fraud" in stages:
        seen_long = decided["is_funded"].eq(True) & (decided["months_observed"].fillna(-1) >= FRAUD_MONTHS)
        frauds = decided[seen_long & decided["is_fraud"].eq(True)]
        scale = 1.0 - float(frauds["is_late"].eq(True).mean()) if len(frauds) else 1.0
        _fit_of_people(fits, "fraud", decided[seen_long], "is_fraud", conf, scale=scale)


def _fit_late(fits: Fits, loans: Loans, conf: Conf) -> None:
    unseen = loans.table.unseen
    fall = f"the rate of the last {TAIL} is taken to fall by {1 - FALL:.0%} a month"
    said = f"no loan was seen for longer than {GOOD_MONTHS - unseen} months: {fall}"
    rows = loans.rows.assign(weight=loans.weight)
    _fit_of_people(fits, "late", rows, "is_late", conf, (said,) if unseen else ())
    fitted = fits.all[-1]
    if fitted.model is None or not len(rows):
        return
    judged = fitted.judged.frame.index if fitted.judged else rows.index[:0]
    told = loans.where(~rows.index.isin(judged))  # rows to be judged on may not move the model either

    def moved(model: FittedModel, level: Line) -> FittedModel:
        return replace(model, adjust=(*model.adjust, level))

    level = coming_level(fitted.model, told)
    rivals = tuple((learner, moved(model, coming_level(model, told))) for learner, model in fitted.rivals)
    note = f"the next loans are taken to be late {np.exp(level.shift):.2f} times as often as the book tells"
    fits.all[-1] = replace(fitted, model=moved(fitted.model, level), rivals=rivals, notes=(*fitted.notes, note))


def _fit_of_people(
    fits: Fits,
    stage: Stage,
    rows: pd.DataFrame,
    label: str,
    conf: Conf,
    notes: tuple[str, ...] = (),
    scale: float = 1.0,
) -> None:
    """A stage no channel changes, from the lender's whole book; of lateness the past is told by a line of its own."""
    y = rows[label].eq(True).to_numpy(dtype=np.float64)
    training, told = conf.base.training, labelled(rows, y, "applied_day")
    settings, rivals = settings_of(stage, training), rivals_of(stage, training)
    features, beside = served_features(conf), None
    if stage == "late" and APPLIED_BEFORE in features.names:
        features, beside = person_features(conf), with_repeats
    found = fit_stage(stage, told, features, training, settings, rivals=rivals, beside=beside)
    fits.add(replace(found, notes=found.notes + notes + _seen_later(rows), scale=scale))


def _seen_later(rows: pd.DataFrame) -> tuple[str, ...]:
    """Says how many rows had no snapshot yet on their day."""
    late = int((~rows["is_known"].eq(True)).sum())
    told = f"{late} of {len(rows)} rows take their features from the first snapshot after the application"
    return (told,) if late else ()


def _by_channel(rows: pd.DataFrame, score: Callable[[pd.DataFrame, str], Floats]) -> Floats:
    found = np.full(len(rows), np.nan)
    for channel in sorted(set(rows["channel"].unique())):
        mask = of_channel(rows, channel)
        found[mask] = score(rows[mask], channel)
    return found
