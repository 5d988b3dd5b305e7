"""The published plan and the what-if side by side, and whether the what-if can be had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

ALL = "(all)"
FIGURES = (
    "budget",
    "budget_left",
    "audience_size",
    "expected_spend",
    "expected_good",
    "cost_per_good",
    "expected_late_rate",
    "expected_fraud_rate",
    "shadow_price",
    "capacity_price",
)
OF_THE_WHOLE = ("gap", "max_violation", "binding", "note")
Row = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """Whether a plan keeps what it was asked to; if not, why, and which rows bind (`places:<channel>`, `late`, …)."""

    is_feasible: bool
    why: str = ""
    binding: tuple[str, ...] = ()


def figures(rows: Iterable[Mapping[Any, Any]]) -> list[Row]:
    """Rows of channel_plan as plain data with the cost of a good customer; the row (all) last."""
    return [_figures(row) for row in sorted(rows, key=lambda row: (row["channel"] == ALL, row["channel"]))]


def _figures(row: Mapping[Any, Any]) -> Row:
    whole = OF_THE_WHOLE if row["channel"] == ALL else ()
    found: Row = {name: _plain(row.get(name)) for name in ("channel", *FIGURES, *whole)}
    good, spend = found["expected_good"] or 0.0, found["expected_spend"] or 0.0
    return found | {"cost_per_good": spend / good if good > 0 else None}


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and isnan(value) else value


def verdict(rows: Iterable[Row], good_floor: float | None, max_violation: float) -> Verdict:
    """What the row (all) of a plan says of its floor and of its rows; up to `max_violation` is rounding to people."""
    whole = next(row for row in rows if row["channel"] == ALL)
    if whole["binding"]:
        binding = tuple(str(whole["binding"]).split(","))
        return Verdict(False, f"{good_floor:g} good customers cannot be won: {', '.join(binding)} bind", binding)
    if good_floor is not None and whole["gap"] is None:
        return Verdict(False, "no model was fitted yet, so no number of good customers can be planned")
    if (whole["max_violation"] or 0.0) > max_violation:
        return Verdict(False, f"no plan was found that keeps every row: one is broken by {whole['max_violation']:.2%}")
    return Verdict(True)


def price_words(whole: Row, good_floor: float | None, currency: str) -> str:
    """What the price on the row (all) means."""
    price = whole["shadow_price"]
    if good_floor is not None:
        return "" if price is None else f"one more good customer costs {price:,.2f} {currency}"
    if price is None:
        return ""
    return f"one {currency} more of the whole budget is worth {price:,.2f} {currency}"
