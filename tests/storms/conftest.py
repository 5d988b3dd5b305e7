"""Where the storms keep their state, so that one cut short goes on where it stopped; `huoke run` without a new JVM."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))
import chain


@pytest.fixture
def storm_folder(tmp_path: Path) -> Path:
    """A folder of this storm; $HUOKE_STORM keeps it from run to run."""
    kept = os.environ.get("HUOKE_STORM")
    return Path(kept) if kept else tmp_path


@pytest.fixture
def run_here(spark: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """As `chain.run`, on the tests' own session: starting a JVM would take longer than all else."""
    from jobs.cli import app
    from jobs.runtime import runner
    from jobs.runtime.keys import load_keys
    from jobs.runtime.shell import Shell

    @contextmanager
    def opened(warehouse: Any, landing: Any, conf: Any) -> Iterator[Shell]:
        yield Shell(warehouse, landing, conf, load_keys(warehouse), spark)

    monkeypatch.setattr(runner, "opened", opened)

    def run(*arguments: Any, **more: Any) -> str:
        done = CliRunner().invoke(app, chain.words(*arguments, **more), env=chain.OWN, catch_exceptions=False)
        assert done.exit_code == 0, done.output[-3000:]
        return done.output

    return run
