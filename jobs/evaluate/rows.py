"""The referee's rows: what a verdict at a volume becomes, with what the product has captured of what could be saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jobs.evaluate.judge import Caps, Verdict
from jobs.evaluate.ladder import LIMIT, PRODUCT, RUNGS

Verdicts = Mapping[tuple[float, int], Verdict | None]
FIGURES = ("cost_per_good", "cost_per_approval", "late_rate", "fraud_loss_rate", "spend", "good", "people")


def rows_of(
    verdicts: Verdicts,
    cut: Verdicts,
    label: dict[str, Any],
    caps: Caps,
    errors: dict[float, float],
    promises: Mapping[float, dict[str, Any]],
) -> list[dict[str, Any]]:
    """One row a volume and rung, and one more for a rung that broke the caps and was `cut` off until it keeps them.

    The product's rows say what its plans promised, `promises` by volume.
    """
    told = [(*key, False, verdict) for key, verdict in verdicts.items()]
    told += [(*key, True, verdict) for key, verdict in cut.items()]
    rows = []
    for volume, rung, is_cut, verdict in sorted(told, key=lambda one: one[:3]):
        policy = f"{RUNGS[rung]}, cut off" if is_cut else RUNGS[rung]
        row: dict[str, Any] = {**label, "volume": volume, "rung": rung, "policy": policy, "is_cut_off": is_cut}
        row |= {name: _number(getattr(verdict, name)) if verdict else None for name in FIGURES}
        row["keeps_caps"] = None if verdict is None or caps == Caps() else bool(caps.keeps(verdict))
        row["saving_captured"] = _captured(verdicts, volume) if rung == PRODUCT else None
        row["promises"] = promises.get(volume) if rung == PRODUCT else None
        row["error"] = errors.get(volume) if rung == LIMIT else None
        rows.append(row)
    return rows


def _captured(verdicts: Verdicts, volume: float) -> float | None:
    """(C1 - C6) / (C1 - C8) at a volume."""
    first, product, limit = (verdicts.get((volume, rung)) for rung in (1, PRODUCT, LIMIT))
    if not (first and product and limit) or first.cost_per_good <= limit.cost_per_good:
        return None
    return _number((first.cost_per_good - product.cost_per_good) / (first.cost_per_good - limit.cost_per_good))


def _number(value: float) -> float | None:
    return None if not np.isfinite(value) else float(value)
