"""What is left of each channel's budget, and what each channel's outcomes have cost so far, in the base currency."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.runtime.conf import Conf, period_start
from jobs.runtime.errors import DataRefused

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

MAX_ROWS = 500_000
TOTAL_PERIOD = "month"  # plan.budget covers all channels a month


class Rates:
    """Dated rates to the base currency: the newest rate not after a day."""

    def __init__(self, rows: pd.DataFrame, base: str) -> None:
        self.base = base
        self.dated: dict[str, list[tuple[date, Decimal]]] = {}
        for row in rows.to_dict("records"):
            self.dated.setdefault(row["currency"], []).append((row["rate_day"], row["rate"]))
        for listed in self.dated.values():
            listed.sort(key=lambda item: item[0])

    def on(self, currency: str, day: date) -> Decimal:
        """Base currency for one unit on a day; DataRefused when no rate was known by then."""
        if currency == self.base:
            return Decimal(1)
        listed = self.dated.get(currency, [])
        place = bisect_right([d for d, _ in listed], day)
        if place == 0:
            raise DataRefused(
                f"job audiences, table fx_rates: no rate of {currency} to {self.base} on or before {day}; land one "
                "in fx_rates, what is left of a budget is not known without it"
            )
        return listed[place - 1][1]


@dataclass(frozen=True)
class Budgets:
    """Money in base major units: `budget` and `left` by channel, and over all channels (None: no limit)."""

    budget: dict[str, float]
    left: dict[str, float]
    total: float | None
    total_left: float | None
    spent_ever: dict[str, float]


def budgets(spend: DataFrame, rates: DataFrame, conf: Conf, day: date, shell: Shell) -> Budgets:
    """Budgets of the periods that hold `day` less what was billed in them up to `day`."""
    daily = spend.where(F.col("spend_day") <= F.lit(day)).groupBy("channel", "currency", "spend_day")
    billed = shell.small(daily.agg(F.sum("cost").alias("cost")), MAX_ROWS, ["channel", "currency", "spend_day"])
    rows = shell.small(rates.where(F.col("rate_day") <= F.lit(day)).select("rate_day", "currency", "rate"), MAX_ROWS)
    known = Rates(rows, conf.base.currency)
    spent: dict[str, Decimal] = dict.fromkeys(conf.channels, Decimal(0))
    ever: dict[str, Decimal] = dict.fromkeys(conf.channels, Decimal(0))
    total = Decimal(0)
    for row in billed.to_dict("records"):
        channel, spend_day = row["channel"], row["spend_day"]
        cost = row["cost"] * known.on(row["currency"], spend_day)
        if channel in conf.channels:
            ever[channel] += cost
            if spend_day >= period_start(day, conf.channels[channel].period):
                spent[channel] += cost
        if spend_day >= period_start(day, TOTAL_PERIOD):
            total += cost
    budget = {name: c.budget * known.on(c.currency, day) for name, c in conf.channels.items()}
    whole = conf.base.plan.budget
    return Budgets(
        budget={name: float(amount) for name, amount in budget.items()},
        left={name: float(max(Decimal(0), amount - spent[name])) for name, amount in budget.items()},
        total=None if whole is None else float(whole),
        total_left=None if whole is None else float(max(Decimal(0), whole - total)),
        spent_ever={name: float(amount) for name, amount in ever.items()},
    )
