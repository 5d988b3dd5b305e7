"""What a cross-validation of the stage of lateness found, as plain values that go to JSON and to a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobs.backtest.render import figure, table
from jobs.backtest.report import ModelFigures

DIGITS = {"log_loss": 4, "brier": 4}


@dataclass(frozen=True)
class ViewFigures:
    """Every model on one set of inputs, and the product's paired differences from the others."""

    view: str
    inputs: tuple[str, ...]
    models: tuple[ModelFigures, ...]
    differences: tuple[ModelFigures, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One entry a model, then one a paired difference, each with its view."""
        return [{"view": self.view, **m.as_dict()} for m in (*self.models, *self.differences)]


@dataclass(frozen=True)
class CreditReport:
    """The stage of lateness on one source, on all inputs and on each declared view of them."""

    source: str
    word: str
    mode: str
    learner: str
    views: tuple[ViewFigures, ...]
    notes: tuple[str, ...]
    refused_columns: dict[str, str]
    refused_rows: dict[str, int]

    def rows(self) -> list[dict[str, Any]]:
        """The list `huoke backtest --json` prints."""
        return [row for view in self.views for row in view.rows()]

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON; undefined figures are null."""
        return {
            "source": self.source,
            "word": self.word,
            "mode": self.mode,
            "learner": self.learner,
            "inputs": {view.view: list(view.inputs) for view in self.views},
            "figures": self.rows(),
            "notes": list(self.notes),
            "refused_columns": self.refused_columns,
            "refused_rows": self.refused_rows,
        }


def render(report: CreditReport) -> str:
    """A table of models and one of paired differences for each view, and the notes."""
    first = report.views[0].models[0]
    parts = [
        f"{first.rows:,} rows ({first.positives:,} {report.word}), {report.mode}.",
        f"product = the stage of lateness with the {report.learner} learner. Intervals are 95 %.",
    ]
    for view in report.views:
        parts += ["", f"{view.view}: {len(view.inputs)} inputs", *_table(view.models), "", *_table(view.differences)]
    parts += ["", *(f"note: {note}" for note in report.notes)]
    parts += [f"refused column {name} ({why})" for name, why in report.refused_columns.items()]
    parts += [f"refused rows, {reason}: {count}" for reason, count in report.refused_rows.items()]
    return "\n".join(parts) + "\n"


def _table(models: tuple[ModelFigures, ...]) -> list[str]:
    names = list(models[0].figures)
    return table(
        ["model", *names], [[m.model, *(figure(m.figures[n], DIGITS.get(n, 3)) for n in names)] for m in models]
    )
