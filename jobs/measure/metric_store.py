"""Every metric of conf/metrics.yaml at every grain that is shown: the one place figures come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pyspark.sql import Window
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.credit import UNATTRIBUTED
from jobs.measure.metrics import ALL, STANDARD, parts
from jobs.runtime.conf import Conf, MetricConf
from jobs.tables.measure import CHANNEL_COSTS, COUNTS, METRIC_STORE
from segments.intervals import poisson_bounds, wilson_bounds

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

GRAIN = ["period", "channel", "campaign", "band"]
SUMS = ["spend", *[c.name for c in COUNTS]]
MAX_CELLS = 500_000


@job(reads={"costs": CHANNEL_COSTS}, writes=METRIC_STORE)
def metric_store(costs: DataFrame, *, conf: Conf, shell: Shell) -> pd.DataFrame:
    """One row a metric and cell: sums first, then the ratio; a cell is open while anything credited to it may turn.

    Cells: each month's channels by campaign, by band, and whole; the channels `(all)` leave out the unattributed.
    """
    import pandas as pd

    metrics = STANDARD | conf.metrics
    cells = _summed(costs)
    asked = [
        column.alias(f"{name}|{part}")
        for name, definition in metrics.items()
        for part, column in zip(("num", "den", "is_told"), parts(definition), strict=True)
    ]
    wide = shell.small(cells.select(*GRAIN, "is_mature", *asked), MAX_CELLS, GRAIN)
    told = [_told(name, definition, wide) for name, definition in metrics.items()]
    return pd.concat(told, ignore_index=True)[[c.name for c in METRIC_STORE.columns]]


def _summed(costs: DataFrame) -> DataFrame:
    """Sums of every shown cell, whole and of decided months alone (`<figure>_mature`)."""
    whole = Window.partitionBy("period", "channel")
    decided = F.min(F.col("is_mature").cast("int")).over(whole) == 1
    rows = costs.withColumn("_decided", decided).withColumn("campaign", F.coalesce("campaign", F.lit(ALL)))
    paid = F.col("channel") != UNATTRIBUTED
    channels = F.when(paid, F.array("channel", F.lit(ALL))).otherwise(F.array("channel"))
    every = F.lit(ALL)
    splits = F.array(
        F.struct(every.alias("campaign"), every.alias("band")),
        F.struct(F.col("campaign"), every.alias("band")),
        F.struct(every.alias("campaign"), F.col("band")),
    )
    # A row without a campaign, or of a month with one band, would come twice: what it is part of is one set.
    laid = rows.withColumn("_split", F.explode(F.array_distinct(splits))).withColumn("_channel", F.explode(channels))
    sums = [F.sum(name).alias(name) for name in SUMS]
    mature = [F.sum(F.when(F.col("_decided"), F.col(name)).otherwise(0)).alias(f"{name}_mature") for name in SUMS]
    return laid.groupBy(
        "period",
        F.col("_channel").alias("channel"),
        F.col("_split.campaign").alias("campaign"),
        F.col("_split.band").alias("band"),
    ).agg(*sums, *mature, F.min("_decided").alias("is_mature"))


def _told(name: str, definition: MetricConf, wide: pd.DataFrame) -> pd.DataFrame:
    """One metric's rows."""
    num, den = (wide[f"{name}|{part}"].to_numpy(dtype="float64") for part in ("num", "den"))
    is_told = wide[f"{name}|is_told"].to_numpy(dtype=bool)
    is_mature = wide["is_mature"].to_numpy(dtype=bool)
    has_den = definition.den is not None
    reason: Any = np.full(len(wide), None, dtype=object)
    if has_den:
        reason[(den < definition.min_n) & ~np.isnan(den)] = "too_few"
        reason[np.isnan(den) | (den == 0)] = "no_outcome"
    if definition.needs_maturity:
        reason[~is_mature] = "immature"
    reason[~is_told] = "not_told"
    is_null = np.array([one is not None for one in reason], dtype=bool)
    value = np.where(is_null, np.nan, num / np.where(den > 0, den, np.nan) if has_den else num)
    low, high = _bounds(definition, num, den)
    return wide[GRAIN].assign(
        metric=name,
        unit=definition.unit,
        num=np.where(is_told, num, np.nan),
        den=np.where(is_told, den, np.nan),
        value=value,
        lo=np.where(is_null, np.nan, low),
        hi=np.where(is_null, np.nan, high),
        maturity=np.where(is_mature, "final", "open"),
        reason=reason,
    )


def _bounds(definition: MetricConf, num: Any, den: Any) -> tuple[Any, Any]:
    nothing = np.full(len(num), np.nan)
    if definition.interval == "wilson":
        return wilson_bounds(num, den)
    if definition.interval == "poisson":
        low, high = poisson_bounds(den)
        with np.errstate(divide="ignore", invalid="ignore"):
            return num / high, np.where(low > 0, num / np.where(low > 0, low, 1.0), np.nan)
    return nothing, nothing
