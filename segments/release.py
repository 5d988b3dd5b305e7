"""Whether a plan may be released, how much of it, and to whom first: the gate's limits and the ramp's steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from segments.gates import uniform
from segments.offpolicy import Gain

if TYPE_CHECKING:
    from pyspark.sql import Column

    from jobs.runtime.settings import GateConf


@dataclass(frozen=True)
class Evidence:
    """What stands behind an estimate; `ess`: effective people, `people`: all in the logs."""

    ess: float
    people: int
    max_weight: float
    held_outcomes: int


def broken(evidence: Evidence, gain: Gain, limits: GateConf) -> list[str]:
    """Which limits the judgement does not keep, one phrase each; empty when the gate is passed."""
    least = max(limits.min_ess, limits.min_ess_share * evidence.people)
    checks = [
        (evidence.ess >= least, f"effective people {evidence.ess:,.0f} of at least {least:,.0f}"),
        (
            evidence.max_weight <= limits.max_weight,
            f"largest weight {evidence.max_weight:,.1f} of at most {limits.max_weight:g}",
        ),
        (evidence.held_outcomes > 0, "no outcome among the held out yet"),
        (
            abs(gain.disagreement) <= limits.max_disagreement,
            f"DR and SNIPS are {abs(gain.disagreement):.1f} standard errors apart",
        ),
        (gain.lo > 0, f"the gain's lower end {gain.lo:.4g} is not above 0"),
    ]
    return [words for is_kept, words in checks if not is_kept]


def is_refuted(gain: Gain) -> bool:
    """True when the plan is worse than the logged policy beyond its interval: that is no lack of data."""
    return gain.hi < 0


@dataclass(frozen=True)
class Step:
    """The share of people released, and since when."""

    share: float
    since: date


def step(
    day: date, mode: str, is_passed: bool, is_worse: bool, before: Step | None, steps: Sequence[float], days: int
) -> Step:
    """The step of a day: everybody when passed or not gated; nobody new when worse; else the ramp, a step each `days`.

    `before`: the step of the last day that was gated, None when there was none.
    """
    if mode != "ramp" or is_passed:
        return _kept(1.0, day, before)
    if is_worse:
        return _kept(0.0, day, before)
    if before is None or before.share not in steps:
        return _kept(steps[0], day, before)
    place = steps.index(before.share)
    if place + 1 < len(steps) and day >= before.since + timedelta(days=days):
        return Step(steps[place + 1], day)
    return before


def _kept(share: float, day: date, before: Step | None) -> Step:
    return before if before is not None and before.share == share else Step(share, day)


def is_released(person_key: Column, salt: str, share: Column) -> Column:
    """True for the share of people who come first: the same order every day, so that a larger share holds a smaller."""
    return uniform(salt, "ramp", person_key) < share
