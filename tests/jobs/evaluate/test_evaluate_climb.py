"""The rungs played in a process of their own: the same verdicts, lines said while it runs, errors at once."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jobs.evaluate.climb import Climb, beside, climb
from jobs.evaluate.judge import Caps, Stakes
from jobs.evaluate.ladder import Candidates, Paid
from jobs.evaluate.seen import Seen
from jobs.model.learners import Features
from segments.impact import Impact

PEOPLE, CHANNELS = 400, 2


@pytest.fixture
def asked(tmp_path: Path) -> Climb:
    """A random rung over people whose truth is drawn, and the best channel first."""
    draw = np.random.default_rng(1)
    funded = draw.lognormal(-4, 1, (PEOPLE, CHANNELS))
    stakes = Stakes(
        cost=funded * draw.lognormal(5, 0.8, (PEOPLE, CHANNELS)),
        funded=funded,
        approved=funded * 2,
        late=draw.uniform(0, 0.1, PEOPLE),
        fraud=np.zeros(PEOPLE),
        capacity=np.full(CHANNELS, PEOPLE // 2),
        impact=Impact((0.0,) * CHANNELS, (PEOPLE / 10,) * CHANNELS),
    )
    seen = Seen(
        features=Features(("income",)),
        candidates=pd.DataFrame({"income": draw.normal(size=PEOPLE)}),
        is_open=pd.DataFrame(np.ones((PEOPLE, CHANNELS), dtype=bool)),
        sent=pd.DataFrame(),
        decided=pd.DataFrame(),
        is_crowded=np.zeros(PEOPLE, dtype=bool),
        history=pd.DataFrame(),
    )
    paid = Paid(np.ones(CHANNELS), np.ones(CHANNELS))
    people = Candidates(seen, np.arange(PEOPLE))
    return Climb(stakes, tmp_path, people, paid, (0, 1), {0.1: 0.1 * float(funded.sum())}, Caps())


def test_the_process_beside_judges_alike_and_speaks_while_its_caller_is_busy(asked: Climb) -> None:
    plain: list[str] = []
    expected = climb(asked, plain.append)
    said: list[str] = []
    spoke = threading.Event()

    def hear(line: str) -> None:
        said.append(line)
        spoke.set()

    with beside(asked, hear) as climbing:
        assert spoke.wait(60), "nothing was said while the caller was busy"
        found = climbing.result()
    assert said == plain
    assert plain
    assert found.verdicts == expected.verdicts
    assert set(found.verdicts) == {(0.1, 0), (0.1, 1)}


def test_the_callers_own_error_is_raised(asked: Climb) -> None:
    with pytest.raises(ValueError, match="no plan"), beside(asked, lambda line: None):
        raise ValueError("no plan")
