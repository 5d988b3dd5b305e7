"""A metric `num / den [where SQL]` evaluated on rows that are already summed to the grain wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.contract import Table
from jobs.runtime.conf import Conf
from jobs.runtime.errors import UsageError
from jobs.runtime.settings import MetricConf
from jobs.runtime.standard_metrics import STANDARD

if TYPE_CHECKING:
    from pyspark.sql import Column

ALL = "(all)"
TOTAL = "(total)"
DECIDED = {"good": "is_mature", "good_30_3": "is_mature_30_3"}


def metric(conf: Conf, name: str, table: Table) -> MetricConf:
    """A metric's definition for a table: the deployment's, else the standard one; KeyError when there is neither.

    Raises UsageError when the metric's grain is finer than the table's, where it would mean something else.
    """
    found = conf.metrics.get(name) or STANDARD[name]
    if finer := sorted(set(found.grain) - set(table.key)):
        raise UsageError(
            f"metrics.yaml: {name}: grain names {finer}, which {table.name} is not kept by; remove them from its grain"
        )
    return found


def parts(definition: MetricConf) -> tuple[Column, Column, Column]:
    """(numerator, denominator, whether it is told of the row) as doubles and a boolean; no denominator is null."""
    num, den = (
        F.expr(f"cast(({told}) as double)") if told is not None else F.lit(None).cast("double")
        for told in (definition.num, definition.den)
    )
    where = F.expr(definition.where) if definition.where else F.lit(True)
    return num, den, F.coalesce(where, F.lit(False))


def contribution(conf: Conf) -> Column:
    """What customers have earned: the numerator of contribution_per_funded, over interest, balance_months and lost."""
    found = conf.metrics.get("contribution_per_funded") or STANDARD["contribution_per_funded"]
    return F.expr(f"cast(({found.num}) as double)")


def value(definition: MetricConf) -> Column:
    """The metric as a double: null where its denominator is 0 or its condition does not hold, never 0 or infinite."""
    num = F.expr(f"cast(({definition.num}) as double)")
    if definition.den is not None:
        num = F.try_divide(num, F.expr(f"cast(({definition.den}) as double)"))
    for told in (definition.where, definition.decided and DECIDED[definition.decided]):
        num = F.when(F.expr(told), num) if told else num
    return num
