"""How much oftener people of a band came to something than people of all bands, of those put on audiences."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.assigned import by_outcome, known
from jobs.measure.credit import NO_BAND, with_band
from jobs.tables.activate import AUDIENCES
from jobs.tables.link import ASSIGNMENT_OUTCOMES, PEOPLE
from jobs.tables.measure.experiments import BAND_LIFTS
from segments.intervals import wilson_bounds

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.runtime.shell import Shell

MAX_CELLS = 10_000


@job(
    reads={"assigned": ASSIGNMENT_OUTCOMES, "audiences": AUDIENCES.upto(), "people": PEOPLE},
    writes=BAND_LIFTS,
)
def band_lifts(
    assigned: DataFrame, audiences: DataFrame, people: DataFrame, *, day: date, shell: Shell
) -> pd.DataFrame:
    """One row an outcome and band: all who were put on an audience count, not the funded alone.

    A band is the one a person had when put on the audience; whoever was assigned without one is left out. Bands are
    compared by what was decided of them: what a channel adds is in channel_lift.
    """
    import pandas as pd

    sent = audiences.where("role <> 'holdout' and band is not null")
    treated = assigned.where("role <> 'holdout'").withColumn("cost_day", F.col("assigned_day"))
    banded = by_outcome(with_band(treated, sent, people).where(F.col("band") != NO_BAND))
    decided = banded.where(known(F.col("outcome"), F.col("assigned_day"), day) & F.col("hit").isNotNull())
    counts = decided.groupBy("outcome", "band").agg(F.count("*").alias("exposed"), F.sum("hit").alias("successes"))
    found = shell.small(counts, MAX_CELLS, ["outcome", "band"])
    told = [_lifts(mine) for _, mine in found.groupby("outcome", sort=True)]
    names = [c.name for c in BAND_LIFTS.columns]
    return pd.concat(told, ignore_index=True)[names] if told else pd.DataFrame(columns=names)


def _lifts(bands: pd.DataFrame) -> pd.DataFrame:
    """Rates of one outcome's bands, best first, over the rate of all of them."""
    exposed, successes = (bands[name].to_numpy(dtype="float64") for name in ("exposed", "successes"))
    rate, whole = successes / exposed, successes.sum() / exposed.sum()
    low, high = wilson_bounds(successes, exposed)
    over = whole if whole > 0 else np.nan
    return bands.assign(
        rate=rate,
        rate_lo=low,
        rate_hi=high,
        whole_rate=whole,
        lift=rate / over,
        lift_lo=low / over,
        lift_hi=high / over,
        exposed_share=exposed.cumsum() / exposed.sum(),
        gain=successes.cumsum() / (successes.sum() or np.nan),
        reason=None if whole > 0 else "no_outcome",
    )
