"""Every job there is, found in the stage packages, in an order in which they can run."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from graphlib import TopologicalSorter

from jobs.contract import STAGES, Job, Table
from jobs.runtime.errors import UsageError


@cache
def jobs() -> dict[str, Job]:
    """Every job by name, in a stable order in which each comes after the writers of what it reads the same day."""
    found: dict[str, Job] = {}
    for module_name in _modules():
        module = importlib.import_module(module_name)
        for value in vars(module).values():
            for item in value.values() if isinstance(value, dict) else (value,):
                if isinstance(item, Job):
                    found[item.name] = item
    order = {name: (STAGES.index(item.stage), name) for name, item in found.items()}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name in sorted(found, key=order.__getitem__):
        sorter.add(name, *upstream(found, name))
    sorter.prepare()
    result: dict[str, Job] = {}
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=order.__getitem__)
        result.update({name: found[name] for name in ready})
        sorter.done(*ready)
    return result


def upstream(found: dict[str, Job], name: str) -> list[str]:
    """Names of the jobs that must have run on the same day before this one, sorted."""
    writers = {table.name: job.name for job in found.values() for table in job.writes}
    same_day = {read.table.name for read in found[name].reads.values() if read.mode != "before"}
    return sorted({writers[table] for table in same_day if table in writers} - {name})


def job_named(name: str) -> Job:
    """The job of that name; UsageError names the ones there are."""
    if name not in jobs():
        raise UsageError(f"there is no job {name!r}; there are: {', '.join(jobs())}")
    return jobs()[name]


@cache
def tables() -> dict[str, Table]:
    """Every published table by name, in stage order."""
    return {table.name: table for item in jobs().values() for table in item.writes}


def _modules() -> list[str]:
    import jobs as root

    names = ["jobs.ingest"]
    for stage in ("link", "model", "activate", "measure"):
        package = importlib.import_module(f"{root.__name__}.{stage}")
        names += sorted(m.name for m in pkgutil.iter_modules(package.__path__, f"{package.__name__}.") if not m.ispkg)
    return names
