"""What being put on a channel's audience added over being held out, reached or not (intention to treat)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.assigned import by_outcome, known
from jobs.measure.experiments.sequences import difference_at_any_time
from jobs.measure.metrics import ALL
from jobs.runtime.conf import Conf
from jobs.tables.activate import AUDIENCES
from jobs.tables.link import ASSIGNMENT_OUTCOMES
from jobs.tables.measure.costs import SPEND_LEDGER
from jobs.tables.measure.experiments import CHANNEL_LIFT
from segments.intervals import clustered, difference, incremental_cost
from segments.money import minor_digits
from segments.outcomes import APPLY_DAYS

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

ARM = ["period", "channel", "role", "outcome"]
MAX_ROWS = 200_000


@job(
    reads={"assigned": ASSIGNMENT_OUTCOMES, "spend": SPEND_LEDGER, "audiences": AUDIENCES.upto()},
    writes=CHANNEL_LIFT,
)
def channel_lift(
    assigned: DataFrame, spend: DataFrame, audiences: DataFrame, *, day: date, conf: Conf, shell: Shell
) -> pd.DataFrame:
    """Rates an assigned person and a held-out person, their difference and what an outcome more cost.

    A day's assignments count for an outcome once it is decided for all of them, and beside the held out of the same
    days only. Who was chosen for a channel (role `all`) would also have applied more often unasked: `is_randomised`
    says where the difference is an effect.
    """
    import pandas as pd

    cohort = shell.cut(_decided(_long(assigned, audiences), day))
    treated = _arms(cohort.where("role <> 'holdout'"))
    held_out = cohort.where("role = 'holdout'").drop("channel", "role", "clicks")
    days = treated.select(*ARM, "assigned_day").distinct()
    control = held_out.join(days, ["period", "outcome", "assigned_day"])
    arms = shell.small(_moments(treated), MAX_ROWS, ARM)
    controls = shell.small(_moments(control.withColumn("clicks", F.lit(0))), MAX_ROWS, ARM)
    daily = shell.small(spend.groupBy("channel", "spend_day").agg(F.sum("cost_minor").alias("cost_minor")), MAX_ROWS)
    beside = controls.set_index(ARM).to_dict("index")
    clicked = arms[arms["role"] == "all"].set_index(ARM)["clicks"].to_dict()
    told = []
    for row in arms.to_dict("records"):
        arm = tuple(row[name] for name in ARM)
        cost = _spend(row, daily, clicked[(*arm[:2], "all", arm[3])]) / 10 ** minor_digits(conf.base.currency)
        told.append(_told(_named(row), _named(beside[arm]), cost, conf.base.currency, conf.base.measure.sequence_at))
    return pd.DataFrame(told, columns=[c.name for c in CHANNEL_LIFT.columns])


def _long(assigned: DataFrame, audiences: DataFrame) -> DataFrame:
    """One row an assignment and outcome: period, assigned_day, channel, role, person_key, clicks, outcome, hit."""
    first = audiences.where("role <> 'holdout'").agg(F.min("day").alias("_first"))
    is_campaign = F.coalesce(F.col("assigned_day") >= F.col("_first"), F.lit(False))
    rows = by_outcome(assigned.crossJoin(first))
    period = F.when(is_campaign, "campaign").otherwise("history").alias("period")
    return rows.select(period, "assigned_day", "channel", "role", "person_key", "clicks", "outcome", "hit")


def _decided(long: DataFrame, day: date) -> DataFrame:
    """The days on which an outcome is decided for every assignment, with somebody held out."""
    long = long.where(known(F.col("outcome"), F.col("assigned_day"), day))
    open_ = F.count_if(F.col("hit").isNull()).alias("_open")
    cohort = ["period", "outcome", "assigned_day"]
    held = F.count_if(F.col("role") == "holdout").alias("_held")
    return long.join(long.groupBy(*cohort).agg(open_, held).where("_open = 0 and _held > 0").select(*cohort), cohort)


def _arms(treated: DataFrame) -> DataFrame:
    """Each assignment under its channel and under (all), under its role where drawn at random and under `all`."""
    channels = F.explode(F.array("channel", F.lit(ALL)))
    roles = F.explode(
        F.when(F.col("role") == "exploration", F.array(F.lit("exploration"), F.lit("all"))).otherwise(
            F.array(F.lit("all"))
        )
    )
    return treated.withColumn("channel", channels).withColumn("role", roles)


def _moments(rows: DataFrame) -> DataFrame:
    """Per arm the sums a clustered rate needs, exact: a person's assignments n and outcomes y, their squares."""
    people = rows.groupBy(*ARM, "person_key").agg(
        F.count("*").alias("n"),
        F.sum("hit").alias("y"),
        F.sum("clicks").alias("clicks"),
        F.min("assigned_day").alias("first_day"),
        F.max("assigned_day").alias("last_day"),
    )
    return people.groupBy(*ARM).agg(
        F.sum("n").alias("n"),
        F.sum("y").alias("y"),
        F.sum(F.col("n") * F.col("n")).alias("nn"),
        F.sum(F.col("n") * F.col("y")).alias("ny"),
        F.sum(F.col("y") * F.col("y")).alias("yy"),
        F.sum("clicks").alias("clicks"),
        F.min("first_day").alias("first_day"),
        F.max("last_day").alias("last_day"),
    )


def _spend(arm: Any, daily: pd.DataFrame, all_clicks: int) -> float:
    """Minor units spent on the arm's channel while its assignments ran, by the arm's share of the clicks."""
    until = arm["last_day"] + timedelta(days=APPLY_DAYS)
    is_meant = (daily["channel"] == arm["channel"]) | (arm["channel"] == ALL)
    running = daily[is_meant & (daily["spend_day"] >= arm["first_day"]) & (daily["spend_day"] <= until)]
    share = 1.0 if arm["role"] == "all" else (arm["clicks"] / all_clicks if all_clicks else 0.0)
    return float(running["cost_minor"].sum()) * share


def _told(
    arm: dict[str, Any], control: dict[str, Any], spend: float, currency: str, sequence_at: int
) -> dict[str, Any]:
    """One published row from an arm and its held out."""
    row = {
        **{name: arm[name] for name in ARM},
        "is_randomised": arm["role"] == "exploration",
        "assigned": arm["n"],
        "successes": arm["y"],
        "held_out": control["n"],
        "held_out_successes": control["y"],
        "currency": currency,
        "spend": spend,
        "rate": arm["y"] / arm["n"],
    }
    rate, variance = clustered(arm)
    other, other_variance = clustered(control)
    row["held_out_rate"] = other
    gap, low, high = difference(rate, variance, other, other_variance)
    row |= {"lift": gap, "lift_lo": low, "lift_hi": high}
    counts = (int(arm["n"]), int(control["n"]))
    _, any_low, any_high = difference_at_any_time((rate, other), (variance, other_variance), counts, sequence_at)
    row |= {"lift_any_lo": any_low, "lift_any_hi": any_high}
    if spend <= 0:
        return row | {"reason": "no_spend"}
    cost, least, most = incremental_cost(spend, arm["n"], gap, low, high)
    row |= {"incremental_cost": cost, "incremental_cost_lo": least, "incremental_cost_hi": most}
    return row | {"reason": None if cost is not None else "not_identified"}


def _named(figures: Any) -> dict[str, Any]:
    return {str(name): value for name, value in figures.items()}
