"""A long-running child process that cannot outlive the block that started it, nor the process it was started by."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.runtime.errors import TryAgain

POLL_SECONDS = 0.1
TERM_SECONDS = 15.0
KILL_SECONDS = 15.0
# Waits for its standard input to close, which it does when the parent dies in whatever way, then ends the group.
LEASH = 'read -r _; kill -s KILL -- "-$0" 2>/dev/null'


@contextmanager
def child(
    command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in its own process group with its output in `log`; the whole group is gone when the block ends."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=env, cwd=cwd, start_new_session=True
        )
    leash = subprocess.Popen(["/bin/sh", "-c", LEASH, str(process.pid)], stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield process
    finally:
        # The leash goes first: it must never act on a group id that was given to somebody else.
        leash.kill()
        leash.communicate()
        end_group(process)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask the group of a started child to end, insist after a while, and return when no member is left."""
    group = process.pid
    signal_group(group, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(TERM_SECONDS)
    deadline = time.monotonic() + KILL_SECONDS
    while is_group_alive(group) and time.monotonic() < deadline:
        signal_group(group, signal.SIGKILL)
        process.poll()
        time.sleep(POLL_SECONDS)
    process.wait()


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group; a group that is gone already is fine."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def is_group_alive(group: int) -> bool:
    """True while any process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS: what is left is a zombie
        return False
    return True


def wait_until(
    is_ready: Callable[[], bool], processes: Sequence[subprocess.Popen[bytes]], *, what: str, log: Path, seconds: float
) -> None:
    """Return when `is_ready()`; TryAgain (75) with the end of the log when a process ends first or time runs out."""
    deadline = time.monotonic() + seconds
    while not is_ready():
        ended = [p.returncode for p in processes if p.poll() is not None]
        if ended or time.monotonic() > deadline:
            why = f"ended with {ended[0]}" if ended else f"was not ready after {seconds:.0f} s"
            raise TryAgain(f"{what} {why}; its log is {log}, which ends: {log_tail(log)}")
        time.sleep(POLL_SECONDS)


def log_tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log in one line, or a word when there is none."""
    if not log.is_file():
        return "(no log)"
    return " | ".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-lines:]) or "(empty)"
