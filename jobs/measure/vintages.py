"""How loans of each month of funding aged: the share ever past due by months on book, seen and to come."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import Window
from pyspark.sql import functions as F

from jobs.contract import job
from jobs.measure.credit import credited_touch
from jobs.measure.development.exposure import developed_rate
from jobs.measure.development.rolls import is_repaid
from jobs.measure.development.triangles import Triangle
from jobs.measure.loan_months import loan_months
from jobs.measure.metrics import ALL
from jobs.runtime.conf import Conf
from jobs.tables.ingest import LOANS, REPAYMENTS
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES
from jobs.tables.measure.loans import DEVELOPED, OBSERVED, PAST_DUE_DAYS, VINTAGES
from segments.calendar import local_day
from segments.intervals import wilson_bounds
from segments.outcomes import GOOD_MONTHS

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import Column, DataFrame

    from jobs.measure.development.triangles import Floats, Ints
    from jobs.runtime.shell import Shell

MAX_CELLS = 500_000
GRAIN = ["vintage", "channel"]
CLOSED = len(PAST_DUE_DAYS) + 1
STATES = ("state", "worst_state")
AMOUNTS = ("late_minor", "owed_minor", "net_minor")


@job(
    reads={
        "outcomes": MATURED_OUTCOMES,
        "touches": LINKED_TOUCHES,
        "loans": LOANS.in_force(),
        "repayments": REPAYMENTS.in_force(),
    },
    writes=VINTAGES,
)
def vintages(
    outcomes: DataFrame,
    touches: DataFrame,
    loans: DataFrame,
    repayments: DataFrame,
    *,
    day: date,
    conf: Conf,
    shell: Shell,
) -> pd.DataFrame:
    """Ever over 0, 30, 60 and 90 days past due by each month on book, by vintage and by channel of the last touch.

    A vintage is seen to a month on book when every loan of it is. What is still to come by month 12 is one row more,
    marked developed, with an interval of its own: never a figure among those that were seen.
    """
    funded = shell.cut(_funded(outcomes, touches, conf))
    sized = funded.groupBy(*GRAIN).agg(
        F.count("*").alias("loans"),
        F.sum("principal_minor").alias("principal_minor"),
        F.min("months_observed").alias("seen"),
    )
    states = shell.cut(_states(funded, loan_months(outcomes, loans, repayments, day)))
    sums = (shell.small(found(states), MAX_CELLS, [*GRAIN, "month"]) for found in (_aged, _moves))
    return _told(shell.small(sized, MAX_CELLS, GRAIN), *sums)


def _funded(outcomes: DataFrame, touches: DataFrame, conf: Conf) -> DataFrame:
    """Funded loans: vintage, channel, principal, months observed."""
    channel = F.coalesce("_touch.channel", F.lit("(unattributed)"))
    funded = credited_touch(outcomes, touches, ["channel"], conf.base.measure).where("is_funded")
    vintage = F.date_format(local_day(F.col("funded_at"), conf.base.time_zone), "yyyy-MM")
    return funded.where("loan_id is not null").select(
        "loan_id",
        vintage.alias("vintage"),
        channel.alias("channel"),
        F.coalesce("principal_minor", F.lit(0)).alias("principal_minor"),
        F.least("months_observed", F.lit(GOOD_MONTHS)).cast("int").alias("months_observed"),
    )


def _states(funded: DataFrame, months: DataFrame) -> DataFrame:
    """Each report of a loan by month 12: what it says, from month `since` on `until` the next, and what was before.

    A loan nobody reports any more stays as it was last reported. `state` and `worst_state` are places in PAST_DUE_DAYS
    (how many of them it is over), CLOSED where nothing is owed any more; of a first report both were 0 before.
    """
    so_far = Window.partitionBy("loan_id").orderBy("months_on_book")
    told = months.where(F.col("months_on_book") <= GOOD_MONTHS).drop("principal_minor").join(funded, "loan_id")
    own = told.select(
        *GRAIN,
        "loan_id",
        "months_on_book",
        "principal_minor",
        F.col("months_on_book").cast("int").alias("since"),
        F.least(
            F.coalesce(F.lead("months_on_book").over(so_far) - 1, F.lit(GOOD_MONTHS)),
            F.greatest("months_on_book", "months_observed"),
        )
        .cast("int")
        .alias("until"),
        "days_past_due",
        F.max("days_past_due").over(so_far).alias("worst"),
        F.when(F.col("is_charged_off"), 0).otherwise(F.col("balance_minor")).alias("owed"),
        F.sum("lost_minor").over(so_far).alias("lost"),
        F.when(F.col("is_charged_off") | is_repaid(), CLOSED).otherwise(_over("days_past_due")).alias("state"),
    ).withColumn("worst_state", _over("worst"))
    before = [F.coalesce(F.lag(name).over(so_far), F.lit(0)).alias(f"{name}_before") for name in STATES]
    return own.select("*", *before, F.lag("since").over(so_far).isNull().alias("is_first"))


def _over(days: str) -> Column:
    """How many of PAST_DUE_DAYS a number of days is over."""
    found = F.lit(0)
    for threshold in PAST_DUE_DAYS:
        found = found + (F.col(days) > threshold).cast("int")
    return found


def _aged(states: DataFrame) -> DataFrame:
    """By vintage, channel and month on book, for each threshold: `late_` and `late_minor_` (of loans first over it in
    the month), `owed_minor_` (by loans over it then) and `net_minor_` (not paid by loans ever over it).
    """
    monthly = states.select("*", F.explode(F.sequence("since", "until")).alias("month"))
    sums = []
    for place, days in enumerate(PAST_DUE_DAYS):
        is_over = F.col("worst_state") > place
        is_first = is_over & (F.col("worst_state_before") <= place) & (F.col("month") == F.col("since"))
        sums += [
            F.count_if(is_first).alias(f"late_{days}"),
            _sum(is_first, F.col("principal_minor")).alias(f"late_minor_{days}"),
            _sum(F.col("days_past_due") > days, F.col("owed")).alias(f"owed_minor_{days}"),
            _sum(is_over, F.col("owed") + F.col("lost")).alias(f"net_minor_{days}"),
        ]
    return monthly.groupBy(*GRAIN, "month").agg(*sums)


def _moves(states: DataFrame) -> DataFrame:
    """How many `loans` went, in the step to a month, from one state and worst state to another."""
    begun = F.when(F.col("is_first"), 1).otherwise(F.col("since"))
    monthly = states.select("*", F.explode(F.sequence(begun, F.col("until"))).alias("month"))
    is_before, is_new = F.col("month") < F.col("since"), F.col("month") == F.col("since")
    gone = [F.when(is_before | is_new, F.col(f"{name}_before")).otherwise(F.col(name)) for name in STATES]
    came = [F.when(is_before, F.col(f"{name}_before")).otherwise(F.col(name)) for name in STATES]
    names = [f"{name}_{end}" for end in ("from", "to") for name in STATES]
    laid = monthly.select(
        *GRAIN, "month", *[column.alias(name) for column, name in zip((*gone, *came), names, strict=True)]
    )
    return laid.groupBy(*GRAIN, "month", *names).agg(F.count("*").alias("loans"))


def _sum(is_meant: Column, column: Column) -> Column:
    return F.sum(F.when(is_meant, column).otherwise(0))


def _told(sizes: pd.DataFrame, aged: pd.DataFrame, moves: pd.DataFrame) -> pd.DataFrame:
    """Rows of every channel and of all together."""
    import pandas as pd

    names = [c.name for c in VINTAGES.columns]
    if sizes.empty:
        return pd.DataFrame(columns=names)
    seen = sizes.groupby("vintage")["seen"].min()
    everyone = sizes.groupby("vintage", as_index=False)[["loans", "principal_minor"]].sum().assign(channel=ALL)
    parts = []
    for channel, mine in pd.concat([sizes, everyone]).groupby("channel", sort=True):
        own, went = (part if channel == ALL else part[part["channel"] == channel] for part in (aged, moves))
        summed = own.drop(columns="channel").groupby(["vintage", "month"]).sum()
        went = went[went["month"] <= went["vintage"].map(seen)]
        parts += [_slice(str(channel), days, mine.set_index("vintage"), summed, went, seen) for days in PAST_DUE_DAYS]
    return pd.concat(parts, ignore_index=True)[names]


def _slice(
    channel: str, days: int, sizes: pd.DataFrame, summed: pd.DataFrame, moves: pd.DataFrame, seen: pd.Series
) -> pd.DataFrame:
    """One channel's curves at one threshold."""
    import pandas as pd

    sizes = sizes.sort_index()
    loans = sizes["loans"].astype("float64")
    table = {name: _table(summed[f"{name}_{days}"], loans.index) for name in ("late", *AMOUNTS)}
    newest = seen.reindex(loans.index).to_numpy(dtype="int64")
    triangle = Triangle.of(table["late"], newest)
    table["late_minor"] = table["late_minor"].cumsum(axis=1)
    at, month = np.nonzero(np.arange(GOOD_MONTHS + 1) <= newest[:, None])
    at, month = at[month > 0], month[month > 0]
    size = sizes[["loans", "principal_minor"]].astype("int64").rename_axis("vintage").reset_index()
    told = size.iloc[at].assign(months_on_book=month, late=triangle.seen[at, month], maturity=OBSERVED)
    told = told.assign(**{name: table[name][at, month] for name in AMOUNTS})
    low, high = wilson_bounds(told["late"].to_numpy(dtype="float64"), told["loans"].to_numpy(dtype="float64"))
    told = told.assign(rate=told["late"] / told["loans"], lo=low, hi=high)
    counted = np.nan_to_num(triangle.latest)
    left, went = _by_state(PAST_DUE_DAYS.index(days), moves, sizes, newest, counted)
    to_come = developed_rate(counted, left, newest, went)
    young = np.flatnonzero((newest < GOOD_MONTHS) & np.isfinite(to_come.rate))
    nothing = dict.fromkeys(("late", *AMOUNTS), np.nan)
    ahead = size.iloc[young].assign(
        months_on_book=GOOD_MONTHS,
        rate=to_come.rate[young],
        lo=to_come.lo[young],
        hi=to_come.hi[young],
        maturity=DEVELOPED,
        **nothing,
    )
    both = pd.concat([part for part in (told, ahead) if len(part)]) if len(told) or len(ahead) else told
    counts = {name: both[name].astype("Float64").astype("Int64") for name in nothing}
    return both.assign(channel=channel, days_past_due=days, **counts)


