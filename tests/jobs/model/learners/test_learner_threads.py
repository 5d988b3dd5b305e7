"""Fits side by side: what comes out is what comes out one after another, and every one of them keeps to one thread."""

from __future__ import annotations

from threading import Barrier, current_thread

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from jobs.model.learners import threads
from jobs.model.learners.threads import one_thread, side_by_side


def limits(_: int) -> set[int]:
    with one_thread():
        np.linalg.inv(np.eye(3))
        return {pool["num_threads"] for pool in threadpool_info()}


def test_results_come_in_the_order_of_the_items() -> None:
    assert side_by_side(lambda n: n * n, range(20)) == [n * n for n in range(20)]
    assert side_by_side(limits, []) == []


def test_as_many_run_at_once_as_there_are_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 2)
    both = Barrier(2, timeout=20)  # broken, and the test fails, unless two wait at it together
    assert sorted(side_by_side(lambda _: both.wait(), range(2))) == [0, 1]


def test_every_one_of_them_keeps_to_one_thread_and_the_limit_is_lifted_afterwards() -> None:
    before = {pool["num_threads"] for pool in threadpool_info()}
    assert set.union(*side_by_side(limits, range(4))) == {1}
    assert {pool["num_threads"] for pool in threadpool_info()} == before


def test_inside_another_call_items_come_one_after_another_on_the_same_thread() -> None:
    def inner(_: int) -> str:
        return current_thread().name

    def outer(_: int) -> set[str]:
        return {current_thread().name, *side_by_side(inner, range(3))}

    assert all(len(names) == 1 for names in side_by_side(outer, range(4)))


def test_what_one_of_them_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda n: 1 // n, [1, 0, 2])
