"""What a channel that cannot leave people out added: regions served and not served in turn."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.experiments.switchback import Turn, effect, schedule
from jobs.runtime.conf import Conf
from jobs.tables.ingest import PROSPECTS
from jobs.tables.link import MATURED_OUTCOMES, PEOPLE
from jobs.tables.measure.costs import SPEND_LEDGER
from jobs.tables.measure.experiments import LIFT_OUTCOMES, SWITCHBACK_LIFTS, SWITCHBACK_TURNS
from segments.calendar import local_day
from segments.intervals import incremental_cost
from segments.money import minor_digits
from segments.outcomes import FUND_DAYS, GOOD_MONTHS

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

MAX_CELLS = 500_000
MAX_REGIONS = 5_000
# From an application to what is known of it, at most; a year's months count as 31 days each.
SETTLED_DAYS = {"applied": 0, "funded": FUND_DAYS, "good": FUND_DAYS + 31 * GOOD_MONTHS}


@job(
    reads={
        "prospects": PROSPECTS.in_force(),
        "people": PEOPLE,
        "outcomes": MATURED_OUTCOMES,
        "spend": SPEND_LEDGER,
    },
    writes=(SWITCHBACK_TURNS, SWITCHBACK_LIFTS),
)
def switchback_lifts(
    prospects: DataFrame,
    people: DataFrame,
    outcomes: DataFrame,
    spend: DataFrame,
    *,
    day: date,
    conf: Conf,
    shell: Shell,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The turns of every channel with a `switchback`, and what being served added a person and period.

    People count in the region of the row they are sent by; an application on the day it was made. Only pairs of
    periods count of which the outcome is known of everybody.
    """
    import pandas as pd

    tested = {name: channel.switchback for name, channel in conf.channels.items() if channel.switchback is not None}
    names = [[c.name for c in table.columns] for table in (SWITCHBACK_TURNS, SWITCHBACK_LIFTS)]
    if not tested:
        return pd.DataFrame(columns=names[0]), pd.DataFrame(columns=names[1])
    home = people.where("is_sent").join(prospects.where("region is not null"), "prospect_key")
    homes = shell.cut(home.select("person_key", "region"))
    residents = shell.small(homes.groupBy("region").agg(F.count("*").alias("people")), MAX_REGIONS, ["region"])
    on = local_day(F.col("applied_at"), conf.base.time_zone).alias("day")
    won = (
        outcomes.join(homes, "person_key")
        .groupBy("region", on)
        .agg(
            F.count("*").alias("applied"),
            F.count_if(F.coalesce("is_funded", F.lit(False))).alias("funded"),
            F.count_if(F.coalesce("is_good", F.lit(False))).alias("good"),
            F.lit(0).cast("bigint").alias("open_applied"),
            F.count_if(F.col("is_funded").isNull()).alias("open_funded"),
            F.count_if(F.col("is_good").isNull()).alias("open_good"),
        )
    )
    counts = shell.small(won, MAX_CELLS, ["region", "day"])
    daily = spend.where(F.col("channel").isin(*tested)).groupBy("channel", "spend_day")
    money = shell.small(daily.agg(F.sum("cost_minor").alias("cost_minor")), MAX_CELLS, ["channel", "spend_day"])
    unit = 10 ** minor_digits(conf.base.currency)
    turns, lifts = [], []
    for channel, design in sorted(tested.items()):
        mine = schedule(channel, list(residents["region"]), design)
        turns += [{"channel": channel, **vars(turn)} for turn in mine]
        bill = money[money["channel"] == channel]
        for outcome in LIFT_OUTCOMES:
            told = _lift(outcome, _decided(mine, outcome, counts, day), residents, counts, bill, unit)
            lifts.append({"channel": channel, "outcome": outcome, "currency": conf.base.currency, **told})
    return pd.DataFrame(turns)[names[0]], pd.DataFrame(lifts, columns=names[1])


def _decided(turns: list[Turn], outcome: str, counts: pd.DataFrame, day: date) -> list[Turn]:
    """Turns of the pairs of periods of which an outcome is over by the calendar and open of nobody."""
    settled = [turn for turn in turns if turn.last_day + timedelta(days=SETTLED_DAYS[outcome]) <= day]
    still = counts.loc[counts[f"open_{outcome}"] > 0, "day"]
    awaited = {turn.period // 2 for turn in turns if ((still >= turn.counted_from) & (still <= turn.last_day)).any()}
    whole = {turn.period // 2 for turn in settled if turn.period % 2} - awaited
    return [turn for turn in settled if turn.period // 2 in whole]


def _lift(
    outcome: str, turns: list[Turn], residents: pd.DataFrame, counts: pd.DataFrame, bill: pd.DataFrame, unit: int
) -> dict[str, Any]:
    """The figures of one channel and outcome."""
    regions = list(residents["region"])
    periods = sorted({turn.period for turn in turns})
    people = residents["people"].to_numpy(dtype="float64")
    told: dict[str, Any] = {"regions": len(regions), "periods": len(periods), "people": int(people.sum())}
    if not turns:
        return told | {"reason": "immature"}
    won, served = np.zeros((len(regions), len(periods))), np.zeros((len(regions), len(periods)))
    by_region = {region: mine for region, mine in counts.groupby("region")}
    spent = 0
    for turn in turns:
        cell = regions.index(turn.region), periods.index(turn.period)
        served[cell] = turn.is_on
        if (mine := by_region.get(turn.region)) is not None:
            won[cell] = mine.loc[(mine["day"] >= turn.counted_from) & (mine["day"] <= turn.last_day), outcome].sum()
    for period in periods:
        turn = next(one for one in turns if one.period == period)
        inside = (bill["spend_day"] >= turn.counted_from) & (bill["spend_day"] <= turn.last_day)
        spent += int(bill.loc[inside, "cost_minor"].sum())
    on = float((people[:, None] * served).sum())
    off = float((people[:, None] * (1 - served)).sum())
    told |= {
        "rate": float((won * served).sum()) / on if on else None,
        "rate_off": float((won * (1 - served)).sum()) / off if off else None,
        "spend": spent / unit,
    }
    found = effect(won, people, served)
    if found is None:
        return told | {"reason": "too_few_regions"}
    gain, low, high = found
    told |= {"lift": gain, "lift_lo": low, "lift_hi": high}
    if not spent:
        return told | {"reason": "no_spend"}
    cost, least, most = incremental_cost(spent / unit, round(on), gain, low, high)
    told |= {"incremental_cost": cost, "incremental_cost_lo": least, "incremental_cost_hi": most}
    return told | {"reason": None if cost is not None else "not_identified"}
