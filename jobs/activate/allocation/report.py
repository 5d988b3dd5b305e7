"""The plan as rows: what each channel is to spend and win, how far that may be off, and the certificate."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

import pandas as pd
from pyspark.sql import functions as F

from jobs.activate.allocation.budgets import Budgets
from jobs.activate.allocation.narrow import measures
from jobs.activate.allocation.off import ModelErrors
from jobs.activate.allocation.solve import Outcome
from jobs.activate.allocation.terms import Terms

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

Z = 1.959963984540054
ALL = "(all)"
CHANCE = (
    "chance of the draw (spend as if each person's had a spread as large as its mean, good Poisson, rates binomial)"
)
MODELS = (
    "intervals: the models' error in what is expected, as models of either half of the people differ (lateness: and "
    "quarters of the book, fraud: chance of the draw), and what will be seen varies by chance besides"
)
CHANCE_ONLY = f"intervals: {CHANCE} only, not the models' error"


def expected(chosen: DataFrame, shell: Shell, channels: int) -> pd.DataFrame:
    """Sums by channel over people put on an audience: `chosen` has the columns of scores and `channel`."""
    made = measures()
    sums = {
        "spend": F.col("expected_cost"),
        "spend_square": F.col("expected_cost") * F.col("expected_cost"),
        "good": made["good"],
        "funded": made["funded"],
        "late": made["funded"] * F.col("p_late"),
        "fraud": made["funded"] * F.col("p_fraud"),
    }
    exact = [F.sum(value.cast("decimal(28,12)")).alias(name) for name, value in sums.items()]
    rows = shell.small(chosen.groupBy("channel").agg(F.count("*").alias("people"), *exact), channels + 1, ["channel"])
    return rows.astype(dict.fromkeys(sums, "float64"))


def plan_rows(
    sums: pd.DataFrame,
    terms: Terms,
    money: Budgets,
    currency: str,
    outcome: Outcome,
    notes: Sequence[str],
    errors: ModelErrors,
) -> pd.DataFrame:
    """channel_plan: a row a channel and the row (all)."""
    by_channel = {row["channel"]: row for row in sums.to_dict("records")}
    # Out of reach of its floor a plan is priced in customers, not in money: such prices are not told.
    prices = outcome.prices if outcome.binding is None else {}
    floor = prices.get("floor")
    rows = [
        {
            "channel": name,
            "budget": money.budget[name],
            "budget_left": money.left[name],
            "shadow_price": prices.get(f"budget:{name}"),
            "capacity_price": prices.get(f"places:{name}"),
            **_figures([by_channel[name]] if name in by_channel else [], errors),
        }
        for name in terms.channels
    ]
    rows.append(
        {
            "channel": ALL,
            "budget": money.total,
            "budget_left": money.total_left,
            "shadow_price": prices.get("budget") if floor is None else floor,
            "gap": outcome.gap,
            "max_violation": outcome.max_violation,
            "binding": None if outcome.binding is None else ",".join(outcome.binding),
            "note": "; ".join([*notes, *outcome.notes, MODELS if errors.is_known else CHANCE_ONLY]),
            **_figures(list(by_channel.values()), errors),
        }
    )
    return pd.DataFrame(rows).assign(currency=currency)


def _figures(parts: list[Any], errors: ModelErrors) -> dict[str, Any]:
    """The figures of channels together, each with the interval of its expectation: the models' error.

    Where no error is known of a figure, its interval is what the chance of the draw makes of it.
    """
    told = ("people", "spend", "spend_square", "good", "funded", "late", "fraud")
    sums = {name: sum(float(part[name]) for part in parts) for name in told}
    spend, good, funded = sums["spend"], sums["good"], sums["funded"]
    off = {
        name: errors.half_width(name, {part["channel"]: float(part[name]) for part in parts})
        for name in ("spend", "good")
    }
    spread = off["spend"] * spend or Z * sqrt(sums["spend_square"])
    around = off["good"] * good or Z * sqrt(max(good, 0.0))
    result: dict[str, Any] = {
        "audience_size": int(sums["people"]),
        "expected_spend": spend,
        "expected_spend_lo": max(0.0, spend - spread),
        "expected_spend_hi": spend + spread,
        "expected_good": good,
        "expected_good_lo": good - around,
        "expected_good_hi": good + around,
    }
    for name in ("late", "fraud"):
        rate = sums[name] / funded if funded > 0 else None
        result[f"expected_{name}_rate"] = rate
        wide = None
        if rate is not None:
            off_by = errors.half_width(name, {"*": sums[name]}) * rate
            wide = off_by or Z * sqrt(max(rate * (1 - rate), 0.0) / funded)
        result[f"expected_{name}_rate_lo"] = None if rate is None or wide is None else max(0.0, rate - wide)
        result[f"expected_{name}_rate_hi"] = None if rate is None or wide is None else min(1.0, rate + wide)
    return result
