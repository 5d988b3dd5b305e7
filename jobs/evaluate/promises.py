"""What published plans promised beside what they truly bring: ratios, and whether the intervals hold the truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from jobs.evaluate.volumes import Plan

MEASURES = ("good", "spend", "late_rate")
EXPECTED = 0.95  # of the intervals should hold the truth

Row = dict[str, Any]


def promised(plans: list[Plan], volume: float) -> dict[str, Any]:
    """Of the plan whose true volume is nearest: what it promised, both ends of the interval, and the truth."""
    if not plans:
        return {}
    plan = min(plans, key=lambda one: abs(one.verdict.good - volume))
    found: dict[str, Any] = {}
    for name in MEASURES:
        low, high = plan.forecast.bounds[name]
        truth = float(getattr(plan.verdict, name))
        told = {"promised": getattr(plan.forecast, name), "lo": low, "hi": high}
        found[name] = {**told, "true": truth if np.isfinite(truth) else None}
    return found


def table(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """Columns and lines: promised over true by family, volume and measure, and how many intervals hold the truth.

    `chance` is an exact two-sided binomial test's: how likely so many or few would hold it were 95 % to.
    """
    columns = ["family", "volume", "of", "worlds", "promised / true", "least", "most", "hold the truth", "chance"]
    told = [row for row in rows if row.get("promises")]
    lines = []
    for family in [*sorted({row["family"] for row in told}), "(all)"]:
        for volume in sorted({row["volume"] for row in told}):
            mine = [r for r in told if r["volume"] == volume and family in (r["family"], "(all)")]
            lines += [[family, f"{volume:.0%}", name, *_line([r["promises"][name] for r in mine])] for name in MEASURES]
    return columns, lines


def _line(told: list[dict[str, float | None]]) -> list[str]:
    ratios = [one["promised"] / one["true"] for one in told if one["promised"] is not None and one["true"]]
    if not ratios:
        return [str(len(told)), "", "", "", "", ""]
    known = [one for one in told if one["lo"] is not None and one["hi"] is not None and one["true"] is not None]
    held = sum(one["lo"] <= one["true"] <= one["hi"] for one in known)  # type: ignore[operator]
    from scipy.stats import binomtest

    chance = f"{binomtest(held, len(known), EXPECTED).pvalue:.2f}" if known else ""
    mean = f"{float(np.mean(ratios)):.3f}"
    return [str(len(told)), mean, f"{min(ratios):.3f}", f"{max(ratios):.3f}", f"{held} of {len(known)}", chance]
