"""One small market for the tests that only read it."""

from __future__ import annotations

from pathlib import Path

import pytest
from market_fixtures import small_conf

from jobs.market.conf import MarketConf
from jobs.market.history import new_market


@pytest.fixture(scope="session")
def small_market(tmp_path_factory: pytest.TempPathFactory) -> tuple[MarketConf, Path, Path]:
    """A small market made once: its conf, landing and truth folders; tests must not change it."""
    root = tmp_path_factory.mktemp("market")
    conf = small_conf()
    new_market(conf, root / "landing", root / "truth", lambda line: None)
    return conf, root / "landing", root / "truth"
