"""Fits and scores on one thread: the order of sums is fixed, and workers side by side do not fight for cores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import RLock

from threadpoolctl import ThreadpoolController

# The limit is the process's own: of jobs run side by side one fits at a time, or one would lift another's limit.
_ONE_AT_A_TIME = RLock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS and OpenMP to one thread inside the block; threads of a process pass through it one at a time."""
    with _ONE_AT_A_TIME, _controller().limit(limits=1):
        yield


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    # Looking for the loaded libraries takes milliseconds, so it is done once, after scikit-learn has loaded its own.
    import sklearn.ensemble  # noqa: F401

    return ThreadpoolController()
