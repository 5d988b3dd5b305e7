"""Who is dear to reach, and how prices rise with use: learned from what many units cost together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners import Features
from jobs.model.learners.features import Floats
from jobs.model.learners.sums import FactorModel
from jobs.model.serving.funnel import LOAD, USUAL
from jobs.model.serving.prices import PRICE_DAYS
from jobs.model.training.channels import FEATURES_ALONE, Billed, ChannelFit, Ridges, fit_channels
from jobs.model.training.stage import Fitted
from jobs.runtime.conf import Conf

LEAST_UNITS, LEAST_INVOICES = 300, 50  # a channel with fewer says nothing of its prices
LEAST_ELASTIC, MOST_ELASTIC = 0.02, 1.0
LEAST_SWING = 0.1  # spread of the log of the people listed
YEAR = 365.25


@dataclass(frozen=True, eq=False)
class ChannelPrice:
    """One channel: the factor on its mean unit price by person, and its price's rise with the people listed on it.

    The factor is 1 on the mean of the units billed in the newest PRICE_DAYS at the `usual` number of people listed.
    Too few units tell nothing of people: no `model`. `is_borrowed`: the elasticity is that of the other channels.
    """

    channel: str
    model: FactorModel | None
    elasticity: float
    is_borrowed: bool
    usual: float
    units: int
    invoices: int


def fit_prices(
    units: pd.DataFrame, features: Features, day: date, conf: Conf, ridges: Ridges = FEATURES_ALONE
) -> list[ChannelPrice]:
    """A price model a channel from `billed_units`; one shape for all channels that bill attention, then each its own.

    Messages are priced apart: a sender has a list price, the others an auction. One of the others that has too few
    units, or was always used alike, is taken to rise as they do: no rise at all would make the least known channel the
    cheapest to use more.
    """
    counted = units.groupby("channel")["invoice"].agg(["size", "nunique"])
    enough = (counted["size"] >= LEAST_UNITS) & (counted["nunique"] >= LEAST_INVOICES)
    names = [str(name) for name in sorted(counted.index[enough])]
    if not names:
        return []
    is_told = units["channel"].isin(names).to_numpy()
    few, billed = units[~is_told], _billed(units[is_told], day)
    alone = frozenset(str(name) for name in counted.index if conf.channels[str(name)].billing == "message")
    fits = fit_channels(billed, features, alone & set(names), ridges=ridges)
    own = {name: _elasticity(float(fit.extra[0]), billed.extra[fit.rows, 0]) for name, fit in fits.items()}
    told = [found for name, found in own.items() if found is not None and name not in alone]
    others = float(np.mean(told)) if told else 0.0
    unknown = {name: 0.0 if name in alone else others for name in map(str, counted.index)}
    found = [_price(name, fit, own[name], unknown[name], billed, day) for name, fit in fits.items()]
    found += [_like_others(name, few, unknown[name], day) for name in unknown if name not in fits and unknown[name]]
    return sorted(found, key=lambda one: one.channel)


def _billed(units: pd.DataFrame, day: date) -> Billed:
    units = units.reset_index(drop=True)
    invoice = units["invoice"] = np.unique(units["invoice"], return_inverse=True)[1]
    weight, total, unlinked = _normed(units)
    return Billed(
        units, units["channel"].to_numpy(dtype=object), weight, invoice, total, unlinked, _load_and_time(units, day)
    )


def _price(name: str, fit: ChannelFit, own: float | None, unknown: float, billed: Billed, day: date) -> ChannelPrice:
    """The price of a channel of many units; `unknown`: its elasticity where its `own` is None."""
    elasticity = unknown if own is None else own
    rows = fit.rows & _lately(billed.frame, day)
    rows = rows if rows.any() else fit.rows
    flat = replace(fit.terms, intercept=0.0)
    level, usual = _level(flat.log_odds(billed.frame[rows]), billed.frame[rows], billed.weight[rows], elasticity)
    bills = len(np.unique(billed.invoice[fit.rows]))
    model = FactorModel(replace(flat, intercept=-level))
    is_borrowed = own is None and unknown > 0.0
    return ChannelPrice(name, model, round(elasticity, 6), is_borrowed, round(usual, 3), int(fit.rows.sum()), bills)


def _like_others(name: str, few: pd.DataFrame, elasticity: float, day: date) -> ChannelPrice:
    """The price of a channel of too few units."""
    units = few[(few["channel"] == name).to_numpy()]
    lately = units[_lately(units, day)]
    rows = lately if len(lately) else units
    usual = _level(np.zeros(len(rows)), rows, np.ones(len(rows)), elasticity)[1]
    bills = int(units["invoice"].nunique())
    return ChannelPrice(name, None, round(elasticity, 6), True, round(usual, 3), len(units), bills)


def _lately(units: pd.DataFrame, day: date) -> NDArray[np.bool_]:
    return (units["on_day"] > day - timedelta(days=PRICE_DAYS)).to_numpy()


def price_stages(prices: list[ChannelPrice]) -> list[Fitted]:
    """The rows of stage_models they become."""
    found = []
    for one in prices:
        note = f"{one.units} units on {one.invoices} invoices; elasticity to the people listed {one.elasticity:.3f}"
        note += ", that of the other channels" if one.is_borrowed else ""
        told = Fitted("price", one.channel, None, "sums", one.units, one.invoices, notes=(note,))
        if one.model is not None:
            found.append(replace(told, factors=one.model))
        found += [replace(told, stage=s, scale=x) for s, x in ((LOAD, one.elasticity), (USUAL, one.usual))]
    return found


def mean_prices(units: pd.DataFrame, meant: Mapping[str, float]) -> dict[str, float]:
    """By channel what its bills come to for each unit linked to a prospect, unlinked ones being paid for too.

    Without such bills: what conf means to spend on a person (`meant`).
    """
    cost = units.drop_duplicates("invoice").groupby("channel")["cost"].sum()
    billed = (cost / units.groupby("channel")["touch_id"].count()).to_dict()
    return {**meant, **{str(name): float(price) for name, price in billed.items()}}


def _load_and_time(units: pd.DataFrame, day: date) -> Floats:
    """Log of the people listed against the channel's own mean, and years before `day`."""
    listed = np.log(np.maximum(units["listed"].fillna(0.0).to_numpy(dtype=np.float64), 1.0))
    mean = pd.Series(listed).groupby(units["channel"].to_numpy()).transform("mean").to_numpy()
    years = (pd.to_datetime(units["on_day"]) - pd.Timestamp(day)).dt.days.to_numpy() / YEAR
    return np.column_stack([listed - mean, years])


