"""Every metric of conf/metrics.yaml at every grain that is shown: the one place figures come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.metric_cells import GRAIN, Cells, band_cells, cost_cells, delivery_cells, lift_cells, vintage_cells
from jobs.measure.metrics import DECIDED, parts
from jobs.runtime.conf import Conf
from jobs.runtime.errors import UsageError
from jobs.runtime.settings import MetricConf
from jobs.runtime.standard_metrics import STANDARD
from jobs.tables.ingest import DELIVERIES_REPORTED
from jobs.tables.measure.costs import CHANNEL_COSTS, SPEND_LEDGER
from jobs.tables.measure.experiments import BAND_LIFTS, CHANNEL_LIFT
from jobs.tables.measure.loans import VINTAGES
from jobs.tables.measure.metrics import METRIC_STORE
from segments.intervals import poisson_bounds, wilson_bounds

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

MAX_CELLS = 500_000
ENDS = ("_lo", "_hi")


@job(
    reads={
        "costs": CHANNEL_COSTS,
        "ledger": SPEND_LEDGER,
        "lift": CHANNEL_LIFT,
        "bands": BAND_LIFTS,
        "vintages": VINTAGES,
        "deliveries": DELIVERIES_REPORTED.in_force(),
    },
    writes=METRIC_STORE,
)
def metric_store(
    costs: DataFrame,
    ledger: DataFrame,
    lift: DataFrame,
    bands: DataFrame,
    vintages: DataFrame,
    deliveries: DataFrame,
    *,
    conf: Conf,
    shell: Shell,
) -> pd.DataFrame:
    """One row a metric and cell: sums first, then the ratio; a cell is open while anything credited to it may turn.

    Cells: each month's channels by campaign, by band, and whole; the channels `(all)` leave out the unattributed,
    `(total)` takes them in. Raises UsageError when a metric names what its table has not.
    """
    import pandas as pd

    metrics = STANDARD | conf.metrics
    sources = {
        "channel_costs": cost_cells(costs, ledger, conf.base.currency),
        "channel_lift": lift_cells(lift),
        "band_lifts": band_cells(bands),
        "vintages": vintage_cells(vintages, conf.base.currency),
        "deliveries_reported": delivery_cells(deliveries),
    }
    told = []
    for source, cells in sources.items():
        mine = {name: definition for name, definition in metrics.items() if definition.of == source}
        if mine:
            wide = shell.small(_asked(cells, mine), MAX_CELLS, GRAIN)
            told += [_told(name, definition, wide, cells) for name, definition in mine.items()]
    return pd.concat(told, ignore_index=True)[[c.name for c in METRIC_STORE.columns]]


def _asked(cells: Cells, metrics: dict[str, MetricConf]) -> DataFrame:
    """The cells with `<metric>|<part>` of every metric."""
    flags = list(DECIDED.values())
    columns = []
    for name, definition in metrics.items():
        asked = dict(zip(("num", "den", "is_told"), parts(definition), strict=True))
        asked |= {end: F.expr(f"{definition.told}{end}") for end in ENDS if definition.told}
        asked |= {
            f"developed{end}": F.expr(f"{definition.developed}{end}") for end in ("", *ENDS) if definition.developed
        }
        named = [column.alias(f"{name}|{part}") for part, column in asked.items()]
        try:
            cells.frame.select(*named)
        except AnalysisException as error:
            raise UsageError(
                f"metrics.yaml: {name}: {str(error).splitlines()[0][:200]}; "
                f"{definition.of} has {', '.join(cells.frame.columns)}"
            ) from error
        columns += named
    return cells.frame.select(*GRAIN, *flags, *columns)


def _told(name: str, definition: MetricConf, wide: pd.DataFrame, cells: Cells) -> pd.DataFrame:
    """One metric's rows."""
    num, den = (wide[f"{name}|{part}"].to_numpy(dtype="float64") for part in ("num", "den"))
    is_told = wide[f"{name}|is_told"].to_numpy(dtype=bool)
    has_den = definition.den is not None
    reason: Any = np.full(len(wide), None, dtype=object)
    if has_den:
        reason[den < definition.min_n] = "too_few"
        reason[np.isnan(den) | (den == 0)] = cells.no_den
    reason[np.isnan(num)] = cells.no_num
    if definition.decided:
        reason[~wide[DECIDED[definition.decided]].to_numpy(dtype=bool)] = "immature"
    reason[~is_told] = "not_told"
    is_null = np.array([one is not None for one in reason], dtype=bool)
    value = np.where(is_null, np.nan, num / np.where(den > 0, den, np.nan) if has_den else num)
    low, high = _bounds(name, definition, num, den, wide)
    is_open = ~wide[DECIDED[definition.decided or "good"]].to_numpy(dtype=bool) | (reason == "immature")
    ahead = [
        np.where(reason == "immature", wide[f"{name}|developed{end}"], np.nan) if definition.developed else np.nan
        for end in ("", *ENDS)
    ]
    return wide[GRAIN].assign(
        metric=name,
        unit=definition.unit,
        num=np.where(is_told, num, np.nan),
        den=np.where(is_told, den, np.nan),
        value=value,
        lo=np.where(is_null, np.nan, low),
        hi=np.where(is_null, np.nan, high),
        developed=ahead[0],
        developed_lo=ahead[1],
        developed_hi=ahead[2],
        maturity=np.where(is_open, "open", "final"),
        reason=reason,
    )


def _bounds(name: str, definition: MetricConf, num: Any, den: Any, wide: pd.DataFrame) -> tuple[Any, Any]:
    nothing = np.full(len(num), np.nan)
    if definition.interval == "wilson":
        return wilson_bounds(num, den)
    if definition.interval == "poisson":
        low, high = poisson_bounds(den)
        with np.errstate(divide="ignore", invalid="ignore"):
            return num / high, np.where(low > 0, num / np.where(low > 0, low, 1.0), np.nan)
    if definition.interval == "told":
        return wide[f"{name}|_lo"].to_numpy(dtype="float64"), wide[f"{name}|_hi"].to_numpy(dtype="float64")
    return nothing, nothing
