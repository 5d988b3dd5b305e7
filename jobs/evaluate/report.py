"""The ladder as a table: cost per incremental good customer by policy, at each share of the reachable volume."""

from __future__ import annotations

from typing import Any

import numpy as np

Row = dict[str, Any]


def table(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """Columns and lines: means over worlds of each family, with the cost against two rivals and the lateness."""
    columns = [
        "family",
        "volume",
        "policy",
        "worlds",
        "cost per good",
        "against random",
        "against best channel",
        "late",
        "fraud",
        "caps kept",
        "captured",
    ]
    lines = []
    keys = ("family", "volume", "rung", "policy")
    for family, volume, rung, policy in sorted({tuple(r[key] for key in keys) for r in rows}):
        mine = [r for r in rows if tuple(r[key] for key in keys) == (family, volume, rung, policy)]
        against = [_spread(_ratios(mine, rows, rival)) for rival in ("random", "best channel first")]
        lines.append(
            [
                family,
                f"{volume:.0%}",
                f"{rung} {policy}",
                str(len(mine)),
                _mean(mine, "cost_per_good", "{:.0f}"),
                *against,
                _mean(mine, "late_rate", "{:.2%}"),
                _mean(mine, "fraud_loss_rate", "{:.2%}"),
                _kept(mine),
                _spread([row["saving_captured"] for row in mine if row["saving_captured"] is not None]),
            ]
        )
    return columns, lines


def _ratios(mine: list[Row], rows: list[Row], rival: str) -> list[float]:
    """Cost over the rival's at the same volume of the same world, where both reach it."""
    where = ("family", "seed", "volume")
    base = {tuple(row[key] for key in where): row["cost_per_good"] for row in rows if row["policy"] == rival}
    pairs = [(row["cost_per_good"], base.get(tuple(row[key] for key in where))) for row in mine]
    return [cost / other for cost, other in pairs if cost is not None and other]


def _kept(rows: list[Row]) -> str:
    """In how many worlds the caps were kept."""
    told = [row["keeps_caps"] for row in rows if row["keeps_caps"] is not None]
    return f"{sum(told)} of {len(told)}" if told else ""


def _mean(rows: list[Row], name: str, form: str) -> str:
    values = [row[name] for row in rows if row[name] is not None]
    return form.format(float(np.mean(values))) if values else "out of reach" if name == "cost_per_good" else ""


def _spread(ratios: list[float]) -> str:
    """Mean with a 95 % interval over worlds (Student's t), where there is more than one."""
    if not ratios:
        return ""
    mean = float(np.mean(ratios))
    if len(ratios) < 2:
        return f"{mean:.3f}"
    # Every command imports the commands; only a table should pay for it.
    from scipy.stats import t

    half = float(t.ppf(0.975, len(ratios) - 1) * np.std(ratios, ddof=1) / np.sqrt(len(ratios)))
    return f"{mean:.3f} [{mean - half:.3f}, {mean + half:.3f}]"
