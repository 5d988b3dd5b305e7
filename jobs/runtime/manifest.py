"""The manifest: every job as data, so that the scheduler needs neither Spark nor the jobs' code."""

from __future__ import annotations

import json
from typing import Any

from jobs.registry import jobs, upstream


def manifest() -> dict[str, Any]:
    """Every job with its stage, reads, writes and what must run before it on the same day."""
    return {"version": 1, "jobs": [_entry(name) for name in jobs()]}


def text() -> str:
    """The manifest as the committed file holds it."""
    return json.dumps(manifest(), indent=1, ensure_ascii=False) + "\n"


def _entry(name: str) -> dict[str, Any]:
    job = jobs()[name]
    return {
        "name": name,
        "stage": job.stage,
        "cadence": job.cadence,
        "kind": "send" if job.sends else "pure",
        "owner": job.owner,
        "doc": job.doc,
        "timeout_minutes": job.timeout_minutes,
        "reads": [{"table": read.table.name, "mode": read.mode} for read in job.reads.values()],
        "writes": [table.name for table in job.writes],
        "after": upstream(jobs(), name),
        "previous": job.reads_its_past,
    }
