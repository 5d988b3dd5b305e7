"""The cuts that make bands of a score, frozen until the next training."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.model.applied_before import with_applied_before
from jobs.model.person_features import served_features
from jobs.model.serving.funnel import PRIOR_VERSION
from jobs.model.serving.load import ONE_BAND, load_funnel
from jobs.model.serving.scorer import Scorer
from jobs.model.serving.scoring import band_scores
from jobs.model.usual_units import usual_units
from jobs.runtime.conf import Conf
from jobs.runtime.shell import Shell
from jobs.tables.ingest import PROSPECTS
from jobs.tables.link import ASSIGNMENT_OUTCOMES, MATURED_OUTCOMES
from jobs.tables.model import BAND_CUTS, FEATURE_UNITS, STAGE_MODELS
from segments.bands import LETTERS, cut, merge_unordered

MAX_SCORED = 100_000
BUCKETS = 1_000_000
COLUMNS = ["band", "lower", "rows", "responses", "assigned", "model_version"]


@job(
    reads={
        "prospects": PROSPECTS.latest(),
        "models": STAGE_MODELS,
        "assignments": ASSIGNMENT_OUTCOMES,
        "outcomes": MATURED_OUTCOMES,
        "units": FEATURE_UNITS,
    },
    writes=BAND_CUTS,
    cadence="weekly",
)
def band_cuts(
    prospects: DataFrame,
    models: DataFrame,
    assignments: DataFrame,
    outcomes: DataFrame,
    units: DataFrame,
    *,
    day: date,
    conf: Conf,
    shell: Shell,
) -> pd.DataFrame:
    """Quantiles of the band score of at most MAX_SCORED prospects, merged where the newest responses disagree.

    Judged on assignments of the newest `calibration_days` (plus the 14 days they take), on which the stages click,
    apply and organic are calibrated and counts are fitted too. Without a model everybody is in one band.
    """
    funnel = load_funnel(models, shell)
    if funnel.version == PRIOR_VERSION:
        return pd.DataFrame([(ONE_BAND[0][0], 0.0, 0, None, None, PRIOR_VERSION)], columns=COLUMNS)
    value = float(conf.base.plan.value_of_good)
    scorer = Scorer(funnel, served_features(conf), tuple(sorted(conf.channels)), {}, value, ONE_BAND)
    count = int(shell.small(prospects.agg(F.count("*").alias("n")), 1)["n"].iloc[0])
    kept = int(min(1.0, MAX_SCORED / max(count, 1)) * BUCKETS)
    chosen = usual_units(prospects, units, shell).where(
        F.pmod(F.xxhash64(F.lit("bands"), "prospect_key"), F.lit(BUCKETS)) < kept
    )
    sample = with_applied_before(chosen, outcomes, F.lit(day))
    since = day - timedelta(days=conf.base.training.calibration_days + 14)
    recent = assignments.where(F.col("assigned_day") > F.lit(since)).where(
        "is_applied is not null and channel <> 'none'"
    )
    responses = recent.groupBy("prospect_key").agg(
        F.count("*").alias("assigned"), F.count_if("is_applied").alias("responses")
    )
    joined = band_scores(sample, scorer).join(responses, "prospect_key", "left").na.fill(0, ["assigned", "responses"])
    people = shell.sample(joined, 2 * MAX_SCORED, ["prospect_key"])
    score = people["band_score"].round(9).to_numpy(dtype=np.float64)
    bands = cut(score, conf.base.training.bands)
    place = (score[:, None] < np.array([band.lower for band in bands])[None, :]).sum(axis=1)
    assigned = np.bincount(place, people["assigned"], len(bands)).astype(int)
    responded = np.bincount(place, people["responses"], len(bands)).astype(int)
    counted = [
        replace(band, assigned=int(a), responses=int(r)) for band, a, r in zip(bands, assigned, responded, strict=True)
    ]
    rows = [
        (LETTERS[at], band.lower, band.rows, band.responses, band.assigned, funnel.version)
        for at, band in enumerate(merge_unordered(counted))
    ]
    return pd.DataFrame(rows, columns=COLUMNS)
