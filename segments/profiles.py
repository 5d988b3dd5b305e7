"""What a profile says of a group: shares of feature levels among its people beside everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

SMALLEST_CELL = 50


def level(name: str, kind: str, cuts: Sequence[float]) -> Column:
    """A feature as one word: a category as it is, a number as the quarter it lies in, null as such."""
    from pyspark.sql import functions as F

    column = F.col(f"`{name}`")
    if kind == "categorical":
        return F.concat(F.lit(f"{name} = "), F.coalesce(column.cast("string"), F.lit("(null)")))
    words = F.lit("quarter 1")
    for at, cut in enumerate(sorted(cuts), start=2):
        words = F.when(column >= F.lit(float(cut)), F.lit(f"quarter {at}")).otherwise(words)
    return F.concat(F.lit(f"{name} "), F.when(column.isNull(), F.lit("(null)")).otherwise(words))


def shares(members: DataFrame) -> DataFrame:
    """People by (kind, name, item), from rows of one group member each with an array `items` of words."""
    from pyspark.sql import functions as F

    told = members.select("kind", "name", F.explode("items").alias("item"))
    return told.groupBy("kind", "name", "item").agg(F.count("*").alias("people"))


def lifts(counts: pd.DataFrame, sizes: pd.DataFrame, everybody: tuple[str, str], section: str) -> pd.DataFrame:
    """Shares of each group's items beside those of the group `everybody`; cells under SMALLEST_CELL are left out.

    `counts`: kind, name, item, people. `sizes`: kind, name, size. Returns the columns of the table profiles.
    """
    sized = counts.merge(sizes, on=["kind", "name"])
    sized["value"] = sized["people"] / sized["size"]
    is_all = (sized["kind"] == everybody[0]) & (sized["name"] == everybody[1])
    reference = sized[is_all][["item", "value"]].rename(columns={"value": "reference"})
    both = sized[~is_all].merge(reference, on="item", how="left")
    both["lift"] = (both["value"] / both["reference"]).where(both["reference"] > 0)
    kept = both[both["people"] >= SMALLEST_CELL].assign(section=section)
    return kept[["kind", "name", "section", "item", "people", "value", "reference", "lift"]]
