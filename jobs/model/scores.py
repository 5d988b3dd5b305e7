"""What putting each prospect on each channel's audience is expected to bring and to cost."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.model.applied_before import with_applied_before
from jobs.model.person_features import served_features
from jobs.model.serving.load import load_cuts, load_funnel
from jobs.model.serving.prices import prices
from jobs.model.serving.scorer import Scorer
from jobs.model.serving.scoring import score_table
from jobs.model.usual_units import usual_units
from jobs.runtime.conf import Conf
from jobs.runtime.shell import Shell
from jobs.tables.ingest import FX_RATES, PROSPECTS, SPEND
from jobs.tables.link import ASSIGNMENT_OUTCOMES, LINKED_TOUCHES, MATURED_OUTCOMES
from jobs.tables.model import BAND_CUTS, FEATURE_UNITS, SCORES, STAGE_MODELS


@job(
    reads={
        "prospects": PROSPECTS.latest(),
        "models": STAGE_MODELS.latest(),
        "cuts": BAND_CUTS.latest(),
        "spend": SPEND.in_force(),
        "rates": FX_RATES.in_force(),
        "touches": LINKED_TOUCHES,
        "assignments": ASSIGNMENT_OUTCOMES,
        "outcomes": MATURED_OUTCOMES,
        "units": FEATURE_UNITS,
    },
    writes=SCORES,
)
def scores(
    prospects: DataFrame,
    models: DataFrame,
    cuts: DataFrame,
    spend: DataFrame,
    rates: DataFrame,
    touches: DataFrame,
    assignments: DataFrame,
    outcomes: DataFrame,
    units: DataFrame,
    *,
    day: date,
    conf: Conf,
    shell: Shell,
) -> DataFrame:
    """Every prospect of the latest snapshot x every configured channel; the band is the same on all its rows."""
    scorer = Scorer(
        funnel=load_funnel(models, shell),
        features=served_features(conf),
        channels=tuple(sorted(conf.channels)),
        prices=prices(spend, rates, touches, assignments, day, conf, shell),
        value_of_good=float(conf.base.plan.value_of_good),
        cuts=load_cuts(cuts, shell),
    )
    people = with_applied_before(usual_units(prospects, units, shell), outcomes, F.lit(day))
    return score_table(people, scorer)
