"""What cannot have been known on the day it landed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from jobs.runtime.landing_contract import Source
from jobs.runtime.landing_types import INSTANT, Marks

CLOCKS_DIFFER = timedelta(minutes=10)  # how far the clock that stamped a row may be ahead of the one that landed it


def day_over(day: date, time_zone: str) -> datetime:
    """The moment from which nothing can have been known on a landed day.

    Its end, and CLOCKS_DIFFER more; in the deployment's time zone or in UTC, whichever is later, as a sender may name
    its folders by either.
    """
    ends = (datetime.combine(day + timedelta(days=1), time(), zone) for zone in (ZoneInfo(time_zone), UTC))
    return max(ends) + CLOCKS_DIFFER


def mark_after_day(
    columns: Mapping[str, pa.Array], sources: Mapping[str, Source], day: date, time_zone: str, marks: Marks
) -> None:
    """Mark rows of which something happened after their landed day, `after_its_day`, with the column that says so."""
    over = pa.scalar(day_over(day, time_zone), INSTANT)
    for name, values in columns.items():
        if sources[name].is_event:
            is_date = pa.types.is_date(values.type)
            late = pc.greater(values, pa.scalar(day)) if is_date else pc.greater_equal(values, over)
            marks.mark(late, "after_its_day", name)
