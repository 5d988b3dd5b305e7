"""Which creative is for whom: LightFM embeddings of the features of prospects and of creatives."""

from __future__ import annotations

from datetime import date

import pandas as pd
from pyspark.sql import DataFrame

from jobs.contract import job
from jobs.model.affinity.expected import expected_clicks
from jobs.model.affinity.exposures import exposures
from jobs.model.affinity.fit import fit_affinity
from jobs.model.person_features import person_features
from jobs.model.serving.load import load_funnel
from jobs.model.training.cohorts import typed
from jobs.model.usual_units import usual_units
from jobs.runtime.conf import Conf
from jobs.runtime.shell import Shell
from jobs.tables.ingest import CREATIVES, PROSPECTS
from jobs.tables.link import LINKED_TOUCHES
from jobs.tables.model import AFFINITY_MODEL, FEATURE_UNITS, STAGE_MODELS

MAX_CREATIVES = 200_000


@job(
    reads={
        "touches": LINKED_TOUCHES,
        "creatives": CREATIVES.in_force(),
        "prospects": PROSPECTS.upto(),
        "models": STAGE_MODELS,
        "units": FEATURE_UNITS,
    },
    writes=AFFINITY_MODEL,
    cadence="weekly",
)
def affinity_model(
    touches: DataFrame,
    creatives: DataFrame,
    prospects: DataFrame,
    models: DataFrame,
    units: DataFrame,
    *,
    day: date,
    conf: Conf,
    shell: Shell,
) -> pd.DataFrame:
    """Clicks of prospects on creatives against those the click stage expects of them on the channel."""
    features = person_features(conf)
    prospects = usual_units(prospects, units, shell)
    rows = typed(exposures(touches, prospects, features, conf.base.training, day, shell), features)
    looks = creatives.select("creative", "channel", "placement", "format", "first_day", "features")
    shown = shell.small(looks, MAX_CREATIVES)
    expected = expected_clicks(rows, load_funnel(models, shell))
    return fit_affinity(rows, expected, shown, features, conf.base.creative_features, conf.base.training)
