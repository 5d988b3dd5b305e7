"""A child process ends with its block, its group with it, and the leash ends it when the parent is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from jobs.runtime.child import child, is_group_alive, wait_until
from jobs.runtime.errors import TryAgain

ROOT = Path(__file__).resolve().parents[3]
# Ignores SIGTERM and leaves a grandchild, the two ways a group survives a polite end.
STUBBORN = ["/bin/sh", "-c", "trap '' TERM; sleep 300 & echo started; wait"]


def gone(group: int, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while is_group_alive(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_group_alive(group)


def test_a_stubborn_group_is_gone_after_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.runtime.child.TERM_SECONDS", 1.0)
    with child(STUBBORN, log=tmp_path / "log") as process:
        wait_until((tmp_path / "log").read_text, [process], what="sleep", log=tmp_path / "log", seconds=10)  # type: ignore[arg-type]
        assert is_group_alive(process.pid)
    assert not is_group_alive(process.pid)


def test_an_exception_in_the_block_ends_the_child_too(tmp_path: Path) -> None:
    with pytest.raises(KeyError), child(["sleep", "300"], log=tmp_path / "log") as process:
        raise KeyError
    assert not is_group_alive(process.pid)


def test_the_leash_ends_the_group_when_the_parent_is_killed(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from jobs.runtime.child import child
        with child(["/bin/sh", "-c", "trap '' TERM; sleep 300 & wait"], log=Path(sys.argv[1])) as process:
            print(process.pid, flush=True)
            time.sleep(300)
    """)
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert parent.stdout is not None
    group = int(parent.stdout.readline())
    assert is_group_alive(group)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(group)


def test_a_child_that_ends_early_is_reported_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with (
        pytest.raises(TryAgain, match=r"the server ended with 3.*no such key"),
        child(["/bin/sh", "-c", "echo no such key; exit 3"], log=log) as process,
    ):
        wait_until(lambda: False, [process], what="the server", log=log, seconds=10)
