"""What one billed unit of a channel costs, from what was billed and what was seen to happen on the same days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.runtime.conf import Conf
from jobs.runtime.errors import DataRefused
from jobs.runtime.settings import ChannelConf
from jobs.runtime.shell import Shell
from segments import money

PRICE_DAYS = 90
CLICKS = ("click", "visit", "call")
SHOWN = ("impression", "view", "message")


@dataclass(frozen=True)
class Price:
    """Base currency, major units: `a_unit` for each billed unit expected of a person, `a_person` flat."""

    a_unit: float
    a_person: float

    def __post_init__(self) -> None:
        if self.a_unit < 0 or self.a_person < 0:
            raise ValueError(f"a price is negative: {self}")


def prices(
    spend: DataFrame, rates: DataFrame, touches: DataFrame, assignments: DataFrame, day: date, conf: Conf, shell: Shell
) -> dict[str, Price]:
    """A price a channel of conf, from the newest PRICE_DAYS of spend.

    Cost a unit is spend by units linked to a prospect on the same days (unlinked ones are paid for all the same),
    times linked units by those inside an assignment's 14 days, so that predicted units times price add to the spend.
    A channel billed a person, or whose units are not seen, costs spend by people assigned; one without spend costs
    what conf means to spend: budget by capacity. Raises DataRefused when a day's spend has no exchange rate.
    """
    since = day - timedelta(days=PRICE_DAYS)
    spent = _spent(spend, rates, since, day, conf, shell)
    recent = _units(touches.where(F.to_date("occurred_at").between(F.lit(since), F.lit(day))), shell)
    ever = _units(touches, shell)
    told = assignments.groupBy("channel").agg(
        F.sum("clicks").alias("clicks"),
        F.sum("impressions").alias("shown"),
        F.count_if(F.col("assigned_day") > F.lit(since)).alias("people"),
    )
    assigned = _by_channel(shell.small(told, 10_000))
    seen = {
        name: _seen_price(
            channel, spent.get(name, 0.0), recent.get(name, {}), ever.get(name, {}), assigned.get(name, {})
        )
        for name, channel in sorted(conf.channels.items())
    }
    meant = meant_prices(rates, day, conf, shell) if None in seen.values() else {}
    for name, price in seen.items():
        if price is None and name not in meant:
            raise DataRefused(
                f"job scores: what channel {name} costs is known from its budget alone, in "
                f"{conf.channels[name].currency}, and no rate to {conf.base.currency} is known by {day}; land fx_rates "
                "for that currency on or before that day"
            )
    return {name: Price(0.0, meant[name]) if price is None else price for name, price in seen.items()}


def meant_prices(rates: DataFrame, day: date, conf: Conf, shell: Shell) -> dict[str, float]:
    """By channel of conf what it means to spend on a person: budget by capacity, in the base currency, major units.

    A channel whose currency has no rate by `day` is left out.
    """
    currencies = pd.DataFrame({"currency": sorted({channel.currency for channel in conf.channels.values()})})
    rated = money.rated(shell.spark.createDataFrame(currencies), F.lit(day), rates, conf.base.currency)
    told = shell.small(rated.where("rate is not null"), 10_000, ["currency"])
    rate = {str(name): float(found) for name, found in zip(told["currency"], told["rate"], strict=True)}
    return {
        name: float(channel.budget) / max(channel.capacity, 1) * rate[channel.currency]
        for name, channel in sorted(conf.channels.items())
        if channel.currency in rate
    }


def _seen_price(
    channel: ChannelConf,
    spent: float,
    recent: Mapping[str, float],
    ever: Mapping[str, float],
    assigned: Mapping[str, float],
) -> Price | None:
    """What was paid tells; None where nothing was."""
    unit = {"click": "clicks", "impression": "shown", "message": "shown"}.get(channel.billing)
    if spent > 0 and unit and recent.get(unit, 0) > 0 and assigned.get(unit, 0) > 0:
        return Price(spent / recent[unit] * (ever[unit] / assigned[unit]), 0.0)
    if spent > 0 and assigned.get("people", 0) > 0:
        return Price(0.0, spent / assigned["people"])
    return None


def _units(touches: DataFrame, shell: Shell) -> dict[str, dict[str, float]]:
    linked = touches.where("prospect_key is not null").groupBy("channel")
    counts = linked.agg(
        F.count_if(F.col("kind").isin(*CLICKS)).alias("clicks"), F.count_if(F.col("kind").isin(*SHOWN)).alias("shown")
    )
    return _by_channel(shell.small(counts, 10_000))


def _by_channel(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    names = [name for name in rows.columns if name != "channel"]
    return {str(row["channel"]): {name: float(row[name]) for name in names} for _, row in rows.iterrows()}


def _spent(spend: DataFrame, rates: DataFrame, since: date, day: date, conf: Conf, shell: Shell) -> dict[str, float]:
    """Spend by channel in the base currency, each day at the newest rate known for it."""
    recent = spend.where(F.col("spend_day").between(F.lit(since), F.lit(day)))
    daily = recent.groupBy("channel", "spend_day", "currency").agg(F.sum("cost").alias("cost"))
    rated = money.rated(daily, F.col("spend_day"), rates, conf.base.currency)
    for row in shell.small(money.first_missing(rated), 1000, ["currency"]).itertuples():
        raise DataRefused(
            f"job scores, table spend: {row.rows} days in {row.currency} have no rate, the first {row.on_day}; "
            "land fx_rates for that currency on or before that day"
        )
    total = rated.groupBy("channel").agg(F.sum(F.col("cost") * F.col("rate")).alias("spent"))
    found = shell.small(total, 10_000, ["channel"])
    return {str(name): float(spent) for name, spent in zip(found["channel"], found["spent"], strict=True)}
