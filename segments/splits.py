"""Integer amounts split in proportion to weights so that the parts tie: largest remainder (pure column logic)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def largest_remainder(
    frame: DataFrame, cell: list[str], part: list[str], amount: str, weight: str, into: str
) -> DataFrame:
    """`frame` with `into`: each cell's `amount` (integer, the same on its rows) split by `weight` (integer, > 0).

    Units left after rounding down go to the largest remainders, ties to the first in the order of `part`.
    A negative amount (a refund) is split as its opposite. Exact: integers and decimals only.
    """
    whole = Window.partitionBy(*cell)
    size = F.abs(F.col(amount)).cast("decimal(38,0)")
    product = size * F.col(weight).cast("decimal(18,0)")
    sized = (
        frame.withColumn("_total", F.sum(F.col(weight).cast("decimal(18,0)")).over(whole))
        .withColumn("_product", product.cast("decimal(38,0)"))
        .withColumn("_rest", F.expr("_product % _total"))
        .withColumn("_floor", F.expr("_product div _total"))
    )
    order = whole.orderBy(F.col("_rest").desc(), *[F.col(name).asc() for name in part])
    ranked = sized.withColumn("_left", F.abs(F.col(amount)) - F.sum("_floor").over(whole))
    split = F.col("_floor") + F.when(F.row_number().over(order) <= F.col("_left"), 1).otherwise(0)
    parts: Column = F.when(F.col(amount) < 0, -split).otherwise(split).cast("bigint")
    return ranked.withColumn(into, parts).drop("_total", "_product", "_rest", "_floor", "_left")