def _normed(units: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """How many units each row stands for; each invoice's total in mean unit prices of its channel, and what of that its
    unlinked touches cost.

    Nothing is known of whose those were, so they count as anybody's: at the channel's mean price of that month. Read
    as if they were the linked people's too, prices would seem to differ the less between people the fewer are linked.
    """
    first = units.drop_duplicates("invoice").set_index("invoice").sort_index()
    linked = units.groupby("invoice")["touch_id"].count()
    seen = np.maximum(first["seen"], linked)
    sums = first.groupby("channel")[["cost", "units"]].sum()
    mean = (sums["cost"] / sums["units"]).loc[first["channel"]].to_numpy(dtype=np.float64)
    cell = [first["channel"], pd.to_datetime(first["on_day"]).dt.to_period("M")]
    monthly = first.groupby(cell)[["cost", "units"]].transform("sum")
    weight: Floats = (first["units"] / seen).loc[units["invoice"]].to_numpy(dtype=np.float64)
    unlinked = first["units"] * (1.0 - linked / seen) * monthly["cost"] / monthly["units"]
    return weight, first["cost"].to_numpy(dtype=np.float64) / mean, unlinked.to_numpy(dtype=np.float64) / mean


def _elasticity(found: float, load: Floats) -> float | None:
    """Within 0..MOST_ELASTIC; 0 where it moves no plan, None where the channel was always used alike."""
    if float(load.std()) < LEAST_SWING:
        return None
    return 0.0 if found < LEAST_ELASTIC else min(found, MOST_ELASTIC)


def _level(score: Floats, rows: pd.DataFrame, weight: Floats, elasticity: float) -> tuple[float, float]:
    """Log of the mean factor of the units billed lately, their load taken out; the usual number of people listed."""
    listed = np.maximum(rows["listed"].fillna(0.0).to_numpy(dtype=np.float64), 1.0)
    usual = float(np.exp(np.average(np.log(listed), weights=weight)))
    factor = np.exp(score) * (listed / usual) ** elasticity
    return float(np.log(np.average(factor, weights=weight))), usual
