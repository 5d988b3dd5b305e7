"""What is asked instead: changes of budgets, places and caps, turned into the configuration they make."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from jobs.runtime.conf import Conf
from jobs.runtime.errors import UsageError
from jobs.runtime.settings import ChannelConf, PlanConf

WHOLE = "(all)"  # the budget over all channels, as channel_plan names it
AMOUNT = re.compile(r"(?P<relative>[+-]\d+(\.\d+)?)%|(?P<absolute>\d+(\.\d+)?)")


@dataclass(frozen=True)
class Changes:
    """What a plan is asked for instead of conf; money in each channel's currency, `good` in good customers."""

    budgets: Mapping[str, str] = field(default_factory=dict)
    capacities: Mapping[str, str] = field(default_factory=dict)
    good: float | None = None
    max_late_rate: float | None = None
    max_fraud_rate: float | None = None

    def said(self) -> dict[str, Any]:
        """The changes that were asked for, as plain data."""
        found = {"budget": dict(self.budgets), "capacity": dict(self.capacities), "good": self.good}
        rates = {"max_late_rate": self.max_late_rate, "max_fraud_rate": self.max_fraud_rate}
        return {name: value for name, value in (found | rates).items() if value}


def named(texts: Sequence[str], option: str) -> dict[str, str]:
    """`CHANNEL=AMOUNT` texts by channel; UsageError when one is malformed or a channel is named twice."""
    result: dict[str, str] = {}
    for text in texts:
        channel, sign, amount = text.partition("=")
        if not (channel and sign and AMOUNT.fullmatch(amount)):
            raise UsageError(f"{option} {text!r} is not understood; write CHANNEL=+20%, CHANNEL=-10% or CHANNEL=50000")
        if channel in result:
            raise UsageError(f"{option} names {channel} twice; say once what it is to be")
        result[channel] = amount
    return result


def amount(now: Decimal, text: str) -> Decimal:
    """What `text` makes of an amount: changed by so many per cent, or replaced; never less than nothing."""
    match = AMOUNT.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is no amount; write +20%, -10% or 50000")
    if match["absolute"] is not None:
        return Decimal(match["absolute"])
    return max(Decimal(0), now * (100 + Decimal(match["relative"])) / 100)


def changed(conf: Conf, changes: Changes) -> Conf:
    """The configuration with the changes; UsageError names a channel or a cap that cannot be."""
    known = set(conf.channels)
    if strange := (set(changes.budgets) - known - {WHOLE}) | (set(changes.capacities) - known):
        raise UsageError(
            f"there is no channel {', '.join(sorted(strange))}; there are {', '.join(sorted(known))}, and {WHOLE} for "
            "the budget over all of them"
        )
    channels = {name: _channel(name, channel, changes) for name, channel in conf.channels.items()}
    plan = conf.base.plan.model_copy(update=_budget(conf.base.plan, changes) | _asked(changes))
    return conf.model_copy(update={"channels": channels, "base": conf.base.model_copy(update={"plan": plan})})


def _channel(name: str, channel: ChannelConf, changes: Changes) -> ChannelConf:
    update: dict[str, Any] = {}
    if name in changes.budgets:
        update["budget"] = amount(channel.budget, changes.budgets[name])
    if name in changes.capacities:
        update["capacity"] = int(amount(Decimal(channel.capacity), changes.capacities[name]))
    return channel.model_copy(update=update)


def _budget(plan: PlanConf, changes: Changes) -> dict[str, Any]:
    text = changes.budgets.get(WHOLE)
    if text is None:
        return {}
    if plan.budget is None and text.endswith("%"):
        raise UsageError(f"conf sets no budget over all channels to change by {text}; write an amount")
    return {"budget": amount(plan.budget or Decimal(0), text)}


def _asked(changes: Changes) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    if changes.good is not None:
        if changes.good <= 0:
            raise UsageError(f"--good {changes.good:g} is not above 0; ask for some good customers")
        asked |= {"objective": "volume", "good_floor": changes.good}
    for name in ("max_late_rate", "max_fraud_rate"):
        rate = getattr(changes, name)
        if rate is not None and not 0 < rate < 1:
            raise UsageError(f"--{name.replace('_', '-')} {rate:g} is not between 0 and 1; write 0.02 for 2 %")
        if rate is not None:
            asked[name] = rate
    return asked
