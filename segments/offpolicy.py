"""What another policy would have brought, from assignments whose chances were known: IPS, SNIPS, doubly robust.

Everything is per opportunity: a person in a wave, listed or not. Held-out rows, drawn with a known chance from all,
stand for the opportunities; `incremental` is against not being listed.

    U(new) = mean over held out of [ sum_a pi_a q_a - (sum_a pi_a) y ]  +  sum_a share_a x (weighted mean of y - q on a)

with pi the new policy's chances, q the model's expectation, share_a the mean of pi_a, weights pi_a / propensity.
Weights are normalised within a channel, so that it does not matter whether a log's propensity is of the channel alone
or of channel and role together. SNIPS is the same with q = 0. The logged policy's value is what came of those it listed
less the model's organic expectation, shifted by what the held out show: it leans on that model's shape. Dudik,
Langford, Li 2011; Swaminathan, Joachims 2015. The steps on rows are plain arithmetic: they take
numbers, arrays or columns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from segments.intervals import Z

FEW = 30  # channels where the plan meets fewer people of the logs are judged together


@dataclass(frozen=True)
class Arm:
    """Sums over known assignments to one channel, weights w = pi / propensity: of w, w y, w q, and how many people.

    `chance`: the sum of pi over opportunities.
    """

    weight: float
    outcome: float
    expected: float
    people: int
    chance: float


@dataclass(frozen=True)
class Sums:
    """Sums over held-out rows, each 1 / its chance, and over listed rows, each once.

    `pool` of 1; `direct` of sum_a pi_a q_a; `unasked` of (sum_a pi_a) y; `held`, `held_expected` of y and the model's
    organic expectation. `listed`, `outcome`, `organic`: of 1, y and the model's organic expectation over listed rows.
    """

    pool: float
    direct: float
    unasked: float
    held: float
    held_expected: float
    listed: float
    outcome: float
    organic: float
    arms: Mapping[str, Arm]


@dataclass(frozen=True)
class Values:
    """Incremental outcome an opportunity: the logged policy's and the new one's by three estimators.

    `residual` and `mean`: by channel the weighted mean of y - q and of y; `scale`: what a row's weight is multiplied
    with; `shift`: how far the model's organic expectation is off, learned on the held out; `mean_weight`: 1 if right.
    """

    current: float
    ips: float
    snips: float
    dr: float
    residual: Mapping[str, float]
    mean: Mapping[str, float]
    scale: Mapping[str, float]
    shift: float
    mean_weight: float


def values(sums: Sums) -> Values:
    """The estimates; ValueError when nobody was held out or no assignment met the new policy."""
    met = {name: arm for name, arm in sums.arms.items() if arm.weight > 0}
    if sums.pool <= 0 or not met:
        raise ValueError("nobody was held out, or no assignment with a known chance meets the plan")
    few = [name for name, arm in sums.arms.items() if arm.people < FEW or arm.weight <= 0]
    together = met if len(few) == len(sums.arms) else {name: sums.arms[name] for name in few}
    pooled = {name: _joined(together) for name in few}
    if few and pooled[few[0]].weight <= 0:  # nothing was ever seen there: all channels are judged by what was met
        few = list(sums.arms)
        pooled = {name: _joined(met) for name in few}
    used = {name: pooled.get(name, arm) for name, arm in sums.arms.items()}
    residual = {name: (arm.outcome - arm.expected) / arm.weight for name, arm in used.items()}
    mean = {name: arm.outcome / arm.weight for name, arm in used.items()}
    share = {name: arm.chance / sums.pool for name, arm in sums.arms.items()}
    unasked = sums.unasked / sums.pool
    shift = (sums.held - sums.held_expected) / sums.pool
    seen = sum(arm.weight for arm in met.values())
    return Values(
        current=(sums.outcome - sums.organic - shift * sums.listed) / sums.pool,
        ips=sum(arm.outcome for arm in met.values()) / sums.pool - unasked,
        snips=sum(share[n] * mean[n] for n in share) - unasked,
        dr=sums.direct / sums.pool + sum(share[n] * residual[n] for n in share) - unasked,
        residual=residual,
        mean=mean,
        scale=_scales(sums, used, few),
        shift=shift,
        mean_weight=seen / max(sum(arm.chance for arm in met.values()), 1e-12),
    )


def _joined(arms: Mapping[str, Arm]) -> Arm:
    parts = list(arms.values())
    return Arm(
        sum(a.weight for a in parts),
        sum(a.outcome for a in parts),
        sum(a.expected for a in parts),
        sum(a.people for a in parts),
        sum(a.chance for a in parts),
    )


def _scales(sums: Sums, used: Mapping[str, Arm], few: list[str]) -> dict[str, float]:
    """Share over sum of weights, of the channel or of those judged together."""
    share = sum(sums.arms[name].chance for name in few) / sums.pool
    return {
        name: share / arm.weight if name in few else sums.arms[name].chance / sums.pool / arm.weight
        for name, arm in used.items()
    }


def listed_pull(weight: Any, outcome: Any, expected: Any, mean: Any, scale: Any) -> Any:
    """What one known assignment moves the new policy's value by (its influence); for SNIPS `expected` is 0."""
    return scale * weight * (outcome - expected - mean)


def held_pull(inverse: Any, direct: Any, residual: Any, any_chance: Any, outcome: Any, value: Any, pool: float) -> Any:
    """What one held-out row moves the new policy's value by; `residual`: sum_a pi_a x the channel's mean."""
    return inverse * (direct + residual - any_chance * outcome - value) / pool


def current_pull_listed(outcome: Any, organic: Any, values_: Values, pool: float) -> Any:
    """What one listed row moves the logged policy's value by."""
    return (outcome - organic - values_.shift) / pool


def current_pull_held(inverse: Any, outcome: Any, organic: Any, values_: Values, sums: Sums) -> Any:
    """What one held-out row moves the logged policy's value by."""
    of_shift = (outcome - organic - values_.shift) * (sums.listed / sums.pool)
    return -inverse * (values_.current + of_shift) / sums.pool


@dataclass(frozen=True)
class Gain:
    """New less logged: estimate, 95 % interval, and how many standard errors DR and SNIPS lie apart."""

    gain: float
    lo: float
    hi: float
    snips_lo: float
    snips_hi: float
    disagreement: float


def gain(found: Values, squares_dr: float, squares_snips: float, squares_between: float) -> Gain:
    """Intervals from sums over people of squared pulls: of DR, of SNIPS, of their difference."""
    dr, snips = found.dr - found.current, found.snips - found.current
    wide, other, between = (Z * math.sqrt(max(s, 0.0)) for s in (squares_dr, squares_snips, squares_between))
    apart = found.dr - found.snips
    is_rounding = abs(apart) <= 1e-9 * max(abs(found.dr), abs(found.snips))  # a model that says nothing changes nothing
    disagreement = 0.0 if is_rounding else (apart * Z / between if between > 0 else math.copysign(math.inf, apart))
    return Gain(dr, dr - wide, dr + wide, snips - other, snips + other, disagreement)


def effective(weights: float, squares: float) -> float:
    """Kish's effective number: (sum of people's weights) squared over the sum of their squares."""
    return weights * weights / squares if squares > 0 else 0.0
