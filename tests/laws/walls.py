"""The walls of the house as functions: each takes sources or declarations and returns the breaches it finds."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from jobs.contract import STAGES, Job, Privacy, Table

ROOT = Path(__file__).resolve().parents[2]
STAGE_FOLDERS = tuple(f"jobs/{stage}/" for stage in ("link", "model", "activate", "measure"))
Sources = Mapping[str, str]


def sources(*folders: str) -> dict[str, str]:
    """Every Python source under the folders, by path from the root."""
    files = [f for folder in folders for f in sorted((ROOT / folder).rglob("*.py"))]
    return {f.relative_to(ROOT).as_posix(): f.read_text(encoding="utf-8") for f in files}


@cache
def imports(source: str) -> frozenset[str]:
    """Every module a source imports, at any level, with the names taken from it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def is_job_file(path: str) -> bool:
    return path == "jobs/ingest.py" or path.startswith(STAGE_FOLDERS)


def jobs_importing_jobs(files: Sources, job_modules: set[str]) -> list[str]:
    """No module that declares a job is imported by a module of a stage."""
    return [
        f"{path} imports the job module {name}"
        for path, source in files.items()
        if is_job_file(path)
        for name in sorted(imports(source) & job_modules)
    ]


def foreign_imports(files: Sources) -> list[str]:
    """No airflow outside dags/; no pyspark in dags/, the contract, the tables."""
    found = []
    for path, source in files.items():
        roots = {name.split(".")[0] for name in imports(source)}
        if "airflow" in roots and not path.startswith("dags/"):
            found.append(f"{path} imports airflow")
        no_spark = path.startswith(("dags/", "jobs/tables/")) or path == "jobs/contract.py"
        if "pyspark" in roots and no_spark:
            found.append(f"{path} imports pyspark")
    return found


def reads_against_the_flow(jobs: Iterable[Job]) -> list[str]:
    """A job reads today's tables of its own or an earlier stage, and `.before()` of any."""
    return [
        f"job {job.name} ({job.stage}) reads {read.table.name} ({read.table.stage}) of the same day"
        for job in jobs
        for read in job.reads.values()
        if read.mode != "before" and STAGES.index(read.table.stage) > STAGES.index(job.stage)
    ]


CLOCKS = {
    "now",
    "today",
    "utcnow",
    "time",
    "time_ns",
    "monotonic",
    "perf_counter",
    "current_timestamp",
    "current_date",
    "localtimestamp",
    "rand",
    "randn",
    "monotonically_increasing_id",
    "uuid4",
}
CLOCK_OWNERS = {"datetime", "date", "time", "F", "functions", "uuid", "dt"}
REACHES = {
    "collect",
    "toPandas",
    "toLocalIterator",
    "rdd",
    "_jvm",
    "sparkContext",
    "foreach",
    "toArrow",
    "checkpoint",
    "localCheckpoint",
}


def impurities(files: Sources) -> list[str]:
    """No clock, no chance, no print, no bare except, no reaching round the shell in a stage's code or in segments."""
    found = []
    for path, source in files.items():
        for node in ast.walk(ast.parse(source)):
            place = f"{path}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "BaseException")
            ):
                found.append(f"{place} catches everything")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                found.append(f"{place} prints")
            if isinstance(node, ast.Attribute):
                owner = node.value.id if isinstance(node.value, ast.Name) else ""
                if node.attr in CLOCKS and owner in CLOCK_OWNERS:
                    found.append(f"{place} reads a clock or chance: {owner}.{node.attr}")
                if node.attr in REACHES and owner not in ("gc",):
                    found.append(f"{place} reaches round the shell: .{node.attr}")
    return found


def tables_written_badly(jobs: Iterable[Job]) -> list[str]:
    """Every table is written by one job, has a sentence, and a meaning for every column."""
    found, writers = [], {}
    for job in jobs:
        for table in job.writes:
            if table.name in writers:
                found.append(f"table {table.name} is written by {writers[table.name]} and {job.name}")
            writers[table.name] = job.name
            found += undescribed(table)
    return found


def undescribed(table: Table) -> list[str]:
    """Columns without a meaning, and a table without a sentence."""
    bare = [f"table {table.name}, column {c.name} has no meaning" for c in table.columns if len(c.meaning) < 2]
    return bare + ([f"table {table.name} has no sentence"] if len(table.doc) < 10 else [])


PROOFS = ("@given", "planted", "truth", "golden", "random", "whatever the partitioning", "totals tie")


def untested(jobs: Iterable[Job], tests: Sources) -> list[str]:
    """Every job's module is imported by a test that holds a property, a planted truth or a golden value."""
    found = []
    for job in jobs:
        importing = [text for text in tests.values() if job.function.__module__ in imports(text)]
        if not any(proof in text.replace("_", " ") for text in importing for proof in PROOFS):
            found.append(f"job {job.name} has no property or planted-truth test")
    return found


def unused_conf_keys(models: Iterable[type], files: Sources) -> list[str]:
    """Every key of the configuration is read somewhere outside the file that declares it."""
    text = "\n".join(source for path, source in files.items() if path != "jobs/runtime/settings.py")
    attributes = {node.attr for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}
    return [
        f"{model.__name__}.{key} is read nowhere"
        for model in models
        for key in model.model_fields  # type: ignore[attr-defined]
        if key not in attributes
    ]


def vault_leaks(jobs: Iterable[Job]) -> list[str]:
    """Vault columns are written by ingest only and read by linking and sending only; the same for asking for keys."""
    found = []
    for job in jobs:
        may_open = job.stage in ("ingest", "link") or job.sends
        for read in job.reads.values():
            sealed = [c.name for c in read.table.columns if c.privacy is Privacy.VAULT]
            if sealed and not may_open:
                found.append(f"job {job.name} reads vault columns {sealed} of {read.table.name}")
        if "vault" in job.asks and not may_open:
            found.append(f"job {job.name} asks for the vault's keys")
        for table in job.writes:
            sealed = [c.name for c in table.columns if c.privacy is Privacy.VAULT]
            if sealed and (job.stage != "ingest" or not table.in_vault):
                found.append(f"job {job.name} writes vault columns {sealed} to {table.name}")
    return found
