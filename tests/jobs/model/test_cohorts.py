"""What a training row may be taken for: an outcome whose time is not over is none, however it looks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from jobs.model.learners import Features
from jobs.model.training.cohorts import decided_rows
from jobs.runtime.conf import TrainingConf
from jobs.tables.ingest import PROSPECTS
from jobs.tables.link import MATURED_OUTCOMES

DAY = date(2026, 6, 1)


def test_of_recent_approvals_the_drawn_alone_are_known_and_none_counts(rows: Any, make_shell: Any) -> None:
    def applied(name: str, ago: int, is_funded: bool | None, decided_after: int = 0) -> dict[str, Any]:
        at = datetime(2026, 6, 1, tzinfo=UTC) - timedelta(days=ago)
        told = {"application_id": name, "prospect_key": "p1", "person_key": "p1", "applied_at": at, "is_approved": True}
        return {**told, "decided_at": at + timedelta(days=decided_after), "is_funded": is_funded}

    book = [
        applied("drawn lately", 10, True),
        applied("open", 10, None),
        applied("last open day", 30, None),
        applied("just over", 31, False),
        applied("decided late", 40, True, decided_after=20),
        applied("old", 90, True),
    ]
    found = decided_rows(
        rows(MATURED_OUTCOMES, book, DAY),
        rows(PROSPECTS, [{"prospect_key": "p1"}], date(2026, 1, 1)),
        Features(),
        TrainingConf(),
        DAY,
        make_shell(),
    ).set_index("application_id")
    assert found["is_draw_over"].to_dict() == {
        "drawn lately": False,
        "open": False,
        "last open day": False,
        "just over": True,
        "decided late": False,
        "old": True,
    }
