"""What the tests of plans share."""

from __future__ import annotations

import pytest


@pytest.fixture
def light_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole people are searched for briefly: how near they come to the best plan is judged in test_whole_people.py."""
    monkeypatch.setattr("jobs.activate.allocation.whole.EFFORTS", ((60, 20, False), (200, 100, True)))
