"""Which prospect rows are one person, which of them is sent, and whom each identifier belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.link.components import components
from jobs.link.identifiers import STRONG, laid_out, person_key
from jobs.link.identity.conflicts import NATIONAL, settled
from jobs.link.identity.ties import over_shared, stars, usable
from jobs.runtime.conf import Conf
from jobs.tables.ingest import ID_TYPES, PROSPECTS
from jobs.tables.link import DROPPED_LINKS, IDENTIFIER_OWNERS, PEOPLE

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from jobs.runtime.shell import Shell

# Of a node "YYYY-MM-DD|prospect key".
FOUNDER_AT, FOUNDER_LENGTH = 12, 128


@job(reads={"prospects": PROSPECTS.upto()}, writes=(PEOPLE, IDENTIFIER_OWNERS, DROPPED_LINKS))
def people(prospects: DataFrame, *, conf: Conf, shell: Shell) -> tuple[DataFrame, DataFrame, DataFrame]:
    """Join prospect rows that share a strong identifier today; remember every identifier a prospect ever had.

    Everybody ever landed stays a person; only rows of the newest snapshot are sent. An identifier that more than
    `link.max_shared` prospects share joins nobody, nor does one of two people with national identifiers of their own,
    and one that several people had belongs to none of them. A person's key is that of the row known longest, so that
    who arrives changes nobody's.
    """
    held = shell.cut(_held(prospects))
    listed = shell.cut(_listed(prospects))
    strong = held.where("is_current").where(F.col("kind").isin(*STRONG))
    ties = shell.cut(usable(strong, conf.base.link.max_shared))
    nationals = strong.where(F.col("kind") == NATIONAL).select("node", F.col("id_key").alias("national"))
    labels, refused = settled(components(stars(ties), shell), ties, nationals, shell)
    founder = F.substring(F.coalesce("label", "node"), FOUNDER_AT, FOUNDER_LENGTH)
    named = listed.join(labels, "node", "left").select(*listed.columns, person_key(founder).alias("person_key"))
    persons = shell.cut(_with_sent(named))
    dropped = over_shared(strong, conf.base.link.max_shared).union(refused)
    return persons.select(*[c.name for c in PEOPLE.columns]), _owners(held, persons), dropped


def _node(first_day: Column) -> Column:
    """A prospect by the day it was first landed, so that the least node of a person is the row known longest."""
    return F.concat(F.date_format(first_day, "yyyy-MM-dd"), F.lit("|"), F.col("prospect_key"))


def _held(prospects: DataFrame) -> DataFrame:
    """Each (prospect, kind, identifier) ever seen: the last day, and whether it is on the prospect's newest row."""
    known = Window.partitionBy("prospect_key")
    rows = prospects.select("day", "prospect_key", *[f"id_{kind}_key" for kind in ID_TYPES])
    told = rows.withColumn("_newest", F.max("day").over(known)).withColumn("node", _node(F.min("day").over(known)))
    long = laid_out(told, "prospect_key", "node", "day", "_newest")
    return long.groupBy("prospect_key", "node", "rank", "kind", "id_key").agg(
        F.max("day").alias("last_day"), (F.max("day") == F.max("_newest")).alias("is_current")
    )


def _listed(prospects: DataFrame) -> DataFrame:
    """One row a prospect from its newest snapshot: how many identifiers, since when, whether still listed."""
    present = [F.col(f"id_{kind}_key").isNotNull().cast("int") for kind in ID_TYPES]
    count = sum(present[1:], start=present[0])
    state = F.struct("day", count.alias("identifiers"), "registered_at")
    one = prospects.groupBy("prospect_key").agg(F.max(state).alias("_state"), F.min("day").alias("_first"))
    snapshot = prospects.agg(F.max("day").alias("_snapshot"))
    return one.crossJoin(snapshot).select(
        "prospect_key",
        _node(F.col("_first")).alias("node"),
        "_state.identifiers",
        "_state.registered_at",
        (F.col("_state.day") == F.col("_snapshot")).alias("is_listed"),
    )


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
