"""What changes with time: the macro factor behind lateness, prices, the unit of a feature."""

from __future__ import annotations

import numpy as np

from jobs.market.calendar import Calendar
from jobs.market.conf import MarketConf
from jobs.market.dice import Dice, Floats, Ints

AHEAD = 60  # months after the end of history the macro path goes on


class Drift:
    """The course of one market; months count from 1970-01."""

    def __init__(self, conf: MarketConf, dice: Dice, calendar: Calendar) -> None:
        self._conf, self._calendar = conf.drift, calendar
        quarters = (calendar.end_month - calendar.book_month + AHEAD) // 3 + 1
        steps = dice.normal("macro", np.arange(quarters))
        keeps = conf.drift.macro_persistence
        path = np.zeros(quarters)
        for number in range(quarters):
            before = path[number - 1] if number else 0.0
            fresh = np.sqrt(1.0 - keeps**2) if number else 1.0
            path[number] = keeps * before + fresh * conf.drift.macro_sd * steps[number]
        self._path = path

    def late(self, month: Ints) -> Floats:
        """What the macro factor adds to the logit of lateness of loans funded in `month`."""
        first = self._calendar.book_month
        quarter = np.clip((month - first) // 3, 0, len(self._path) - 1)
        shocked = month > self._calendar.end_month - self._conf.shock_months
        added: Floats = self._path[quarter] + np.where(shocked, self._conf.shock, 0.0)
        return added

    def price(self, month: Ints | int) -> Floats:
        """The factor on every media price in `month`; 1 in the month after history."""
        ahead = (np.asarray(month) - self._calendar.end_month - 1) / 3.0
        factor: Floats = np.asarray((1.0 + self._conf.price_inflation) ** ahead, dtype=np.float64)
        return factor

    def unit(self, feature: str, month: int) -> float:
        """What a feature's values are multiplied with in a snapshot of `month`."""
        is_broken = feature == self._conf.broken_feature and month > self._calendar.end_month - self._conf.broken_months
        return self._conf.broken_factor if is_broken else 1.0
