"""From eligible, scored pairs to the narrow people frame the allocation works on."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.activate.allocation.people import KIND, LUCK, Layout
from jobs.activate.allocation.program import UNITS
from jobs.activate.allocation.terms import Terms
from segments.gates import uniform

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# Beyond this a figure is a fault upstream; the cap keeps whole-number sums over millions of people in range.
LARGEST = {"cost": 1e6, "value": 1e6, "good": 1.0, "late": 1.0, "fraud": 1.0, "funded": 1.0}


def measures() -> dict[str, Column]:
    """Per pair of `scores`: funded and good customers it is expected to bring, in natural units."""
    funded = F.col("p_apply") * F.col("p_approve") * F.col("p_fund")
    incremental = (F.col("p_apply") - F.col("p_organic")) * F.col("p_approve") * F.col("p_fund")
    return {"funded": funded, "good": incremental * F.col("p_good")}


def quantities(terms: Terms) -> dict[str, Column]:
    """Each quantity a programme may need, a column over `scores`."""
    made = measures()
    return {
        "cost": F.col("expected_cost"),
        "value": F.col("expected_value"),
        "good": made["good"],
        "funded": made["funded"],
        "late": (F.col("p_late") - F.lit(terms.max_late_rate or 0.0)) * made["funded"],
        "fraud": (F.col("p_fraud") - F.lit(terms.max_fraud_rate or 0.0)) * made["funded"],
    }


def people_frame(pairs: DataFrame, layout: Layout, terms: Terms, salt: str, day: date) -> DataFrame:
    """One row a person with an open pair: `pairs` has prospect_key, person_key, channel and the scores' columns.

    Where the layout asks for it `pairs` also has each person's `kind`, the same on every channel. Luck is drawn anew
    each month, so that audiences stay stable within it.
    """
    made = quantities(terms)
    cells = []
    for name in layout.quantities:
        cap = LARGEST[name]
        whole = F.rint(F.least(F.greatest(made[name], F.lit(-cap)), F.lit(cap)) * F.lit(UNITS[name])).cast("bigint")
        for place, channel in enumerate(layout.channels):
            cells.append(F.max(F.when(F.col("channel") == channel, whole)).alias(layout.column(name, place)))
    if layout.has_kind:
        cells.append(F.max(KIND).cast("int").alias(KIND))
    wide = pairs.groupBy("prospect_key", "person_key").agg(*cells)
    month = f"{day:%Y-%m}"
    luck = [uniform(salt, "choice", month, F.col("person_key"), nth=n).alias(name) for n, name in enumerate(LUCK)]
    return wide.select("*", *luck).select(*layout.columns)
