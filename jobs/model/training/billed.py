"""What channels billed, as units whose price can be learned: linked clicks or exposures, each on its invoice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.model.learners import Features
from jobs.model.training.cohorts import as_known, sampled, typed
from jobs.runtime.conf import Conf
from jobs.runtime.shell import Shell
from segments import money
from segments.calendar import billed_day
from segments.campaigns import cleaned
from segments.outcomes import ACTED_KINDS, APPLY_DAYS, SEEN_KINDS

MAX_UNITS = 150_000
CELL = ("channel", "campaign", "ad_group", "creative", "on_day")
NONE = "\x00"  # stands for null in a key


def billed_units(
    spend: DataFrame,
    rates: DataFrame,
    touches: DataFrame,
    assignments: DataFrame,
    prospects: DataFrame,
    features: Features,
    day: date,
    conf: Conf,
    shell: Shell,
) -> pd.DataFrame:
    """Units of channels that bill units, each with its prospect as known at the time: features, and of its invoice
    channel, invoice, cost (base currency), units (as reported, at least those linked), seen (its touches, linked or
    not), listed (people on the channel's audience then) and on_day. At most about MAX_UNITS, by hash of the invoice.
    Sorted by invoice and touch.

    An invoice is a day's spend at the finest level the channel ever reports; days without a rate are left out.
    """
    since = day - timedelta(days=conf.base.training.window_days)
    billing = {name: told.billing for name, told in conf.channels.items() if told.billing != "person"}
    recent = spend.where(F.col("spend_day").between(F.lit(since), F.lit(day)) & F.col("channel").isin(*billing))
    told = recent.groupBy("channel").agg(F.count("ad_group").alias("ad_group"), F.count("creative").alias("creative"))
    finest = shell.small(told, 10_000, ["channel"]).set_index("channel") > 0
    counted = _counted(touches, finest, since, day, billing, conf)
    rows = counted.where("prospect_key is not null")
    count = int(shell.small(rows.agg(F.count("*").alias("n")), 1)["n"].iloc[0])
    share = min(1.0, MAX_UNITS / max(count, 1))
    bills = _invoices(recent, rates, finest, share, billing, conf, shell)
    wide = as_known(rows.where(sampled(share, *CELL)), prospects, features, "on_day")
    found = typed(shell.sample(wide, 2 * MAX_UNITS, [*CELL, "touch_id"]), features)
    joined = found.astype({"channel": object}).merge(bills, on=list(CELL), how="inner")
    seen = counted.where(sampled(share, *CELL)).groupBy(*CELL)
    told = seen.agg(F.count("*").alias("seen"), F.count("prospect_key").alias("linked")).where("linked > 0")
    joined = joined.merge(shell.small(told.drop("linked"), 3 * MAX_UNITS, list(CELL)), on=list(CELL), how="left")
    joined = joined.merge(_listed(assignments, joined, shell), on=["channel", "on_day"], how="left")
    joined["invoice"] = joined.groupby(list(CELL), sort=True).ngroup()
    joined["units"] = np.maximum(joined["units"], joined.groupby("invoice")["touch_id"].transform("count"))
    return joined


def _counted(
    touches: DataFrame, finest: pd.DataFrame, since: date, day: date, billing: Mapping[str, str], conf: Conf
) -> DataFrame:
    """Touches of the kind their channel bills, with their prospect (null where unknown) and CELL."""
    counted = F.lit(False)
    for name, unit in billing.items():
        kinds = ACTED_KINDS if unit == "click" else SEEN_KINDS
        counted = counted | ((F.col("channel") == name) & F.col("kind").isin(*kinds))
    on_day = billed_day(F.col("occurred_at"), F.col("channel"), conf.account_zones, conf.base.time_zone)
    rows = touches.where(counted).withColumn("on_day", on_day)
    levels = [_level(name, finest) for name in ("ad_group", "creative")]
    return rows.where(F.col("on_day").between(F.lit(since), F.lit(day))).select(
        "touch_id", "prospect_key", "channel", F.coalesce("campaign", F.lit(NONE)).alias("campaign"), *levels, "on_day"
    )


def _level(name: str, finest: pd.DataFrame) -> Column:
    """The column where the channel reports it, NONE elsewhere."""
    told = [str(channel) for channel in finest.index[finest[name]]]
    return F.when(F.col("channel").isin(*told), F.coalesce(name, F.lit(NONE))).otherwise(F.lit(NONE)).alias(name)


def _invoices(
    spend: DataFrame,
    rates: DataFrame,
    finest: pd.DataFrame,
    share: float,
    billing: Mapping[str, str],
    conf: Conf,
    shell: Shell,
) -> pd.DataFrame:
    """Spend by CELL in the base currency with the units reported; days without a rate are left out."""
    rated = money.rated(spend, F.col("spend_day"), rates, conf.base.currency).where("rate is not null and cost > 0")
    click, shown = F.coalesce("clicks", F.lit(0)), F.coalesce("impressions", F.lit(0))
    by_click = [name for name, unit in billing.items() if unit == "click"]
    units = F.when(F.col("channel").isin(*by_click), click).otherwise(shown)
    levels = [_level(name, finest) for name in ("ad_group", "creative")]
    # As links tell a touch's campaign.
    named = cleaned(F.col("campaign"), conf.base.measure.campaign_names)
    campaign = F.coalesce(named, F.lit(NONE)).alias("campaign")
    cost = (F.col("cost") * F.col("rate")).alias("cost")
    cells = rated.select("channel", campaign, *levels, "on_day", cost, units.alias("units"))
    summed = cells.groupBy(*CELL).agg(
        F.sum("cost").cast("double").alias("cost"), F.sum("units").cast("double").alias("units")
    )
    return shell.small(summed.where(sampled(share, *CELL)), 3 * MAX_UNITS, list(CELL))


def _listed(assignments: DataFrame, units: pd.DataFrame, shell: Shell) -> pd.DataFrame:
    """People put on each channel's audience on each day or in the 14 before it: channel, on_day, listed."""
    told = assignments.groupBy("channel", "assigned_day").agg(F.count("*").alias("people"))
    waves = shell.small(told, 200_000, ["channel", "assigned_day"])
    waves["assigned_day"] = pd.to_datetime(waves["assigned_day"])
    rows = []
    for channel, days in units.groupby("channel", observed=True)["on_day"]:
        mine = waves[waves["channel"] == channel]
        at = mine["assigned_day"].to_numpy()
        total = np.concatenate([[0], np.cumsum(mine["people"].to_numpy())])
        asked = np.sort(pd.to_datetime(days).unique())
        first = np.searchsorted(at, asked - np.timedelta64(APPLY_DAYS, "D"), "left")
        last = np.searchsorted(at, asked, "right")
        listed = (total[last] - total[first]).astype(np.float64)
        rows.append(pd.DataFrame({"channel": channel, "on_day": asked, "listed": listed}))
    if not rows:
        return pd.DataFrame(columns=["channel", "on_day", "listed"])
    found = pd.concat(rows, ignore_index=True)
    return found.assign(on_day=pd.to_datetime(found["on_day"]).dt.date)