def _by_state(
    place: int, moves: pd.DataFrame, sizes: pd.DataFrame, newest: Ints, counted: Floats
) -> tuple[Floats, Floats]:
    """Loans not over a threshold by the state they were last in, and moves between states, the last of them: over it.

    (vintages, states), (months on book, states, states + 1). States: over none of the thresholds, over the first, …,
    closed.
    """
    import pandas as pd

    states = place + 2
    into = np.minimum(moves["state_to"].to_numpy(), states - 1)
    into = np.where(moves["worst_state_to"].to_numpy() > place, states, into)
    out = np.minimum(moves["state_from"].to_numpy(), states - 1)
    is_open = moves["worst_state_from"].to_numpy() <= place
    month, loans = moves["month"].to_numpy(), moves["loans"].to_numpy(dtype="float64")
    went = np.zeros((GOOD_MONTHS, states, states + 1))
    np.add.at(went, (month[is_open] - 1, out[is_open], into[is_open]), loans[is_open])
    at = sizes.index.get_indexer(pd.Index(moves["vintage"]))
    is_last = (month == newest[at]) & (into < states)
    left = np.zeros((len(sizes), states))
    np.add.at(left, (at[is_last], into[is_last]), loans[is_last])
    left[:, 0] += sizes["loans"].to_numpy(dtype="float64") - counted - left.sum(axis=1)  # those not reported yet
    return left, went


def _table(added: pd.Series, vintages: pd.Index) -> Floats:
    """A figure as vintages x months on book 0 to 12; 0 where nothing was told."""
    wide = added.unstack("month").reindex(index=vintages, columns=range(GOOD_MONTHS + 1))
    return wide.fillna(0.0).to_numpy(dtype="float64")
