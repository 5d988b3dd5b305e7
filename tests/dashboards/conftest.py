"""A filled warehouse and a small configuration for every dashboard test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sample_tables

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("filled")
    sample_tables.fill(root)
    return root


@pytest.fixture(scope="session")
def conf_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("conf")
    (folder / "channels").mkdir()
    (folder / "base.yaml").write_text("currency: CNY\ntime_zone: Asia/Shanghai\n", encoding="utf-8")
    (folder / "channels" / "feed_a.yaml").write_text("capacity: 10\nbudget: 100\ncurrency: CNY\n", encoding="utf-8")
    shutil.copy(REPOSITORY / "conf" / "metrics.yaml", folder)
    return folder
