"""A plan's rule as text and back: what chooses today's people can so be asked about people of the past."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from jobs.activate.allocation.choosers import Exploring, Mixing, Policy
from jobs.activate.allocation.partners import Partners
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
    content: dict[str, Any] = {
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
    if program.partners is not None:
        pairs = zip(content["rows"], program.rows, strict=True)
        content["rows"] = [[*told, row.partner, row.less] for told, row in pairs]
        content["partners"] = program.partners.plain()
        content |= {"lend": policy.exploring.lend, "caps": policy.exploring.caps}
    return json.dumps(content, sort_keys=True)


def of_text(text: str) -> Kept:
    """The rule that `to_text` wrote."""
    told: dict[str, Any] = json.loads(text)
    channels = tuple(told["channels"])
    partners = Partners.of(told["partners"]) if "partners" in told else None
    program = Program(
        channels,
        told["objective"],
        tuple(Row(*row) for row in told["rows"]),
        tuple(told["load"]),
        tuple(tuple((float(w), float(t)) for w, t in steps) for steps in told["supply"]),
        partners,
    )
    plans = tuple((None if p is None else np.array(p, dtype=np.float64), float(s)) for p, s in told["plans"])
    caps = tuple((name, tuple(by_partner)) for name, by_partner in told.get("caps", ()))
    exploring = Exploring(told["exploration"], tuple(told["keep"]), partners, tuple(told.get("lend", ())), caps)
    layout = Layout(channels, program.quantities, frozenset(told["closed"]), partners is not None, partners)
    return Kept(Policy(exploring, Mixing(program, plans, told["exploration"]), told["holdout"]), layout)
