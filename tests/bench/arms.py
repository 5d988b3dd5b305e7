"""Stage models learned without one ingredient, or with one more: other rows or inputs, or an adapter of a function."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import pandas as pd
from history import ANSWERED, ANSWERED_HERE, SHOWN
from scipy.special import logit
from taste_score import TASTE

from jobs.model.learners import Features, FittedModel
from jobs.model.learners.calibration import Line
from jobs.model.training import counts, funnel, stage
from jobs.model.training.fits import Fits
from jobs.model.training.funnel import fit_funnel, fit_organic
from jobs.model.training.lateness import late_rows
from jobs.model.training.priors import prior_model
from jobs.model.training.stage import Fitted
from jobs.runtime.conf import Conf
from segments.outcomes import GOOD_MONTHS

NOBODY = 1e-6  # the chance of asking unasked that is taken for none
Place = tuple[Any, str, Callable[..., Any]]  # a module, a name in it, and what stands there instead


@dataclass(frozen=True, eq=False)
class Rows:
    """The three frames that stages are learned from, with columns that only some arms look at."""

    assigned: pd.DataFrame
    decided: pd.DataFrame
    asked: pd.DataFrame


@dataclass(frozen=True)
class Arm:
    """What training is changed by."""

    rows: Callable[[Rows], Rows] = lambda rows: rows
    places: tuple[Place, ...] = ()
    inputs: tuple[str, ...] = ()  # numbers that every stage sees beside the features


def learned(arm: str, rows: Rows, conf: Conf) -> list[Fitted]:
    """The product's stages from click to lift, learned as an arm has it."""
    told = ARMS[arm].rows(rows)
    features = conf.base.features | dict.fromkeys(ARMS[arm].inputs, "numeric")
    conf = conf.model_copy(update={"base": conf.base.model_copy(update={"features": features})})
    with ExitStack() as stack:
        for module, name, instead in ARMS[arm].places:
            stack.enter_context(patch.object(module, name, instead))
        return fit_funnel(told.assigned, told.decided, told.asked, conf)


def mature_rows(decided: pd.DataFrame, *more: Any) -> Any:
    """Rows for the late stage from loans seen for twelve months alone: younger ones say nothing, late or not."""
    return late_rows(decided[(decided["months_observed"].fillna(-1) >= GOOD_MONTHS).to_numpy()], *more)


def no_organic(fits: Fits, assigned: pd.DataFrame, conf: Conf) -> None:
    """Nobody is taken to ask unasked, so whatever those on a list do counts as the list's."""
    told = Fits()
    told.all += fits.all
    fit_organic(told, assigned[:0], conf)
    fits.add(replace(told.all[-1], model=replace(prior_model("organic"), base_log_odds=float(logit(NOBODY)))))


def uncalibrated(model: FittedModel, *rows: Any) -> FittedModel:
    """A model as it was fitted."""
    return model


def no_trend(*rows: Any) -> Line:
    """The newest loans are taken to be as late as the model learned."""
    return Line(1.0, 0.0)


def no_lift(fits: Fits, sent: pd.DataFrame, conf: Conf) -> None:
    """No factor for what the chain of stages gets wrong as a whole, channel by channel: it is taken as it is."""


def without_exploration(rows: Rows) -> Rows:
    """Assignments without those sent at random; the held out stay."""
    kept = (rows.assigned["role"] != "exploration").to_numpy()
    return replace(rows, assigned=rows.assigned[kept].reset_index(drop=True))


def with_inputs(features: Callable[[Conf], Features], *names: str) -> Callable[[Conf], Features]:
    """What tells a stage's inputs, with these numbers more."""

    def told(conf: Conf) -> Features:
        found = features(conf)
        return Features((*found.numeric, *names), found.categorical)

    return told


def counting(count: Callable[..., None], *names: str) -> Callable[..., None]:
    """A count of clicks or wins that sees these numbers too."""

    def counted(*asked: Any) -> None:
        with patch.object(counts, "_counted_features", with_inputs(counts._counted_features, *names)):
            count(*asked)

    return counted


def seen_by_clicks(*names: str) -> tuple[Place, ...]:
    """Numbers that the click stage, and the count of clicks, see."""
    return (
        (funnel, "click_features", with_inputs(funnel.click_features, *names)),
        (funnel, "own_features", with_inputs(funnel.own_features, *names)),
        (funnel, "count_clicks", counting(funnel.count_clicks, *names)),
    )


def seen_by_wins(*names: str) -> tuple[Place, ...]:
    """Numbers that the count of applications a click adds sees."""
    return ((funnel, "count_wins", counting(funnel.count_wins, *names)),)


NOTHING = "as it is"
ANSWERS = (ANSWERED, ANSWERED_HERE)
STAGES: Place = (stage, "calibrate", uncalibrated)
TIMES: Place = (funnel, "coming_level", no_trend)
LIFT: Place = (funnel, "fit_lift", no_lift)
ARMS = {
    NOTHING: Arm(),
    "without hazard": Arm(places=((funnel, "late_rows", mature_rows),)),
    "without p_organic": Arm(places=((funnel, "fit_organic", no_organic),)),
    "without calibration": Arm(places=(STAGES, TIMES, LIFT)),
    "without stages' calibration": Arm(places=(STAGES, TIMES)),
    "without channels' factor": Arm(places=(LIFT,)),
    "without exploration": Arm(rows=without_exploration),
    "with history": Arm(
        places=(*seen_by_clicks(ANSWERED_HERE), *seen_by_wins(ANSWERED_HERE)), inputs=(SHOWN, ANSWERED)
    ),
    "with answers": Arm(places=(*seen_by_clicks(*ANSWERS), *seen_by_wins(*ANSWERS))),  # history, to these stages alone
    "with LightFM": Arm(places=seen_by_clicks(TASTE)),
}
