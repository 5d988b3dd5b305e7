"""What people did before a day, as inputs of models: what they were shown in half a year, how much they answered."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.runtime.shell import Shell
from segments.outcomes import ACTED_KINDS, APPLY_DAYS, SEEN_KINDS

SHOWN, ANSWERED, ANSWERED_HERE = "shown_before", "answered_before", "answered_here_before"
HISTORY_DAYS = 180
MOST_TOUCH_DAYS = 20_000_000
KEYS = ["prospect_key", "channel", "touch_day"]


def touch_days(touches: DataFrame, shell: Shell) -> pd.DataFrame:
    """A row a prospect, channel and day with touches: how many were `shown` (views, messages), how many `answered`."""
    told = touches.where("prospect_key is not null").withColumn("touch_day", F.to_date("occurred_at"))
    shown, answered = (F.count_if(F.col("kind").isin(*kinds)) for kinds in (SEEN_KINDS, ACTED_KINDS))
    counted = told.groupBy(*KEYS).agg(shown.alias("shown"), answered.alias("answered"))
    return shell.sample(counted, MOST_TOUCH_DAYS, KEYS)


def with_history(rows: pd.DataFrame, day: str | date, touched: pd.DataFrame) -> pd.DataFrame:
    """The rows with SHOWN, ANSWERED and, where they name a channel, ANSWERED_HERE, by their prospect_key and day.

    Counted are the HISTORY_DAYS that end APPLY_DAYS before the day, so that a click which led to a row's application
    is no history of it. Answers are the log of answers over those expected at each channel's own rate, both with one
    expected answer more: 0 where nothing was shown. All are null where no touch at all was logged by then.
    """
    until = _days(rows[day] if isinstance(day, str) else pd.Series(day, index=rows.index)) - APPLY_DAYS
    keys = rows["prospect_key"].to_numpy(dtype=object)
    here = rows["channel"].to_numpy(dtype=object) if "channel" in rows else None
    shown, answered, meant = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows))
    own = np.zeros(len(rows))
    for channel, mine in touched.groupby("channel", observed=True):
        rate = mine["answered"].sum() / max(mine["shown"].sum(), 1)
        seen, acted = counted(mine, keys, until, "shown"), counted(mine, keys, until, "answered")
        shown, answered, meant = shown + seen, answered + acted, meant + rate * seen
        if here is not None:
            own = np.where(here == channel, np.log((acted + 1.0) / (rate * seen + 1.0)), own)
    is_logged = until > (_days(touched["touch_day"]).min() if len(touched) else np.inf)
    told = {SHOWN: shown, ANSWERED: np.log((answered + 1.0) / (meant + 1.0))}
    if here is not None:
        told[ANSWERED_HERE] = own
    return rows.assign(**{name: np.where(is_logged, values, np.nan) for name, values in told.items()})


def counted(touched: pd.DataFrame, keys: np.ndarray, until: np.ndarray, what: str) -> np.ndarray:
    """What each key's touches add up to over the HISTORY_DAYS before `until`, that day left out; a row a key."""
    days = _days(touched["touch_day"])
    names = pd.Index(np.unique(touched["prospect_key"].to_numpy(dtype=object)))
    span = int(max(days.max(initial=0), until.max(initial=0))) + HISTORY_DAYS + 2
    place = names.get_indexer(pd.Index(touched["prospect_key"])) * span + days
    order = np.argsort(place, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(touched[what].to_numpy(dtype=np.float64)[order])])
    at = names.get_indexer(pd.Index(keys))
    base, place = np.maximum(at, 0) * span, place[order]
    first, last = (np.searchsorted(place, base + np.clip(when, 0, span - 1)) for when in (until - HISTORY_DAYS, until))
    return np.where(at >= 0, total[last] - total[first], 0.0)


def _days(column: pd.Series) -> np.ndarray:
    """Days since 1970."""
    return pd.to_datetime(column).to_numpy(dtype="datetime64[D]").astype(np.int64)
