"""Caps on lateness as a plan keeps them: lower, since a plan that promises just the cap breaks it every other time."""

from __future__ import annotations

from jobs.activate.allocation.off import ModelErrors
from jobs.runtime.conf import Conf


def prudent(conf: Conf, errors: ModelErrors) -> Conf:
    """The conf with its own and its partners' caps on lateness lower by as much as the models may tell too little.

    Said with `plan.late_confidence`; where no error of theirs was measured caps stay.
    """
    share = 1.0 / errors.at_most("late", {"*": 1.0}, conf.base.plan.late_confidence)
    if share == 1.0:
        return conf
    plan = conf.base.plan.model_copy(update={"max_late_rate": _lower(conf.base.plan.max_late_rate, share)})
    partners = {
        name: one.model_copy(update={"max_late_rate": _lower(one.max_late_rate, share)})
        for name, one in conf.partners.items()
    }
    return conf.model_copy(update={"base": conf.base.model_copy(update={"plan": plan}), "partners": partners})


def cap_notes(asked: Conf, kept: Conf) -> list[str]:
    """What a plan says of it: a line where the overall cap was lowered."""
    cap, own = asked.base.plan.max_late_rate, kept.base.plan.max_late_rate
    if cap is None or own is None or cap == own:
        return []
    return [f"lateness is held to {own:.2%}, below the cap of {cap:.2%} by what the models may be off"]


def _lower(cap: float | None, share: float) -> float | None:
    return None if cap is None else cap * share
