"""How each segment's size and people have moved in a week."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.runtime.shell import Shell
from jobs.tables.ingest import PROSPECTS
from jobs.tables.model import SEGMENT_DRIFTS, SEGMENT_MEMBERS
from segments.profiles import SMALLEST_CELL
from segments.stability import psi_noise, psi_of_counts

WEEK, LOOK_BACK = 7, 13
MAX_SEGMENTS = 10_000
CLUSTERS = "(clusters)"  # all of them at once: how people are spread over them
COLUMNS = [c.name for c in SEGMENT_DRIFTS.columns]


@job(
    reads={"members": SEGMENT_MEMBERS, "earlier": SEGMENT_MEMBERS.before(LOOK_BACK), "prospects": PROSPECTS.upto()},
    writes=SEGMENT_DRIFTS,
)
def segment_drifts(
    members: DataFrame, earlier: DataFrame, prospects: DataFrame, *, day: date, shell: Shell
) -> pd.DataFrame:
    """Against the newest day at least a week back, of the last LOOK_BACK; without one, sizes only.

    PSI is of who is in and who is not, among all prospects of either day; of CLUSTERS, of all clusters together. Most
    prospects are the same people on both days, so chance moves less than `noise` says. Cells under SMALLEST_CELL
    people are left out.
    """
    old = earlier.where(F.col("day") <= F.lit(day - timedelta(days=WEEK)))
    then = shell.small(old.agg(F.max("day").alias("day")), 1)["day"].iloc[0]
    known = shell.small(prospects.groupBy("day").agg(F.count("*").alias("people")), MAX_SEGMENTS, ["day"])
    past = old.where(F.col("day") == F.lit(then)) if then is not None else old.limit(0)
    found = _counted(members, past, shell)
    everybody = _everybody(known, day)
    before = None if then is None else _everybody(known, then)
    found = found.assign(share=found["people"] / max(everybody, 1), earlier_day=then)
    if before is None:
        unknown = found.assign(**dict.fromkeys(COLUMNS[4:], None))
        return unknown[unknown["people"] >= SMALLEST_CELL][COLUMNS].reset_index(drop=True)
    psis = [
        psi_of_counts([a, max(before - a, 0)], [b, max(everybody - b, 0)])
        for a, b in zip(found["earlier_people"], found["people"], strict=True)
    ]
    told = found.assign(
        earlier_share=found["earlier_people"] / max(before, 1), psi=psis, noise=psi_noise(before, everybody, 2)
    )
    told = pd.concat([told, _of_clusters(told)], ignore_index=True)
    return _without_small_cells(told)[COLUMNS]


def _everybody(known: pd.DataFrame, day: date) -> int:
    """People of the snapshot in force on a day."""
    so_far = known[known["day"] <= day]["people"]
    return 0 if so_far.empty else int(so_far.iloc[-1])


def _counted(members: DataFrame, old: DataFrame, shell: Shell) -> pd.DataFrame:
    """segment, kind, people, earlier_people, entered, departed."""
    key = ["segment", "kind", "prospect_key"]
    now = members.select(*key, F.lit(1).alias("now"))
    then = old.select(*key, F.lit(1).alias("then"))
    both = now.join(then, key, "full")
    counted = both.groupBy("segment", "kind").agg(
        F.count("now").alias("people"),
        F.count("then").alias("earlier_people"),
        F.count_if(F.col("then").isNull()).alias("entered"),
        F.count_if(F.col("now").isNull()).alias("departed"),
    )
    return shell.small(counted, MAX_SEGMENTS, ["segment", "kind"])


def _of_clusters(told: pd.DataFrame) -> pd.DataFrame:
    """One row for all clusters: those who changed clusters entered one and departed from another."""
    own = told[told["kind"] == "cluster"]
    if len(own) < 2 or not own["earlier_people"].sum():
        return own[:0]
    sums = own[["people", "earlier_people", "share", "earlier_share", "entered", "departed"]].sum()
    psi = psi_of_counts(own["earlier_people"], own["people"])
    noise = psi_noise(int(sums["earlier_people"]), int(sums["people"]), len(own))
    row = {**sums, "segment": CLUSTERS, "kind": "cluster", "earlier_day": own["earlier_day"].iloc[0]}
    return pd.DataFrame([{**row, "psi": psi, "noise": noise}])


def _without_small_cells(told: pd.DataFrame) -> pd.DataFrame:
    """Segments of enough people now; what is told of the past, and of who came and went, where those are enough too."""
    kept = told[told["people"] >= SMALLEST_CELL].reset_index(drop=True)
    was_small = kept["earlier_people"].between(1, SMALLEST_CELL - 1)
    few_moved = kept["entered"].between(1, SMALLEST_CELL - 1) | kept["departed"].between(1, SMALLEST_CELL - 1)
    moved, past = ["entered", "departed"], ["earlier_people", "earlier_share", "psi", "noise"]
    kept = kept.astype(dict.fromkeys([*moved, *past], "float64"))
    kept.loc[few_moved | was_small, moved] = np.nan
    kept.loc[was_small, past] = np.nan
    kept["people"] = kept["people"].astype("int64")
    return kept.astype(dict.fromkeys(["earlier_people", *moved], "Int64"))
