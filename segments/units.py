"""Numbers whose unit a snapshot changed: found by quartiles that all moved by one factor, and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

QUARTERS = (0.25, 0.5, 0.75)
LEAST_PEOPLE = 200  # with a value; quartiles of fewer say too little
LEAST_FACTOR = 5.0  # smaller moves may be what they seem
ALIKE = 0.2  # how far the quartiles may move apart, in logs: more is another distribution, not another unit


@dataclass(frozen=True)
class Change:
    """A feature whose values in one snapshot are `factor` times what they are in the usual unit."""

    feature: str
    snapshot_day: date
    factor: float
    people: int


def unit_changes(quartiles: pd.DataFrame) -> list[Change]:
    """From feature, snapshot_day, people and lower, middle, upper, in any order; the usual unit is the first one's.

    A snapshot is held against the newest before it, in the usual unit, so that slow drift is followed. Features with a
    quartile of 0 or below are left alone.
    """
    found = []
    for feature, mine in quartiles.sort_values(["feature", "snapshot_day"]).groupby("feature"):
        usual: NDArray[np.float64] | None = None
        for row in mine.to_dict("records"):
            told = np.array([row["lower"], row["middle"], row["upper"]], dtype=np.float64)
            if row["people"] < LEAST_PEOPLE or not (told > 0).all():
                continue
            logs = np.log(told)
            moved = 0.0 if usual is None else float(np.median(logs - usual))
            is_unit = usual is not None and np.abs(logs - usual - moved).max() <= ALIKE
            if is_unit and abs(moved) >= np.log(LEAST_FACTOR):
                factor = float(np.exp(moved))
                found.append(Change(str(feature), row["snapshot_day"], factor, int(row["people"])))
                logs = logs - moved
            usual = logs
    return found


def quartiles_of(prospects: DataFrame, numeric: tuple[str, ...]) -> DataFrame:
    """Of every snapshot (`day`) and number: feature, snapshot_day, people with a value, lower, middle, upper."""
    cut = ", ".join(str(q) for q in QUARTERS)
    pairs = [F.struct(F.lit(n).alias("feature"), F.col(f"`{n}`").cast("double").alias("value")) for n in numeric]
    long = prospects.select(F.col("day").alias("snapshot_day"), F.explode(F.array(*pairs)).alias("told"))
    known = long.select("snapshot_day", "told.*").where("value is not null")
    grouped = known.groupBy("feature", "snapshot_day").agg(
        F.count("*").alias("people"), F.expr(f"percentile_approx(value, array({cut}), 10000)").alias("at")
    )
    names = ("lower", "middle", "upper")
    return grouped.select("feature", "snapshot_day", "people", *[F.col("at")[n].alias(x) for n, x in enumerate(names)])


def in_usual_units(prospects: DataFrame, changes: Mapping[tuple[str, date], float]) -> DataFrame:
    """Snapshots (with their `day`) whose changed values are divided by their factor; other columns as they are."""
    found = prospects
    for name in sorted({feature for feature, _ in changes}):
        factor = F.lit(1.0)
        for (feature, day), times in sorted(changes.items()):
            if feature == name:
                factor = F.when(F.col("day") == F.lit(day), F.lit(times)).otherwise(factor)
        value = F.col(f"`{name}`").cast("double")
        found = found.withColumn(name, F.when(factor == 1.0, value).otherwise(value / factor))
    return found
