"""Where the storms keep their state, so that one cut short goes on where it stopped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def storm_folder(tmp_path: Path) -> Path:
    """A folder of this storm; $HUOKE_STORM keeps it from run to run."""
    kept = os.environ.get("HUOKE_STORM")
    return Path(kept) if kept else tmp_path
