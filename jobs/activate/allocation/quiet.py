"""HiGHS prints some of its doubts past its own switch for that; a command's standard output is for its answer."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def said_to_stderr() -> Iterator[None]:
    """What the process writes to its standard output meanwhile, from C as well, goes to standard error."""
    libc = ctypes.CDLL(None)
    libc.fflush(None)
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        libc.fflush(None)
        os.dup2(kept, 1)
        os.close(kept)
