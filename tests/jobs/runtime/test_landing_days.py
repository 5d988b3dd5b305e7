"""What a landed day can know: its own events in either calendar, never the next day's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runtime.landing_contract import Source, sources
from jobs.runtime.landing_days import CLOCKS_DIFFER, day_over, mark_after_day
from jobs.runtime.landing_types import INSTANT, Marks
from jobs.tables.ingest import LANDED
from support import make_conf

DAY = date(2026, 1, 5)


@pytest.mark.parametrize(
    ("zone", "wanted"),
    [
        ("UTC", datetime(2026, 1, 6, tzinfo=UTC)),
        ("Asia/Shanghai", datetime(2026, 1, 6, tzinfo=UTC)),  # its own midnight is 16:00, a sender by UTC goes on
        ("America/New_York", datetime(2026, 1, 6, 5, tzinfo=UTC)),
    ],
)
def test_a_day_is_over_where_it_ends_last(zone: str, wanted: datetime) -> None:
    assert day_over(DAY, zone) == wanted + CLOCKS_DIFFER


@given(st.timedeltas(timedelta(days=-400), timedelta(days=400)), st.sampled_from(["UTC", "Asia/Shanghai"]))
def test_what_happened_after_the_day_is_marked_and_nothing_else(ahead: timedelta, zone: str) -> None:
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC) + ahead
    columns = {
        "occurred_at": pa.array([noon, None], INSTANT),
        "spend_day": pa.array([noon.date(), None], pa.date32()),
        "from_at": pa.array([noon, noon], INSTANT),
    }
    told = {name: Source(name, "", True, False, is_event=name != "from_at") for name in columns}
    for name, is_late in (("occurred_at", noon >= day_over(DAY, zone)), ("spend_day", noon.date() > DAY)):
        marks = Marks(2)
        mark_after_day({name: columns[name], "from_at": columns["from_at"]}, told, DAY, zone, marks)
        assert marks.is_bad.tolist() == [is_late, False]
        assert marks.reasons[1:] == [("after_its_day", name)] * is_late


def test_every_landed_time_is_an_event_or_known_to_be_announced() -> None:
    announced = {"from_at", "until_at", "rate_day", "first_day"}
    for table in LANDED:
        for source in sources(table, make_conf()).values():
            if source.kind in ("date", "timestamp"):
                assert source.is_event != (source.name in announced), f"{table.name}.{source.name}"
