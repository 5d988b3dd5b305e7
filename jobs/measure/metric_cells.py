"""The cells metrics are told of: each source's sums by month, channel, campaign and band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from jobs.measure.credit import UNATTRIBUTED
from jobs.measure.metrics import ALL, DECIDED, TOTAL
from jobs.tables.measure.costs import BOOK, COUNTS
from jobs.tables.measure.experiments import LIFT_OUTCOMES
from jobs.tables.measure.loans import DEVELOPED, OBSERVED, PAST_DUE_DAYS
from segments.money import to_major
from segments.outcomes import EARLY_MONTHS, GOOD_MONTHS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

GRAIN = ["period", "channel", "campaign", "band"]
MONEY = {"principal": "principal_minor", "fraud_principal": "fraud_minor"} | {
    name: f"{name}_minor"
    for name in ("lost", "interest", "balance_months", "expected_loss", "interest_ahead", "balance_months_ahead")
}
BILLED = ("impressions", "billed_clicks", "claimed")
CAMPAIGN = "campaign"
AMOUNTS = {"late_principal": "late_minor", "owed": "owed_minor", "net": "net_minor"}
AGES = (EARLY_MONTHS, 6, GOOD_MONTHS)


@dataclass(frozen=True)
class Cells:
    """One row a cell: GRAIN, what metrics may name, and each flag of DECIDED; and why a figure may not be there."""

    frame: DataFrame
    no_num: str
    no_den: str


def cost_cells(costs: DataFrame, ledger: DataFrame, currency: str) -> Cells:
    """Sums of channel_costs: months by channel, each whole, by campaign and by band; what is billed has no bands."""
    rows = costs.withColumn("campaign", F.coalesce("campaign", F.lit(ALL)))
    for flag in DECIDED.values():
        rows = rows.withColumn(flag, F.min(flag).over(Window.partitionBy("period", "channel")))
    splits = F.array(_split(F.lit(ALL), F.lit(ALL)), _split("campaign", F.lit(ALL)), _split(F.lit(ALL), "band"))
    laid = _by_channel(rows, splits)
    sums = [F.sum(name).alias(name) for name in ("spend", *[c.name for c in (*COUNTS, *BOOK)])]
    linked = F.sum(F.when(F.col("_is_paid"), F.col("applications")).otherwise(0)).alias("linked")
    summed = laid.groupBy(*GRAIN).agg(*sums, linked, *[F.min(flag).alias(flag) for flag in DECIDED.values()])
    money = [to_major(F.col(minor), currency).alias(name) for name, minor in MONEY.items()]
    return Cells(summed.join(_billed(ledger), GRAIN, "left").select("*", *money), "not_told", "no_outcome")


def lift_cells(lift: DataFrame) -> Cells:
    """What lists drawn at random added: `spend_`, `added_`, `lift_` and `cost_` (the ends alone) of each outcome."""
    fair = lift.where("is_randomised")
    columns = [
        _of(F.col("outcome") == outcome, column).alias(f"{name}_{outcome}{end}")
        for outcome in LIFT_OUTCOMES
        for name, end, column in (
            ("spend", "", F.col("spend")),
            ("added", "", F.when(F.col("reason").isNull(), F.col("assigned") * F.col("lift"))),
            ("lift", "", F.col("lift")),
            ("lift", "_lo", F.col("lift_lo")),
            ("lift", "_hi", F.col("lift_hi")),
            ("cost", "_lo", F.col("incremental_cost_lo")),
            ("cost", "_hi", F.col("incremental_cost_hi")),
        )
    ]
    return Cells(_whole(fair.groupBy("period", "channel").agg(*columns)), "no_outcome", "not_identified")


def band_cells(bands: DataFrame) -> Cells:
    """Of each band that was sent: `rate_`, `whole_rate_` and the ends of `lift_` of each outcome."""
    columns = [
        _of(F.col("outcome") == outcome, F.col(told)).alias(f"{name}_{outcome}{end}")
        for outcome in LIFT_OUTCOMES
        for name, end, told in (
            ("rate", "", "rate"),
            ("whole_rate", "", "whole_rate"),
            ("lift", "_lo", "lift_lo"),
            ("lift", "_hi", "lift_hi"),
        )
    ]
    whole = bands.withColumns({"period": F.lit(CAMPAIGN), "channel": F.lit(ALL)})
    cells = _whole(whole.groupBy("period", "channel", "band").agg(*columns).withColumnRenamed("band", "_band"))
    return Cells(cells.withColumn("band", F.col("_band")).drop("_band"), "not_told", "no_outcome")


def vintage_cells(vintages: DataFrame, currency: str) -> Cells:
    """By month of funding: `loans`, `late_<days>_<months>`, and `developed_<days>_12` with its ends.

    In money: `principal`, and `late_principal_`, `owed_` and `net_<days>_<months>`.
    """
    seen, ahead = F.col("maturity") == OBSERVED, F.col("maturity") == DEVELOPED
    principal = to_major(F.max("principal_minor"), currency).alias("principal")
    columns = [F.max("loans").alias("loans"), principal]
    for days in PAST_DUE_DAYS:
        is_meant = F.col("days_past_due") == days
        columns += [
            _of(is_meant & seen & (F.col("months_on_book") == age), F.col("late")).alias(f"late_{days}_{age}")
            for age in AGES
        ]
        columns += [
            to_major(_of(is_meant & seen & (F.col("months_on_book") == age), F.col(minor)), currency).alias(
                f"{name}_{days}_{age}"
            )
            for age in AGES
            for name, minor in AMOUNTS.items()
        ]
        columns += [
            _of(is_meant & ahead, F.col(told)).alias(f"developed_{days}_{GOOD_MONTHS}{end}")
            for end, told in (("", "rate"), ("_lo", "lo"), ("_hi", "hi"))
        ]
    # Its (all) is of every loan, with and without a touch.
    channel = F.when(F.col("channel") == ALL, TOTAL).otherwise(F.col("channel"))
    rows = vintages.withColumn("period", F.col("vintage")).withColumn("channel", channel)
    return Cells(_whole(rows.groupBy("period", "channel").agg(*columns)), "immature", "no_outcome")


def delivery_cells(deliveries: DataFrame) -> Cells:
    """`uploaded` and `matched` of each month's lists, as last reported in the month."""
    told = deliveries.where("uploaded is not null and matched is not null")
    period = F.date_format("reported_day", "yyyy-MM").alias("period")
    last = told.groupBy(period, "channel", "audience").agg(
        F.max_by(F.struct("uploaded", "matched"), "reported_day").alias("_last")
    )
    laid = last.select("period", F.explode(F.array("channel", F.lit(ALL))).alias("channel"), "_last.*")
    sums = [F.sum(name).alias(name) for name in ("uploaded", "matched")]
    return Cells(_whole(laid.groupBy("period", "channel").agg(*sums)), "not_told", "no_outcome")


