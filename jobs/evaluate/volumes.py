"""The product at a true volume: plans are asked for until two of them enclose it, then mixed to meet it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jobs.evaluate.judge import Verdict
from jobs.evaluate.product import Forecast

NEAR = 0.03
PAST = 0.015  # where the other side is not enclosed yet: within NEAR of the volume, whatever promises miss by
ASKS = 6


@dataclass(frozen=True)
class Plan:
    """A published plan: the volume asked for, what it truly brings, what it promised."""

    floor: float
    verdict: Verdict
    forecast: Forecast


def at_volume(volume: float, ask: Callable[[float], Plan], plans: list[Plan]) -> Verdict | None:
    """The mixture of two plans whose true volumes enclose `volume`; plans asked for on the way join `plans`.

    None where even the plan that promises far more brings less.
    """
    for _ in range(ASKS):
        below, above = _neighbours(volume, plans)
        if below and above and _is_close(volume, below, above):
            return _mixed(volume, below, above)
        plans.append(ask(_next_floor(volume, below, above)))
    below, above = _neighbours(volume, plans)
    return _mixed(volume, below, above) if below and above else None


def _is_close(volume: float, below: Plan, above: Plan) -> bool:
    """Whether one of two enclosing plans is near enough that mixing in the other hardly matters."""
    return below.verdict.good > volume * (1.0 - NEAR) or above.verdict.good < volume * (1.0 + NEAR)


def _neighbours(volume: float, plans: list[Plan]) -> tuple[Plan | None, Plan | None]:
    below = [plan for plan in plans if plan.verdict.good <= volume]
    above = [plan for plan in plans if plan.verdict.good > volume]
    return (
        max(below, key=lambda plan: plan.verdict.good, default=None),
        min(above, key=lambda plan: plan.verdict.good, default=None),
    )


def _next_floor(volume: float, below: Plan | None, above: Plan | None) -> float:
    """Where the true volume should be met, a little past it on the side not enclosed yet."""
    if below and above:
        share = (volume - below.verdict.good) / (above.verdict.good - below.verdict.good)
        return below.floor + share * (above.floor - below.floor)
    known = below or above
    if known is None:
        return volume
    step = 1.0 + PAST if below else 1.0 - PAST
    return step * known.floor * volume / max(known.verdict.good, 0.05 * volume)


def _mixed(volume: float, below: Plan, above: Plan) -> Verdict:
    share = (above.verdict.good - volume) / (above.verdict.good - below.verdict.good)
    return below.verdict.mixed(above.verdict, share)
