"""The ladder as a table: cost per incremental good customer by policy, at each share of the reachable volume."""

from __future__ import annotations

from typing import Any

import numpy as np

Row = dict[str, Any]


def table(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """Columns and lines: means over worlds of each family, with the cost against random and the lateness."""
    columns = [
        "family",
        "volume",
        "policy",
        "worlds",
        "cost per good",
        "against random",
        "late",
        "fraud",
        "caps kept",
        "captured",
    ]
    lines = []
    keys = ("family", "volume", "rung", "policy")
    for family, volume, rung, policy in sorted({tuple(r[key] for key in keys) for r in rows}):
        mine = [r for r in rows if tuple(r[key] for key in keys) == (family, volume, rung, policy)]
        random = [r for r in rows if (r["family"], r["volume"], r["policy"]) == (family, volume, "random")]
        base = {row["seed"]: row["cost_per_good"] for row in random}
        ratios = [
            r["cost_per_good"] / base[r["seed"]] for r in mine if r["cost_per_good"] is not None and base.get(r["seed"])
        ]
        lines.append(
            [
                family,
                f"{volume:.0%}",
                f"{rung} {policy}",
                str(len(mine)),
                _mean(mine, "cost_per_good", "{:.0f}"),
                _spread(ratios),
                _mean(mine, "late_rate", "{:.2%}"),
                _mean(mine, "fraud_loss_rate", "{:.2%}"),
                _kept(mine),
                _mean(mine, "saving_captured", "{:.2f}"),
            ]
        )
    return columns, lines


def _kept(rows: list[Row]) -> str:
    """In how many worlds the caps were kept."""
    told = [row["keeps_caps"] for row in rows if row["keeps_caps"] is not None]
    return f"{sum(told)} of {len(told)}" if told else ""


def _mean(rows: list[Row], name: str, form: str) -> str:
    values = [row[name] for row in rows if row[name] is not None]
    return form.format(float(np.mean(values))) if values else "out of reach" if name == "cost_per_good" else ""


def _spread(ratios: list[float]) -> str:
    """Mean ratio with a 95 % interval over worlds (Student's t), where there is more than one."""
    if not ratios:
        return ""
    mean = float(np.mean(ratios))
    if len(ratios) < 2:
        return f"{mean:.3f}"
    # Every command imports the commands; only a table should pay for it.
    from scipy.stats import t

    half = float(t.ppf(0.975, len(ratios) - 1) * np.std(ratios, ddof=1) / np.sqrt(len(ratios)))
    return f"{mean:.3f} [{mean - half:.3f}, {mean + half:.3f}]"
