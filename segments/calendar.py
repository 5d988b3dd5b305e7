"""Which day a moment belongs to: the deployment's, or the one an account is billed by (pure column logic)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import Column


def local_day(moment: Column, zone: str) -> Column:
    """The day of a UTC moment in a time zone."""
    return F.to_date(F.from_utc_timestamp(moment, zone))


def billed_day(moment: Column, channel: Column, zones: Mapping[str, str], zone: str) -> Column:
    """The day on which a channel bills a UTC moment: by its account's zone of `zones`, else by the deployment's `zone`.

    Money and what it bought then share a day, though the platform's day begins elsewhere.
    """
    own = [(name, told) for name, told in sorted(zones.items()) if told != zone]
    day = local_day(moment, zone)
    for name, told in own:
        day = F.when(channel == name, local_day(moment, told)).otherwise(day)
    return day
