"""The models of every stage from click to lateness, each with its card."""

from __future__ import annotations

from datetime import date

import pandas as pd
from pyspark.sql import DataFrame

from jobs.contract import job
from jobs.model.person_features import person_features
from jobs.model.serving.funnel import Funnel, Part, version_of
from jobs.model.serving.load import MAX_MODELS
from jobs.model.serving.prices import meant_prices
from jobs.model.training.billed import billed_units
from jobs.model.training.card import model_card
from jobs.model.training.challenger import challenge
from jobs.model.training.choice import is_glass_box
from jobs.model.training.cohorts import asked_rows, assigned_rows, decided_rows, outside_rings
from jobs.model.training.errors import model_errors
from jobs.model.training.funnel import fit_funnel
from jobs.model.training.passes import partner_passes
from jobs.model.training.price import fit_prices, price_stages
from jobs.model.usual_units import unit_notes, usual_units
from jobs.runtime.conf import Conf
from jobs.runtime.shell import Shell
from jobs.tables.ingest import FX_RATES, PROSPECTS, SPEND
from jobs.tables.link import ASSIGNMENT_OUTCOMES, LINKED_TOUCHES, MATURED_OUTCOMES, SHARED_IDENTITIES
from jobs.tables.model import FEATURE_UNITS, MODEL_CARDS, MODEL_ERRORS, PARTNER_PASSES, STAGE_MODELS


@job(
    reads={
        "prospects": PROSPECTS.upto(),
        "assignments": ASSIGNMENT_OUTCOMES,
        "outcomes": MATURED_OUTCOMES,
        "shared": SHARED_IDENTITIES,
        "spend": SPEND.in_force(),
        "rates": FX_RATES.in_force(),
        "touches": LINKED_TOUCHES,
        "earlier": STAGE_MODELS.before(),
        "units": FEATURE_UNITS,
    },
    writes=(STAGE_MODELS, MODEL_CARDS, MODEL_ERRORS, PARTNER_PASSES),
    cadence="weekly",
)
def stage_models(
    prospects: DataFrame,
    assignments: DataFrame,
    outcomes: DataFrame,
    shared: DataFrame,
    spend: DataFrame,
    rates: DataFrame,
    touches: DataFrame,
    earlier: DataFrame,
    units: DataFrame,
    *,
    day: date,
    conf: Conf,
    shell: Shell,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Fit click, units, apply, organic, asked, approve, fund, late and fraud; what is too thin is a prior, and says so.

    Stages price, load and usual say who is dear on a channel, how its prices rise with the people listed on it, and
    how many make its usual load. Beside them: what each partner passes of each class of people.
    """
    features, training = person_features(conf), conf.base.training
    prospects = usual_units(prospects, units, shell)
    assigned = assigned_rows(assignments, outcomes, prospects, features, training, day, shell)
    served = outside_rings(outcomes, shared, conf.policy.max_persons_per_identity)
    decided = decided_rows(served, prospects, features, training, day, shell)
    asked = asked_rows(outcomes, assignments, prospects, features, training, shell)
    billed = billed_units(spend, rates, touches, assignments, prospects, features, day, conf, shell)
    priced = price_stages(fit_prices(billed, features, day, conf))
    if is_glass_box(training):  # what a unit costs by person is log-linear, so no points table
        priced = [f for f in priced if f.factors is None or f.stage != "price"]
    trained = [*fit_funnel(assigned, decided, asked, conf), *priced]
    before = shell.small(earlier.drop("day"), MAX_MODELS, ["stage", "channel"])
    fits, verdicts = challenge(trained, before, training.challenger)
    parts = [Part(f.stage, f.channel, f.scale, f.payload) for f in fits]
    version = version_of(parts, [f.stage for f in fits if not f.is_prior])
    models = pd.DataFrame(
        {
            "stage": [f.stage for f in fits],
            "channel": [f.channel for f in fits],
            "model_version": version,
            "learner": [f.learner for f in fits],
            "rows": [f.rows for f in fits],
            "positives": [f.positives for f in fits],
            "scale": [round(f.scale, 9) for f in fits],
            "payload": [p.payload for p in parts],
        }
    )
    funnel = Funnel.of(parts, version)
    card, notes = model_card(fits, funnel, verdicts, conf), unit_notes(units, shell)
    return (
        models,
        pd.concat([card, notes], ignore_index=True) if len(notes) else card,
        model_errors(fits, assigned, decided, billed, meant_prices(rates, day, conf, shell), day, conf),
        partner_passes(decided, funnel, features, conf.partners),
    )
