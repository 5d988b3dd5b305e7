"""The walls stand on the real tree, and each has been seen to fall on a planted breach."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest

sys.path.insert(0, __file__.rsplit("/", 1)[0])
import walls

from jobs.contract import Column, Privacy, Read, Table, job
from jobs.registry import jobs
from jobs.runtime import conf as conf_module
from jobs.runtime.manifest import text

ALL = list(jobs().values())
STAGE_CODE = {p: s for p, s in walls.sources("jobs").items() if walls.is_job_file(p)} | walls.sources("segments")
EVERYTHING = walls.sources("jobs", "segments", "dashboards", "dags")
TESTS = walls.sources("tests/jobs", "tests/segments", "tests/storms")
JOB_MODULES = {item.function.__module__ for item in ALL}
CONF_MODELS = [
    value
    for value in vars(conf_module).values()
    if isinstance(value, type)
    and issubclass(value, conf_module.Strict)
    and value not in (conf_module.Strict, conf_module.Conf)
]
SEALED = Table(
    "sealed",
    "ingest",
    "a sealed table of the vault",
    ("k",),
    (Column("k", "string", "key"), Column("s", "binary", "sealed", Privacy.VAULT)),
    in_vault=True,
)
PLAIN = Table("plain", "measure", "a plain table of the last stage", ("k",), (Column("k", "string", "key"),))
LINKED = replace(PLAIN, name="linked", stage="link")


@job(reads={"late": PLAIN}, writes=LINKED)
def against_the_flow(late: Any) -> Any:
    return late


@job(reads={"sealed": SEALED}, writes=PLAIN)
def opens_the_vault(sealed: Any) -> Any:
    return sealed


STANDING = {
    "no job imports a job": lambda: walls.jobs_importing_jobs(STAGE_CODE, JOB_MODULES),
    "airflow only in dags, no pyspark in declarations": lambda: walls.foreign_imports(EVERYTHING),
    "reads go with the flow": lambda: walls.reads_against_the_flow(ALL),
    "no clock, chance, print, bare except, collect": lambda: walls.impurities(STAGE_CODE),
    "tables are written once and described": lambda: walls.tables_written_badly(ALL),
    "every job has a property or planted-truth test": lambda: walls.untested(ALL, TESTS),
    "every conf key is used": lambda: walls.unused_conf_keys(CONF_MODELS, EVERYTHING),
    "vault columns reach only linking and sending": lambda: walls.vault_leaks(ALL),
}

PLANTED = {
    "no job imports a job": lambda: walls.jobs_importing_jobs(
        {"jobs/link/x.py": "from jobs.link.people import people"}, {"jobs.link.people"}
    ),
    "airflow only in dags": lambda: walls.foreign_imports({"jobs/runtime/x.py": "import airflow.sdk"}),
    "no pyspark in dags": lambda: walls.foreign_imports(
        {"dags/x.py": "def f():\n    from pyspark.sql import functions"}
    ),
    "reads go with the flow": lambda: walls.reads_against_the_flow([against_the_flow]),
    "no clock": lambda: walls.impurities({"jobs/link/x.py": "from datetime import date\nd = date.today()"}),
    "no chance": lambda: walls.impurities({"jobs/link/x.py": "import pyspark.sql.functions as F\nx = F.rand(1)"}),
    "no print": lambda: walls.impurities({"segments/x.py": "print('hello')"}),
    "no bare except": lambda: walls.impurities({"jobs/link/x.py": "try:\n    pass\nexcept:\n    pass"}),
    "no collect": lambda: walls.impurities({"jobs/link/x.py": "rows = frame.collect()"}),
    "tables are written once": lambda: walls.tables_written_badly(
        [against_the_flow, replace(against_the_flow, name="again")]
    ),
    "tables are described": lambda: walls.undescribed(replace(PLAIN, columns=(Column("k", "string", ""),))),
    "every job has a test": lambda: walls.untested([opens_the_vault], {"tests/x.py": "def test_nothing(): ..."}),
    "every conf key is used": lambda: walls.unused_conf_keys(
        [conf_module.PolicyConf], {"jobs/x.py": "x = conf.policy.consent"}
    ),
    "vault columns reach only linking and sending": lambda: walls.vault_leaks([opens_the_vault]),
}


@pytest.mark.parametrize("wall", STANDING)
def test_wall_stands(wall: str) -> None:
    assert STANDING[wall]() == []


@pytest.mark.parametrize("wall", PLANTED)
def test_wall_falls_on_a_planted_breach(wall: str) -> None:
    assert PLANTED[wall]()


def test_before_may_read_any_stage() -> None:
    allowed = replace(against_the_flow, reads={"late": Read(PLAIN, "before")})
    assert walls.reads_against_the_flow([allowed]) == []


def test_the_manifest_is_fresh_and_would_be_seen_stale() -> None:
    committed = (walls.ROOT / "dags" / "manifest.json").read_text(encoding="utf-8")
    assert committed == text()
    assert committed.replace("daily", "weekly", 1) != text()


def test_the_top_level_is_the_fixed_shape() -> None:
    import subprocess

    listed = subprocess.run(["git", "ls-files"], cwd=walls.ROOT, capture_output=True, text=True, check=True).stdout
    allowed = {
        "pyproject.toml", "conf", "dags", "jobs", "segments", "dashboards", "tests", "README.md", "CHANGELOG.md",
        "DECISIONS.md", "LICENSE", "Makefile", "uv.lock", ".ci", ".gitignore", ".pre-commit-config.yaml",
    }  # fmt: skip
    assert {line.split("/")[0] for line in listed.splitlines()} <= allowed
