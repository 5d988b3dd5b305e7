"""What each band and segment is made of: size, features that lift, best channels, expected figures."""

from __future__ import annotations

from functools import reduce

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.model.person_features import person_features
from jobs.runtime.conf import Conf
from jobs.runtime.shell import Shell
from jobs.tables.ingest import PROSPECTS
from jobs.tables.model import PROFILES, SCORES, SEGMENT_MEMBERS
from segments.profiles import SMALLEST_CELL, level, lifts, shares

EVERYBODY = ("all", "all")
MAX_CELLS = 200_000
EXPECTED = ("expected_cost", "p_apply", "p_approve", "p_fund", "p_late", "p_fraud", "incremental_good")
COLUMNS = ["kind", "name", "section", "item", "people", "value", "reference", "lift"]


@job(reads={"prospects": PROSPECTS.latest(), "scores": SCORES, "members": SEGMENT_MEMBERS}, writes=PROFILES)
def profiles(prospects: DataFrame, scores: DataFrame, members: DataFrame, *, conf: Conf, shell: Shell) -> pd.DataFrame:
    """Figures on each prospect's best channel: the one that wins most incremental good customers.

    Features are told by level or quarter, each share beside everybody's; no cell of fewer than SMALLEST_CELL people.
    """
    best = _best(scores)
    people = _with_items(prospects, conf, shell).join(best, "prospect_key")
    groups = _groups(people, members)
    facts = shell.cut(groups.join(people, "prospect_key"))
    means = [F.avg(F.col(name).cast("decimal(38,12)")).cast("double").alias(name) for name in EXPECTED]
    sized = facts.groupBy("kind", "name").agg(F.count("*").alias("size"), *means)
    sizes = shell.small(sized, MAX_CELLS, ["kind", "name"])
    if sizes.empty:
        return pd.DataFrame(columns=COLUMNS)
    told = shares(facts).where(F.col("people") >= SMALLEST_CELL)  # a category may have as many levels as people
    counts = shell.small(told, MAX_CELLS, ["kind", "name", "item"])
    channels = shell.small(shares(facts.withColumn("items", F.array("channel"))), MAX_CELLS, ["kind", "name", "item"])
    plain = sizes[["kind", "name", "size"]]
    parts = [
        _sizes(plain),
        lifts(counts, plain, EVERYBODY, "feature"),
        lifts(channels, plain, EVERYBODY, "channel"),
        _expected(sizes),
    ]
    found = pd.concat([part for part in parts if len(part)], ignore_index=True)
    kept = found[(found["people"] >= SMALLEST_CELL) & (found["kind"] != EVERYBODY[0])]
    return kept.sort_values(["kind", "name", "section", "item"], ignore_index=True)[COLUMNS]


def _best(scores: DataFrame) -> DataFrame:
    good = (F.col("p_apply") - F.col("p_organic")) * F.col("p_approve") * F.col("p_fund") * F.col("p_good")
    told = scores.withColumn("incremental_good", F.round(good, 12))
    picked = F.max_by(F.struct("channel", "band", *EXPECTED), F.struct("incremental_good", "channel"))
    return told.groupBy("prospect_key").agg(picked.alias("best")).select("prospect_key", "best.*")


def _with_items(prospects: DataFrame, conf: Conf, shell: Shell) -> DataFrame:
    """prospect_key and `items`: one word for each feature."""
    features = person_features(conf)
    quarters = [F.percentile_approx(f"`{n}`", [0.25, 0.5, 0.75], 100_000).alias(n) for n in features.numeric]
    cuts = shell.small(prospects.agg(F.count("*").alias("_rows"), *quarters), 1).iloc[0]
    words: list[Column] = []
    for name in features.numeric:
        found = cuts[name]
        words.append(level(name, "numeric", [] if found is None else [float(v) for v in found]))
    words += [level(name, "categorical", []) for name in features.categorical]
    return prospects.select("prospect_key", F.array(*words).alias("items"))


def _groups(people: DataFrame, members: DataFrame) -> DataFrame:
    everybody = people.select(F.lit(EVERYBODY[0]).alias("kind"), F.lit(EVERYBODY[1]).alias("name"), "prospect_key")
    bands = people.select(F.lit("band").alias("kind"), F.col("band").alias("name"), "prospect_key")
    segments = members.select(F.lit("segment").alias("kind"), F.col("segment").alias("name"), "prospect_key")
    return reduce(DataFrame.unionByName, [everybody, bands, segments])


def _sizes(sizes: pd.DataFrame) -> pd.DataFrame:
    everybody = float(sizes.loc[sizes["kind"] == EVERYBODY[0], "size"].iloc[0])
    return sizes.assign(
        section="size",
        item="people",
        people=sizes["size"],
        value=sizes["size"] / everybody,
        reference=1.0,
        lift=float("nan"),
    )


def _expected(sizes: pd.DataFrame) -> pd.DataFrame:
    everybody = sizes[sizes["kind"] == EVERYBODY[0]].iloc[0]
    parts = []
    for name in EXPECTED:
        reference = float(everybody[name])
        lift = sizes[name] / reference if reference else None
        parts.append(
            sizes[["kind", "name"]].assign(
                section="expected", item=name, people=sizes["size"], value=sizes[name], reference=reference, lift=lift
            )
        )
    return pd.concat(parts, ignore_index=True)
