"""Fits and scores on one thread: the order of sums is fixed, and workers side by side do not fight for cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from threading import RLock, local
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")

# The limit is the process's own: of jobs run side by side one fits at a time, or one would lift another's limit.
_ONE_AT_A_TIME = RLock()
_THREAD = local()  # `is_held`: a thread of side_by_side, for which the lock is taken already


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS and OpenMP to one thread inside the block; threads of a process pass through it one at a time."""
    if getattr(_THREAD, "is_held", False):
        yield
        return
    with _ONE_AT_A_TIME, _controller().limit(limits=1):
        yield


def side_by_side(task: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """The task's result for each item, in order; as many at once as there are cores, each on one thread.

    The items must not wait for one another. Inside another call of this they come one after another.
    """
    given = list(items)
    if len(given) < 2 or getattr(_THREAD, "is_held", False):
        return [task(item) for item in given]

    def alone(item: Item) -> Result:
        _THREAD.is_held = True
        # OpenMP's limit is each thread's own.
        with _controller().limit(limits=1):
            return task(item)

    with one_thread(), ThreadPoolExecutor(min(len(given), os.cpu_count() or 1)) as pool:
        return list(pool.map(alone, given))


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    # Looking for the loaded libraries takes milliseconds, so it is done once, after scikit-learn has loaded its own.
    import sklearn.ensemble  # noqa: F401

    return ThreadpoolController()
