"""What a backtest found, as plain values that go to JSON and to a table."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from jobs.model.learners.metrics import Interval

METRICS = ("auc", "cut_at_50", "cut_at_70", "cut_at_90")


@dataclass(frozen=True)
class ModelFigures:
    """One model's figures, or the paired difference of two (`product - boosted`); `pooled_auc` in blocks mode only."""

    model: str
    rows: int
    positives: int
    figures: dict[str, Interval]
    pooled_auc: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """{model, rows, positives, auc, auc_lo, auc_hi, cut_at_50, …}; undefined figures are null."""
        out: dict[str, Any] = {"model": self.model, "rows": self.rows, "positives": self.positives}
        for name, figure in self.figures.items():
            out |= {name: _value(figure.value), f"{name}_lo": _value(figure.lo), f"{name}_hi": _value(figure.hi)}
        if self.pooled_auc is not None:
            out["pooled_auc"] = _value(self.pooled_auc)
        return out


@dataclass(frozen=True)
class Block:
    """One block of the judged period and how it drifted from everything before it.

    `psi_score` compares the product's score on the block with its score on the block before; `psi_input` is the
    largest PSI of an input against all earlier rows, `psi_null` what sampling alone gives on average with ten bins.
    """

    block: int
    first_day: date
    last_day: date
    rows: int
    positives: int
    base_rate: float
    base_rate_before: float
    auc: dict[str, float]
    psi_score: float | None
    psi_input: float
    psi_input_name: str
    psi_null: float


@dataclass(frozen=True)
class Cell:
    """One channel and band: how often its contacts came to a positive, and what one cost.

    `cost_per_positive` is null without positives; `rate_lo` and `rate_hi` are Wilson's 95 % interval.
    """

    channel: str
    band: str
    rows: int
    positives: int
    rate: float
    rate_lo: float
    rate_hi: float
    cost: float
    cost_per_positive: float | None


@dataclass(frozen=True)
class BacktestReport:
    """A whole backtest: models, blocks (in blocks mode), channels by band, and what must be said with them."""

    mode: str
    word: str
    trained_until: date
    judged_from: date
    judged_until: date
    trained_rows: int
    chosen: str
    validation_losses: dict[str, float]
    models: tuple[ModelFigures, ...]
    differences: tuple[ModelFigures, ...]
    cells: tuple[Cell, ...]
    currency: str
    is_cost_assumed: bool
    notes: tuple[str, ...]
    refused_columns: dict[str, str]
    refused_rows: dict[str, int]
    blocks: tuple[Block, ...] = field(default=())

    def rows(self) -> list[dict[str, Any]]:
        """The list `huoke backtest --json` prints: one entry a model, then one a paired difference."""
        return [m.as_dict() for m in (*self.models, *self.differences)]

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON: dates as ISO text, undefined figures null."""
        out = as_json(asdict(self))
        out["models"], out["differences"] = [m.as_dict() for m in self.models], [m.as_dict() for m in self.differences]
        return dict(out)


def _value(number: float) -> float | None:
    return None if math.isnan(number) else number


def as_json(thing: Any) -> Any:
    """The same with days as ISO text and undefined numbers null, all the way down."""
    if isinstance(thing, dict):
        return {k: as_json(v) for k, v in thing.items()}
    if isinstance(thing, list | tuple):
        return [as_json(v) for v in thing]
    if isinstance(thing, date):
        return thing.isoformat()
    return _value(thing) if isinstance(thing, float) else thing
