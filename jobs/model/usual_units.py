"""Prospects as models and segments read them: numbers whose unit a snapshot changed are taken back."""

from __future__ import annotations

from datetime import date

import pandas as pd
from pyspark.sql import DataFrame

from jobs.runtime.shell import Shell
from segments.units import in_usual_units

MOST_CHANGES = 100_000
CARD = ["stage", "section", "item", "value", "text"]


def changes_of(units: DataFrame, shell: Shell) -> dict[tuple[str, date], float]:
    """The rows of `feature_units`: by feature and snapshot how many times the usual unit's its values are."""
    rows = shell.small(units.select("feature", "snapshot_day", "factor"), MOST_CHANGES, ["feature", "snapshot_day"])
    return {(row["feature"], row["snapshot_day"]): float(row["factor"]) for row in rows.to_dict("records")}


def usual_units(prospects: DataFrame, units: DataFrame, shell: Shell) -> DataFrame:
    """Snapshots in the usual units; `units` are the rows of `feature_units`."""
    return in_usual_units(prospects, changes_of(units, shell))


def unit_notes(units: DataFrame, shell: Shell) -> pd.DataFrame:
    """What a model card says of them: a note a feature, under the stage `*`."""
    told = changes_of(units, shell)
    rows = []
    for name in sorted({feature for feature, _ in told}):
        days = [day for feature, day in sorted(told) if feature == name]
        times = told[(name, days[-1])]
        said = f"{name}: {len(days)} snapshots from {days[0]} hold {times:.4g} times the usual; read in the usual unit"
        rows.append(("*", "note", f"unit of {name}", times, said))
    return pd.DataFrame(rows, columns=CARD)
