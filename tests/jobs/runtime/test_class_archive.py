"""Spark's drivers start from an archive of classes where there is one that fits, and without it where there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jobs.runtime.class_archive import archive, java_options, make
from jobs.runtime.cluster import spark_environment, spark_home


@pytest.fixture
def made() -> Path:
    if not archive().is_file():
        pytest.skip("no archive of classes: `make setup` found that this Java keeps none")
    return archive()


def test_a_driver_takes_sparks_classes_from_it(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The JVM itself says where each class came from; `-Xshare:on` ends it where the archive does not fit."""
    log, spaced = tmp_path / "classes.log", tmp_path / "a folder" / made.name
    spaced.parent.mkdir()
    spaced.symlink_to(made)
    monkeypatch.setattr("jobs.runtime.class_archive.archive", lambda: spaced)
    told = java_options()["spark.driver.defaultJavaOptions"]
    options = f"{told} -Xshare:on -Xlog:class+load:file={log}"
    command = [str(spark_home() / "bin" / "spark-submit"), "--driver-java-options", options, "--version"]
    done = subprocess.run(command, env=spark_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = [line for line in log.read_text(encoding="utf-8").splitlines() if "deploy.SparkSubmit " in line]
    assert loaded
    assert all("shared objects file (top)" in line for line in loaded)


def test_what_is_made_is_not_made_again(made: Path) -> None:
    before = made.stat().st_mtime_ns
    assert make() == made
    assert made.stat().st_mtime_ns == before


def test_an_archive_of_another_java_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = archive()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch()
    (tmp_path / "release").write_text('JAVA_VERSION="99"\n', encoding="utf-8")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert archive() != here
    assert java_options() == {}


def test_without_an_archive_nothing_is_said_to_the_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert archive().is_relative_to(tmp_path)
    assert java_options() == {}
