"""Who is dear to reach, and how prices rise with use: learned from what many units cost together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from jobs.model.learners import Features
from jobs.model.learners.features import Floats
from jobs.model.learners.sums import FactorModel, design, fit_sums
from jobs.model.serving.funnel import LOAD, USUAL
from jobs.model.serving.prices import PRICE_DAYS
from jobs.model.training.stage import Fitted
from jobs.runtime.conf import Conf

LEAST_UNITS = 300  # a channel with fewer says nothing of its own
MIN_LEVEL = 100
MOST_ELASTIC = 1.0
YEAR = 365.25
OWN_RIDGE = 4.0  # what is a channel's own must show itself against what all channels say


@dataclass(frozen=True, eq=False)
class ChannelPrice:
    """One channel: the factor on its mean unit price by person, and its price's rise with the people listed on it.

    The factor is 1 on the mean of the units billed in the newest PRICE_DAYS at the `usual` number of people listed.
    """

    channel: str
    model: FactorModel
    elasticity: float
    usual: float
    units: int
    invoices: int


def fit_prices(units: pd.DataFrame, features: Features, day: date, conf: Conf) -> list[ChannelPrice]:
    """A price model a channel from `billed_units`; one shape for all channels that bill attention, then each its own.

    Messages are priced apart: a sender has a list price, the others an auction.
    """
    known = units.groupby("channel")["touch_id"].count()
    names = [str(name) for name in sorted(known.index) if known[name] >= LEAST_UNITS]
    if not names:
        return []
    units = units[units["channel"].isin(names)].reset_index(drop=True)
    units["invoice"] = np.unique(units["invoice"], return_inverse=True)[1]
    bare, inputs = design(units, features, MIN_LEVEL)
    extra = _load_and_time(units, day)
    weight, total = _normed(units)
    invoice = units["invoice"].to_numpy()
    is_auction = units["channel"].map(lambda name: conf.channels[name].billing != "message").to_numpy(dtype=bool)
    dummies = (units["channel"].to_numpy()[:, None] == np.array(names, dtype=object)[None, :]).astype(np.float64)
    shape, also = np.zeros(inputs.shape[1]), np.zeros(extra.shape[1])
    if is_auction.any():
        held = np.hstack([inputs, extra])[is_auction]
        place = np.unique(invoice[is_auction], return_inverse=True)[1]
        free = dummies[is_auction][:, dummies[is_auction].any(axis=0)]
        offset = np.zeros(len(held))
        found = fit_sums(held, free, weight[is_auction], place, total[np.unique(invoice[is_auction])], offset)
        shape, also = found[: inputs.shape[1]], found[inputs.shape[1] :]
    result = []
    for at, name in enumerate(names):
        mine = dummies[:, at] > 0
        start, added = (shape, also) if is_auction[mine][0] else (0.0 * shape, 0.0 * also)
        held = np.hstack([inputs, extra])[mine]
        place = np.unique(invoice[mine], return_inverse=True)[1]
        offset = inputs[mine] @ start + extra[mine] @ added
        ones, bills = np.ones((len(held), 1)), total[np.unique(invoice[mine])]
        own = fit_sums(held, ones, weight[mine], place, bills, offset, OWN_RIDGE)
        weights = start + own[: inputs.shape[1]]
        elasticity = float(np.clip(added[0] + own[inputs.shape[1]], 0.0, MOST_ELASTIC))
        rows = units[mine]
        recent = (rows["on_day"] > day - timedelta(days=PRICE_DAYS)).to_numpy()
        recent = recent if recent.any() else np.ones(len(rows), dtype=bool)
        level, usual = _level(inputs[mine][recent] @ weights, rows[recent], weight[mine][recent], elasticity)
        model = FactorModel(replace(bare, weights=weights, intercept=-level))
        result.append(ChannelPrice(name, model, round(elasticity, 6), round(usual, 3), len(rows), int(place.max()) + 1))
    return result


def price_stages(prices: list[ChannelPrice]) -> list[Fitted]:
    """The rows of stage_models they become."""
    found = []
    for one in prices:
        told = Fitted("price", one.channel, None, "sums", one.units, one.invoices)
        found.append(replace(told, factors=one.model))
        found += [replace(told, stage=s, scale=x) for s, x in ((LOAD, one.elasticity), (USUAL, one.usual))]
    return found


def _load_and_time(units: pd.DataFrame, day: date) -> Floats:
    """Log of the people listed against the channel's own mean, and years before `day`."""
    listed = np.log(np.maximum(units["listed"].fillna(0.0).to_numpy(dtype=np.float64), 1.0))
    mean = pd.Series(listed).groupby(units["channel"].to_numpy()).transform("mean").to_numpy()
    years = (pd.to_datetime(units["on_day"]) - pd.Timestamp(day)).dt.days.to_numpy() / YEAR
    return np.column_stack([listed - mean, years])


def _normed(units: pd.DataFrame) -> tuple[Floats, Floats]:
    """How many units each row stands for, and each invoice's total in mean unit prices of its channel."""
    first = units.drop_duplicates("invoice").set_index("invoice").sort_index()
    linked = units.groupby("invoice")["touch_id"].count()
    weight = units["units"].to_numpy(dtype=np.float64) / linked.loc[units["invoice"]].to_numpy()
    sums = first.groupby("channel")[["cost", "units"]].sum()
    mean = (sums["cost"] / sums["units"]).loc[first["channel"]].to_numpy(dtype=np.float64)
    return weight, first["cost"].to_numpy(dtype=np.float64) / mean


def _level(score: Floats, rows: pd.DataFrame, weight: Floats, elasticity: float) -> tuple[float, float]:
    """Log of the mean factor of the units billed lately, their load taken out; the usual number of people listed."""
    listed = np.maximum(rows["listed"].fillna(0.0).to_numpy(dtype=np.float64), 1.0)
    usual = float(np.exp(np.average(np.log(listed), weights=weight)))
    factor = np.exp(score) * (listed / usual) ** elasticity
    return float(np.log(np.average(factor, weights=weight))), usual
