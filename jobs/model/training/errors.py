"""How far the models may be off for a plan's sums: learned from either half of the people, they differ by as much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import log

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners.features import Floats
from jobs.model.learners.threads import side_by_side
from jobs.model.person_features import person_features
from jobs.model.serving.funnel import Funnel
from jobs.model.training.choice import without_rivals
from jobs.model.training.chosen import Told, overstated
from jobs.model.training.counts import HALF, MIDDLE, count_clicks, count_units, count_wins
from jobs.model.training.fits import RANDOMISED, Fits, of_channel
from jobs.model.training.funnel import CREDIT, fit_apply, fit_credit, fit_organic
from jobs.model.training.lateness import late_rows
from jobs.model.training.lift import CLICKS_WORTH, LIFT_WORTH, fit_lift
from jobs.model.training.price import fit_prices, mean_prices, price_stages
from jobs.model.training.stage import Fitted
from jobs.model.training.times import coming_spread
from jobs.runtime.conf import Conf

PEOPLE = 2_000
TOP = 0.1  # of the people on a channel: those whom a plan would take
RESPONSE = ("clicks", "wins", "units", "lift", "apply", "organic")
PLENTY = 5_000  # events from which on a stage of credit is known far better than response is
ROOM = 50_000  # rows without an event, for the channels' factors
MOST = 2.0  # of a log ratio: beyond it a half knows nothing
LATE_TIMES = 3  # as many ways to halve the book, for lateness alone: caps hang on its error, and it is quick to fit
COLUMNS = ["measure", "channel", "pair", "log_ratio"]


def model_errors(
    fits: list[Fitted],
    assigned: pd.DataFrame,
    decided: pd.DataFrame,
    billed: pd.DataFrame,
    meant: Mapping[str, float],
    day: date,
    conf: Conf,
) -> pd.DataFrame:
    """Log ratios of what models of the two halves of the people expect, for `halvings` ways to halve them.

    A row a measure (`good`, `spend`, `late`), channel and pair, over the best tenth of people on the channel. The
    models in force know twice what a half does, so half the root mean square of a measure's log ratios is their
    relative standard error; of `late` there are LATE_TIMES as many. `hidden_good`, `hidden_spend`, `*`: twice the
    standard error of what the old policy's own choice hides. `times_late`, `*`: the standard error of what the months
    to come may be like. `chosen_good`, `chosen_spend`, `*`: log of how many good customers the models in force tell
    too many of whom they choose, and of how much too little spend, as each half's choice looks to the other half.
    Prices are learned again from either half of the invoices (`billed`); where there are none, a channel costs what
    was `meant`. No row where no wins were fitted, or conf asks for none.
    """
    if not conf.base.training.halvings or not any(one.stage == "wins" for one in fits):
        return pd.DataFrame(columns=COLUMNS)
    assigned = _few(assigned, conf.base.training.seed)
    sent = assigned[assigned["channel"] != "none"]
    people = sent.drop_duplicates("prospect_key", keep="last").tail(PEOPLE)
    whole = _expected(_funnel(fits), people, conf)
    rows = [(f"hidden_{name}", "*", 0, 2.0 * value) for name, value in _hidden(fits, sent).items()]
    late = next(one for one in fits if one.stage == "late")
    if late.model is not None:
        rows.append(("times_late", "*", 0, coming_spread(late.model, late_rows(decided))))
    mean = mean_prices(billed, meant)

    def half(told: tuple[int, bool]) -> dict[tuple[str, str], Floats]:
        bills = billed[_side(billed["invoice"], told[0]) == told[1]]
        priced = price_stages(fit_prices(bills, person_features(conf), day, conf, MIDDLE))
        return _expected(_half(fits, assigned, decided, priced, *told, conf), people, conf)

    pairs = range(conf.base.training.halvings)
    halves = side_by_side(half, [(pair, side) for pair in pairs for side in (True, False)])
    for pair, one, other in zip(pairs, halves[::2], halves[1::2], strict=True):
        for (measure, channel), value in whole.items():
            best = value >= np.quantile(value, 1.0 - TOP) if measure != "late" else np.ones(len(people), dtype=bool)
            sums = (float(each[(measure, channel)][best].sum()) for each in (one, other))
            rows.append((measure, channel, pair, _log_ratio(*sums)))
        # A half knows half as much as the models in force: what choosing does goes with the square of the error.
        off = overstated(_told(one, mean), _told(other, mean), TOP)
        rows += [
            (f"chosen_{name}", "*", pair, log_off / 2.0) for name, log_off in zip(("good", "spend"), off, strict=True)
        ]
    if late.positives < PLENTY:
        more = range(len(pairs), LATE_TIMES * len(pairs))
        ratios = _late(decided, people, more, conf)
        rows += [("late", "*", pair, ratio) for pair, ratio in zip(more, ratios, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _late(decided: pd.DataFrame, people: pd.DataFrame, pairs: Sequence[int], conf: Conf) -> list[float]:
    """Log ratios of the lateness that models of either half of the book expect of people, for each way to halve it."""

    def half(told: tuple[int, bool]) -> float:
        fits = Fits()
        fit_credit(fits, decided[_side(decided["prospect_key"], told[0]) == told[1]], without_rivals(conf), ("late",))
        return float(fits.funnel().credit("late", people).sum())

    sums = side_by_side(half, [(pair, side) for pair in pairs for side in (True, False)])
    return [_log_ratio(one, other) for one, other in zip(sums[::2], sums[1::2], strict=True)]


def _told(expected: Mapping[tuple[str, str], Floats], prices: Mapping[str, float]) -> Told:
    """The same as people x channels, spend in money."""
    channels = sorted(channel for measure, channel in expected if measure == "good")
    return Told(
        np.column_stack([expected[("good", channel)] for channel in channels]),
        np.column_stack([expected[("spend", channel)] * prices.get(channel, 1.0) for channel in channels]),
    )


def _half(
    fits: list[Fitted],
    assigned: pd.DataFrame,
    decided: pd.DataFrame,
    priced: list[Fitted],
    pair: int,
    side: bool,
    conf: Conf,
) -> Funnel:
    """What few events tell, learned again from half the people; the rest, which many tell, as it is.

    `priced`: the stages of prices, learned from half the invoices; where those were too few the whole's stand.
    """
    conf = without_rivals(conf)  # a half has no card
    half, credit = Fits(), [one.stage for one in fits if one.stage in CREDIT and one.positives < PLENTY]
    prices = {one.channel: one for one in priced if one.stage == "price"}
    half.all += [one for one in fits if one.stage not in (*RESPONSE, *credit)]
    half.all = [prices.get(one.channel, one) if one.stage == "price" else one for one in half.all]
    mine = assigned[_side(assigned["prospect_key"], pair) == side]
    book = decided[_side(decided["prospect_key"], pair) == side]
    sent = mine[mine["channel"] != "none"]
    fit_apply(half, sent, conf)
    fit_organic(half, mine, conf)
    count_clicks(half, sent, conf, HALF)
    count_units(half, sent, conf, HALF)
    count_wins(half, sent, conf, HALF)
    fit_credit(half, book, conf, credit)
    fit_lift(half, sent, conf)
    return half.funnel()


def _side(keys: pd.Series, pair: int) -> NDArray[np.bool_]:
    """A fixed coin a key."""
    key = keys.astype(str) + f"|{pair}"
    side: NDArray[np.bool_] = pd.util.hash_array(key.to_numpy(dtype=object)) % 2 == 1
    return side


def _few(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """All rows with an event, and at most ROOM others, weighted up."""
    event = (rows["clicks"] > 0).to_numpy() | rows["is_applied"].to_numpy(dtype=bool)
    share = min(1.0, ROOM / max(int((~event).sum()), 1))
    kept = event | (np.random.default_rng(seed).random(len(rows)) < share)
    weight = np.where(event, 1.0, 1.0 / share) * rows["weight"].to_numpy(dtype=np.float64)
    few: pd.DataFrame = rows.assign(weight=weight)[kept]
    return few


def _expected(funnel: Funnel, people: pd.DataFrame, conf: Conf) -> dict[tuple[str, str], Floats]:
    """What each person is expected to bring on each channel, and to be billed for."""
    late, fraud = funnel.credit("late", people), funnel.credit("fraud", people)
    funded = funnel.credit("approve", people) * funnel.credit("fund", people)
    organic = funnel.organic(people)
    found = {("late", "*"): late}
    for channel in sorted(conf.channels):
        told = people.assign(channel=channel)
        added = funnel.p_apply(funnel.added(told, organic, channel), organic, channel) - organic
        found[("good", channel)] = added * funded * funnel.p_good(late, fraud)
        found[("spend", channel)] = funnel.units(told, channel) * funnel.price(told, channel)
    return found


def _funnel(fits: list[Fitted]) -> Funnel:
    whole = Fits()
    whole.all += fits
    return whole.funnel()


def _hidden(fits: list[Fitted], sent: pd.DataFrame) -> dict[str, float]:
    """The standard errors left, after rows chosen by chance, of how far the old policy's people answer unlike others.

    `good`: of the applications they add; `spend`: of the clicks they are billed for, which come in bunches.
    """
    funnel, drawn = _funnel(fits), sent[sent["role"].isin(RANDOMISED).to_numpy(dtype=bool)]
    added, clicks = 0.0, 0.0
    for channel in sorted(set(drawn["channel"].unique())):
        rows = drawn[of_channel(drawn, channel)]
        weight = rows["weight"].to_numpy(dtype=np.float64)
        added += float((funnel.added(rows, funnel.organic(rows), channel) * weight).sum())
        clicks += float((funnel.clicks(rows, channel) * weight).sum())
    unknown = 1.0 / np.sqrt(LIFT_WORTH.chance)  # before any row; a worth is the inverse square of a spread
    return {
        "good": float(unknown * np.sqrt(LIFT_WORTH.chance / (added + LIFT_WORTH.chance))),
        "spend": float(unknown * np.sqrt(CLICKS_WORTH.chance / (clicks + CLICKS_WORTH.chance))),
    }


def _log_ratio(one: float, other: float) -> float:
    if one <= 0.0 or other <= 0.0:
        return 0.0 if one == other else MOST
    return float(np.clip(log(one / other), -MOST, MOST))
