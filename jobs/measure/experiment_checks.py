"""Whether the holdout is as large as it was drawn, and how far attribution is from what experiments say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.experiments.balance import balance
from jobs.measure.experiments.calibration import calibration
from jobs.measure.metrics import ALL
from jobs.runtime.conf import Conf
from jobs.tables.activate import ELIGIBILITY
from jobs.tables.measure.costs import CAMPAIGN_COSTS
from jobs.tables.measure.experiments import CALIBRATIONS, CHANNEL_LIFT, HOLDOUT_BALANCE

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

MAX_CELLS = 100_000
ARM = ["period", "channel"]
# What is counted of each outcome, and the money of the same months.
COUNTED = {"applied": ("applications", "spend"), "funded": ("funded", "spend"), "good": ("good_mature", "spend_mature")}


@job(
    reads={"eligibility": ELIGIBILITY, "lift": CHANNEL_LIFT, "costs": CAMPAIGN_COSTS},
    writes=(HOLDOUT_BALANCE, CALIBRATIONS),
)
def experiment_checks(
    eligibility: DataFrame, lift: DataFrame, costs: DataFrame, *, conf: Conf, shell: Shell
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts of both arms against the share that was drawn; attributed outcomes against incremental ones."""
    import pandas as pd

    counts = shell.small(_arms(eligibility), MAX_CELLS, ["basis", "channel"])
    fair = shell.small(lift.where("is_randomised"), MAX_CELLS, [*ARM, "outcome"])
    attributed = shell.small(costs.where(F.col("band") == ALL), MAX_CELLS, ARM)
    beside = {(row["period"], row["channel"]): row for row in attributed.to_dict("records")}
    factors = [
        _factor(row, beside[arm])
        for row in fair.to_dict("records")
        if (arm := (row["period"], row["channel"])) in beside and row["spend"] > 0
    ]
    share = conf.policy.holdout_share
    return (
        pd.DataFrame(_balances(counts, share), columns=[c.name for c in HOLDOUT_BALANCE.columns]),
        pd.DataFrame(factors, columns=[c.name for c in CALIBRATIONS.columns]),
    )


def _arms(eligibility: DataFrame) -> DataFrame:
    """People of both arms: everybody, and on each channel those whom every other gate lets through."""
    people = eligibility.groupBy("person_key").agg(F.max("is_holdout").alias("is_holdout"))
    drawn = people.select(F.lit("drawn").alias("basis"), F.lit(ALL).alias("channel"), "is_holdout")
    is_open = F.col("is_eligible") | (F.col("reason") == "holdout")
    one = eligibility.where(is_open).groupBy("channel", "person_key").agg(F.max("is_holdout").alias("is_holdout"))
    reachable = one.select(F.lit("reachable").alias("basis"), "channel", "is_holdout")
    held = F.count_if("is_holdout")
    return (
        drawn.union(reachable)
        .groupBy("basis", "channel")
        .agg((F.count("*") - held).alias("people"), held.alias("held_out"))
    )


def _balances(counts: pd.DataFrame, share: float) -> list[dict[str, Any]]:
    if not 0 < share < 1:
        return []
    told = []
    for row in counts.to_dict("records"):
        found = balance((int(row["people"]), int(row["held_out"])), (1 - share, share))
        named = {str(name): value for name, value in row.items()}
        told.append(named | {"share": share, "p": found.p, "is_mismatch": found.is_mismatch})
    return told


def _factor(lift: dict[Any, Any], costs: dict[Any, Any]) -> dict[str, Any]:
    """Incremental over attributed outcomes, both for the money that attribution speaks of."""
    counted, money = COUNTED[lift["outcome"]]
    count, spend = float(costs[counted]), float(costs[money])
    scale = lift["assigned"] * spend / lift["spend"]
    gained = (lift["lift"] * scale, lift["lift_lo"] * scale, lift["lift_hi"] * scale)
    found = calibration(gained, count)
    is_nothing = lift["lift_lo"] <= 0 <= lift["lift_hi"]
    return {
        "period": lift["period"],
        "channel": lift["channel"],
        "outcome": lift["outcome"],
        "attributed": count / spend if spend else 0.0,
        "incremental": lift["assigned"] * lift["lift"] / lift["spend"],
        "factor": None if is_nothing else found.factor,
        "factor_lo": found.lo,
        "factor_hi": found.hi,
        "reason": "no_outcome" if found.factor is None else "not_identified" if is_nothing else None,
    }
