"""What a trial said of policies, as plain values that go to JSON and to a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from jobs.backtest.render import figure, table
from jobs.backtest.report import as_json
from jobs.model.learners.metrics import Interval


@dataclass(frozen=True)
class ArmCount:
    """One arm: how many people it was drawn for, and the mean of the outcome policies learn."""

    arm: str
    people: int
    mean: float


@dataclass(frozen=True)
class PolicyFigures:
    """One policy (or the product's paired difference from one) on one outcome.

    `gain` and `gain_ips` by percent treated: added outcome per 1,000 people. `random orders` is the null of the Qini:
    its mean and 95 % range over random orders, without gains.
    """

    outcome: str
    policy: str
    qini: Interval
    gain: dict[str, Interval]
    gain_ips: dict[str, Interval]

    def as_dict(self) -> dict[str, Any]:
        """{outcome, policy, qini, qini_lo, qini_hi, gain_10, gain_10_lo, …, gain_ips_10, …}; undefined is null."""
        named = {"qini": self.qini}
        named |= {f"gain_{share}": it for share, it in self.gain.items()}
        named |= {f"gain_ips_{share}": it for share, it in self.gain_ips.items()}
        flat: dict[str, Any] = {"outcome": self.outcome, "policy": self.policy}
        for name, it in named.items():
            flat |= {name: it.value, f"{name}_lo": it.lo, f"{name}_hi": it.hi}
        return dict(as_json(flat))


@dataclass(frozen=True)
class TrialReport:
    """A whole trial: arms, what the product chose in how many folds, and every policy on every outcome."""

    source: str
    learned: str
    mode: str
    arms: tuple[ArmCount, ...]
    chosen: dict[str, int]
    inner_qinis: dict[str, float]
    reference: dict[str, int]
    figures: tuple[PolicyFigures, ...]
    notes: tuple[str, ...]
    refused_columns: dict[str, str]
    refused_rows: dict[str, int]
    dropped_columns: tuple[str, ...]

    def rows(self) -> list[dict[str, Any]]:
        """The list `huoke backtest --json` prints: policies, then paired differences, outcome by outcome."""
        return [f.as_dict() for f in self.figures]

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON; undefined figures are null."""
        return {**as_json(asdict(self)), "figures": self.rows()}


def show(report: TrialReport) -> str:
    """A table of policies with intervals for each outcome, the product's choices, and the notes."""
    people = sum(a.people for a in report.arms)
    arms = ", ".join(f"{a.arm} {a.people:,} ({a.mean:.2%})" for a in report.arms)
    chosen = ", ".join(f"{name} in {count}" for name, count in report.chosen.items())
    reference = ", ".join(f"{name} in {count}" for name, count in report.reference.items())
    parts = [
        f"{people:,} people, {report.mode}; {report.learned} by arm: {arms}.",
        f"product = {chosen} folds, chosen inside the training folds. Intervals are 95 %.",
        "Qini on inner folds: " + ", ".join(f"{name} {value:.3f}" for name, value in report.inner_qinis.items()) + ".",
        f"Reference treatment: {reference} folds.",
    ]
    for outcome in dict.fromkeys(f.outcome for f in report.figures):
        parts += ["", f"{outcome}: Qini, and gain per 1,000 people by share treated"]
        parts += _table([f for f in report.figures if f.outcome == outcome])
    parts += ["", *(f"note: {note}" for note in report.notes)]
    parts += [f"column without use: {name}" for name in report.dropped_columns]
    parts += [f"refused column {name} ({why})" for name, why in report.refused_columns.items()]
    parts += [f"refused rows, {reason}: {count}" for reason, count in report.refused_rows.items()]
    return "\n".join(parts) + "\n"


def _table(figures: list[PolicyFigures]) -> list[str]:
    shares = list(figures[0].gain)
    rows = [[f.policy, figure(f.qini), *(figure(f.gain[s], 1) if s in f.gain else "" for s in shares)] for f in figures]
    return table(["policy", "qini", *(f"{s} %" for s in shares)], rows)
