"""A plan's rule as text and back: what chooses today's people can so be asked about people of the past."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from jobs.activate.allocation.choosers import Exploring, Mixing, Policy
from jobs.activate.allocation.people import Layout
from jobs.activate.allocation.program import Program, Row


@dataclass(frozen=True)
class Kept:
    """A rule with the layout of the people frame that it reads."""

    policy: Policy
    layout: Layout


def to_text(policy: Policy, layout: Layout) -> str:
    """The rule as JSON; numbers keep every digit."""
    program, mixing = policy.mixing.program, policy.mixing
    content = {
        "channels": program.channels,
        "objective": program.objective,
        "rows": [[row.name, row.kind, row.channel, row.limit] for row in program.rows],
        "load": program.load,
        "supply": program.supply,
        "plans": [[None if p is None else [float(x) for x in p], float(share)] for p, share in mixing.plans],
        "exploration": policy.exploring.exploration,
        "keep": policy.exploring.keep,
        "holdout": policy.holdout,
        "closed": sorted(layout.closed),
    }
    return json.dumps(content, sort_keys=True)


def of_text(text: str) -> Kept:
    """The rule that `to_text` wrote."""
    told: dict[str, Any] = json.loads(text)
    channels = tuple(told["channels"])
    program = Program(
        channels,
        told["objective"],
        tuple(Row(*row) for row in told["rows"]),
        tuple(told["load"]),
        tuple(tuple((float(w), float(t)) for w, t in steps) for steps in told["supply"]),
    )
    plans = tuple((None if p is None else np.array(p, dtype=np.float64), float(s)) for p, s in told["plans"])
    exploring = Exploring(told["exploration"], tuple(told["keep"]))
    layout = Layout(channels, program.quantities, frozenset(told["closed"]))
    return Kept(Policy(exploring, Mixing(program, plans, told["exploration"]), told["holdout"]), layout)
