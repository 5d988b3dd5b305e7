"""Whose person another row became since the last run: every merge and split, prospect by prospect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.tables.link import PEOPLE, PERSON_CHANGES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@job(reads={"people": PEOPLE, "before": PEOPLE.before()}, writes=PERSON_CHANGES)
def person_changes(people: DataFrame, before: DataFrame) -> DataFrame:
    """One row a prospect whose person is another than it was; who arrived is not among them."""
    was = before.select("prospect_key", F.col("person_key").alias("was_person_key"))
    moved = people.select("prospect_key", "person_key").join(was, "prospect_key").where("person_key <> was_person_key")
    known = before.select("person_key").distinct().withColumn("_was_there", F.lit(True))
    change = F.when(F.coalesce("_was_there", F.lit(False)), "merged").otherwise("split")
    return moved.join(known, "person_key", "left").select(
        "prospect_key", "person_key", "was_person_key", change.alias("change")
    )
