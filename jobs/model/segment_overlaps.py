"""How many people each pair of segments has in common."""

from __future__ import annotations

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.runtime.shell import Shell
from jobs.tables.model import SEGMENT_MEMBERS, SEGMENT_OVERLAPS
from segments.profiles import SMALLEST_CELL

MAX_PAIRS = 200_000
COLUMNS = ["segment", "other", "people", "share", "other_share"]


@job(reads={"members": SEGMENT_MEMBERS}, writes=SEGMENT_OVERLAPS)
def segment_overlaps(members: DataFrame, *, shell: Shell) -> pd.DataFrame:
    """One row a pair, the first name first.

    Left out where the common people, or those of either segment outside the other, are some but fewer than
    SMALLEST_CELL.
    """
    sizes = shell.small(members.groupBy("segment").agg(F.count("*").alias("size")), MAX_PAIRS, ["segment"])
    mine = members.select("segment", "prospect_key")
    theirs = members.select(F.col("segment").alias("other"), "prospect_key")
    both = mine.join(theirs, "prospect_key").where(F.col("segment") < F.col("other"))
    counted = both.groupBy("segment", "other").agg(F.count("*").alias("people"))
    pairs = shell.small(counted, MAX_PAIRS, ["segment", "other"])
    size = sizes.set_index("segment")["size"]
    own, other = (pairs[name].map(size).astype("float64") for name in ("segment", "other"))
    pairs = pairs.assign(share=pairs["people"] / own, other_share=pairs["people"] / other)
    kept = pairs["people"] >= SMALLEST_CELL
    for left in (own - pairs["people"], other - pairs["people"]):
        kept &= (left == 0) | (left >= SMALLEST_CELL)
    return pairs.loc[kept, COLUMNS].reset_index(drop=True)
