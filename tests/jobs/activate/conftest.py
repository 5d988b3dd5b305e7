"""What the tests of plans share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


def searching_briefly() -> Iterator[None]:
    """Whole people are searched for briefly: how near they come to the best plan is judged in test_whole_people.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.activate.allocation.whole.EFFORTS", ((60, 20, False), (200, 100, True)))
        yield


light_search = pytest.fixture(searching_briefly, name="light_search")
light_searches = pytest.fixture(searching_briefly, scope="module", name="light_searches")
