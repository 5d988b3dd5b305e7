"""How often a prospect had applied before a day: who was declined is left to be asked again, and is another risk."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.model.person_features import APPLIED_BEFORE, MOST_BEFORE


def with_applied_before(rows: DataFrame, outcomes: DataFrame, day: Column) -> DataFrame:
    """The rows with `applications_before`: linked applications of their `prospect_key` before a day.

    At most MOST_BEFORE are counted. `outcomes`: rows of matured_outcomes. Days are those of UTC.
    """
    applied = F.collect_list(F.to_date("applied_at")).alias("_applied")
    past = outcomes.where("prospect_key is not null").groupBy("prospect_key").agg(applied)
    before = F.size(F.filter("_applied", lambda one: one < day))
    told = F.least(F.coalesce(before, F.lit(0)), F.lit(MOST_BEFORE)).cast("double").alias(APPLIED_BEFORE)
    return rows.join(past, "prospect_key", "left").select(*rows.columns, told)
