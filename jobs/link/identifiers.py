"""How a record finds its person: identifiers laid out long, strongest first, joined to their sole owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# Strongest first: what decides when a record's identifiers disagree.
STRENGTH = ("national", "account", "phone", "email", "click", "device", "cookie")
# Sharing one of these makes two prospect rows one person; devices and cookies are shared in households.
STRONG = ("national", "account", "phone", "email")


def person_key(prospect_key: Column) -> Column:
    """The pseudonym of the person whose smallest prospect key this is."""
    return F.substring(F.sha2(F.concat(F.lit("person|"), prospect_key), 256), 1, 32)


def laid_out(frame: DataFrame, *keep: str, kinds: tuple[str, ...] = STRENGTH) -> DataFrame:
    """One row an identifier present: the `keep` columns, rank (0 strongest), kind, id_key."""
    cells = [
        F.struct(
            F.lit(STRENGTH.index(kind)).alias("rank"),
            F.lit(kind).alias("kind"),
            F.col(f"id_{kind}_key").alias("id_key"),
        )
        for kind in kinds
    ]
    present = F.filter(F.array(*cells), lambda cell: cell["id_key"].isNotNull())
    exploded = frame.select(*keep, F.explode(present).alias("_cell"))
    return exploded.select(*keep, "_cell.rank", "_cell.kind", "_cell.id_key")


def linked(frame: DataFrame, key: str, owners: DataFrame) -> DataFrame:
    """(key, prospect_key, person_key, link_type) of the rows whose strongest known identifier has one owner.

    `owners`: kind, id_key (unique together), prospect_key, person_key. At most one row a key.
    """
    candidates = laid_out(frame, key).join(
        owners.select("kind", "id_key", "prospect_key", "person_key"), ["kind", "id_key"]
    )
    best = candidates.groupBy(key).agg(
        F.min(F.struct("rank", "kind", "id_key", "prospect_key", "person_key")).alias("_best")
    )
    return best.select(key, "_best.prospect_key", "_best.person_key", F.col("_best.kind").alias("link_type"))


def sole_owners(identifier_owners: DataFrame) -> DataFrame:
    """The identifiers that belong to exactly one person."""
    return identifier_owners.where("person_key is not null").select("kind", "id_key", "prospect_key", "person_key")


def click_owners(touches: DataFrame) -> DataFrame:
    """Who a click identifier belongs to, by the linked touches that carry it; several people: left out."""
    seen = touches.where("id_click_key is not null and person_key is not null")
    owned = seen.groupBy(F.col("id_click_key").alias("id_key")).agg(
        F.min("person_key").alias("person_key"),
        F.max("person_key").alias("_other"),
        F.min("prospect_key").alias("prospect_key"),
    )
    return owned.where("person_key = _other").select(
        F.lit("click").alias("kind"), "id_key", "prospect_key", "person_key"
    )