def _billed(ledger: DataFrame) -> DataFrame:
    """What platforms tell of each cell without a band; null where a platform tells nothing."""
    named = ledger.select(
        F.date_format("spend_day", "yyyy-MM").alias("period"),
        "channel",
        F.col("campaign"),
        F.lit(ALL).alias("band"),
        "impressions",
        F.col("clicks").alias("billed_clicks"),
        "claimed",
    )
    splits = F.array(_split(F.lit(ALL), F.lit(ALL)), _split("campaign", F.lit(ALL)))
    return _by_channel(named, splits).groupBy(*GRAIN).agg(*[F.sum(name).alias(name) for name in BILLED])


def _split(campaign: str | Column, band: str | Column) -> Column:
    columns = (F.col(part) if isinstance(part, str) else part for part in (campaign, band))
    return F.struct(*[c.alias(name) for c, name in zip(columns, ("campaign", "band"), strict=True)])


def _by_channel(rows: DataFrame, splits: Column) -> DataFrame:
    """Each row under its channel and those it is part of, and under each split; with `_is_paid`."""
    is_paid = F.col("channel") != UNATTRIBUTED
    wholes = F.when(is_paid, F.array("channel", F.lit(ALL), F.lit(TOTAL))).otherwise(F.array("channel", F.lit(TOTAL)))
    # A row without a campaign, or of a month with one band, would come twice: what it is part of is one set.
    laid = rows.select("*", is_paid.alias("_is_paid"), F.explode(F.array_distinct(splits)).alias("_split"))
    named = laid.select("*", F.explode(wholes).alias("_channel")).drop("channel", "campaign", "band")
    return named.select("*", F.col("_channel").alias("channel"), "_split.*").drop("_channel", "_split")


def _of(is_meant: Column, column: Column) -> Column:
    return F.max(F.when(is_meant, column))


def _whole(cells: DataFrame) -> DataFrame:
    """Cells of a source that knows neither campaigns nor bands, and tells decided figures alone."""
    decided = [F.lit(True).alias(flag) for flag in DECIDED.values()]
    return cells.select("*", F.lit(ALL).alias("campaign"), F.lit(ALL).alias("band"), *decided)
