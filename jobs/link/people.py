"""Which prospect rows are one person, which of them is sent, and whom each identifier belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.link.components import components
from jobs.link.identifiers import STRONG, laid_out, person_key
from jobs.runtime.conf import Conf
from jobs.tables.ingest import ID_TYPES, PROSPECTS
from jobs.tables.link import IDENTIFIER_OWNERS, PEOPLE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell


@job(reads={"prospects": PROSPECTS.upto()}, writes=(PEOPLE, IDENTIFIER_OWNERS))
def people(prospects: DataFrame, *, conf: Conf, shell: Shell) -> tuple[DataFrame, DataFrame]:
    """Join prospect rows that share a strong identifier today; remember every identifier a prospect ever had.

    Everybody ever landed stays a person; only rows of the newest snapshot are sent. An identifier that more than
    `link.max_shared` prospects share joins nobody, and one that several people had belongs to none of them.
    """
    held = shell.cut(_held(prospects))
    listed = shell.cut(_listed(prospects))
    shared = held.where("is_current").where(F.col("kind").isin(*STRONG))
    labels = components(_edges(shared, conf.base.link.max_shared), shell)
    named = listed.join(labels, listed["prospect_key"] == labels["node"], "left").select(
        *listed.columns, person_key(F.coalesce("label", "prospect_key")).alias("person_key")
    )
    persons = shell.cut(_with_sent(named))
    return persons.select(*[c.name for c in PEOPLE.columns]), _owners(held, persons)


def _held(prospects: DataFrame) -> DataFrame:
    """Each (prospect, kind, identifier) ever seen: the last day, and whether it is on the prospect's newest row."""
    newest = F.max("day").over(Window.partitionBy("prospect_key"))
    rows = prospects.select("day", "prospect_key", *[f"id_{kind}_key" for kind in ID_TYPES])
    long = laid_out(rows.withColumn("_newest", newest), "prospect_key", "day", "_newest")
    return long.groupBy("prospect_key", "kind", "id_key").agg(
        F.max("day").alias("last_day"), (F.max("day") == F.max("_newest")).alias("is_current")
    )


def _listed(prospects: DataFrame) -> DataFrame:
    """One row a prospect from its newest snapshot: how many identifiers, since when, whether still listed."""
    present = [F.col(f"id_{kind}_key").isNotNull().cast("int") for kind in ID_TYPES]
    count = sum(present[1:], start=present[0])
    state = F.struct("day", count.alias("identifiers"), "registered_at")
    one = prospects.groupBy("prospect_key").agg(F.max(state).alias("_state"))
    snapshot = prospects.agg(F.max("day").alias("_snapshot"))
    return one.crossJoin(snapshot).select(
        "prospect_key",
        "_state.identifiers",
        "_state.registered_at",
        (F.col("_state.day") == F.col("_snapshot")).alias("is_listed"),
    )


def _edges(shared: DataFrame, max_shared: int) -> DataFrame:
    """Each holder of a shared identifier tied to its smallest holder."""
    hubs = shared.groupBy("kind", "id_key").agg(F.count("*").alias("_holders"), F.min("prospect_key").alias("b"))
    usable = hubs.where((F.col("_holders") > 1) & (F.col("_holders") <= max_shared))
    return shared.join(usable, ["kind", "id_key"]).select(F.col("prospect_key").alias("a"), "b")


def _with_sent(named: DataFrame) -> DataFrame:
    """Mark one listed row a person: most identifiers, then longest known, then smallest key."""
    by_person = Window.partitionBy("person_key")
    best = by_person.orderBy(
        F.col("is_listed").desc(),
        F.col("identifiers").desc(),
        F.col("registered_at").asc_nulls_last(),
        F.col("prospect_key").asc(),
    )
    return named.select(
        "prospect_key",
        "person_key",
        (F.col("is_listed") & (F.row_number().over(best) == 1)).alias("is_sent"),
        F.count("*").over(by_person).alias("prospects"),
    )


def _owners(held: DataFrame, persons: DataFrame) -> DataFrame:
    """One row an identifier: its person and prospect when it has had one person only."""
    holders = held.join(persons.select("prospect_key", "person_key", "is_sent"), "prospect_key")
    # The row that carried it last, the sent one first, then the smallest key.
    age = F.datediff(F.lit("2000-01-01").cast("date"), "last_day")
    latest = F.min(F.struct(age.alias("age"), (~F.col("is_sent")).alias("is_unsent"), "prospect_key"))["prospect_key"]
    counted = holders.groupBy("kind", "id_key").agg(
        latest.alias("_prospect"),
        F.min("person_key").alias("_first"),
        F.max("person_key").alias("_last"),
        F.count_distinct("person_key").alias("persons"),
        F.count("*").alias("prospects"),
    )
    is_sole = F.col("_first") == F.col("_last")
    return counted.select(
        "kind",
        "id_key",
        F.when(is_sole, F.col("_prospect")).alias("prospect_key"),
        F.when(is_sole, F.col("_first")).alias("person_key"),
        "prospects",
        "persons",
    )
