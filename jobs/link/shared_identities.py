"""Who shares a device, an account or the background of a picture with whom: how rings with borrowed identities show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.link.identifiers import laid_out
from jobs.tables.ingest import APPLICATIONS, PROSPECTS
from jobs.tables.link import MATURED_OUTCOMES, PEOPLE, SHARED_IDENTITIES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

SHARED_KINDS = ("account", "device")  # neither makes two rows one person, and few people share one
BACKGROUND = "background"
PLACEHOLDER = 1_000  # what more people have is a default somebody's form fills in, or a white wall


@job(
    reads={
        "prospects": PROSPECTS.latest(),
        "people": PEOPLE,
        "applications": APPLICATIONS.in_force(),
        "outcomes": MATURED_OUTCOMES,
    },
    writes=SHARED_IDENTITIES,
)
def shared_identities(
    prospects: DataFrame, people: DataFrame, applications: DataFrame, outcomes: DataFrame
) -> DataFrame:
    """One row a person whose device, account or background somebody else has too, with the most shared of them.

    An applicant no prospect is known for counts by national number or phone, so that borrowed identities count too.
    """
    listed = laid_out(prospects, "prospect_key", kinds=SHARED_KINDS).join(
        people.select("prospect_key", "person_key"), "prospect_key"
    )
    told = outcomes.select("application_id", "person_key", F.coalesce("is_fraud", F.lit(False)).alias("is_fraud"))
    applied = _applicants(applications).join(told, "application_id")
    seen = listed.select(
        "kind", "id_key", "person_key", F.col("person_key").alias("holder"), F.lit(False).alias("is_fraud")
    )
    used = applied.select(
        "kind", "id_key", "person_key", F.coalesce("person_key", "stranger").alias("holder"), "is_fraud"
    ).where("holder is not null")
    held = seen.unionByName(used)
    counted = held.groupBy("kind", "id_key").agg(
        F.count_distinct("holder").alias("persons"), F.max("is_fraud").alias("is_fraud")
    )
    shared = counted.where((F.col("persons") > 1) & (F.col("persons") <= PLACEHOLDER))
    mine = held.where("person_key is not null").select("person_key", "kind", "id_key").distinct()
    most = F.max(F.struct("persons", "kind")).alias("most")
    by_person = (
        mine.join(shared, ["kind", "id_key"]).groupBy("person_key").agg(most, F.max("is_fraud").alias("is_fraud"))
    )
    return by_person.select(
        "person_key", F.col("most.kind").alias("kind"), F.col("most.persons").alias("persons"), "is_fraud"
    )


def _applicants(applications: DataFrame) -> DataFrame:
    """One row an application and shared kind of identifier: application_id, stranger, kind, id_key."""
    stranger = F.coalesce("id_national_key", "id_phone_key").alias("stranger")
    cells = [_cell(kind, F.col(f"id_{kind}_key")) for kind in SHARED_KINDS]
    # The last byte of a perceptual hash turns with the light.
    cells.append(_cell(BACKGROUND, F.substring("background_hash", 1, 14)))
    exploded = applications.select("application_id", stranger, F.explode(F.array(*cells)).alias("cell"))
    known = exploded.where("cell.id_key is not null")
    return known.select("application_id", "stranger", "cell.kind", "cell.id_key")


def _cell(kind: str, value: Column) -> Column:
    return F.struct(F.lit(kind).alias("kind"), value.alias("id_key"))
