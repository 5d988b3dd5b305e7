"""The manifest's jobs as typed data, and which of them a DAG runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANIFEST = Path(__file__).parent / "manifest.json"
VERSION = 1


@dataclass(frozen=True)
class ManifestJob:
    """One job of the manifest: what its task needs to know."""

    name: str
    stage: str
    cadence: str
    kind: str
    owner: str
    doc: str
    timeout_minutes: int
    after: tuple[str, ...]


def read_manifest(path: Path = MANIFEST) -> dict[str, ManifestJob]:
    """Every job by name, each after those it needs; ValueError when the manifest is of another version."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if content.get("version") != VERSION:
        raise ValueError(f"{path.name} is of version {content.get('version')}; write it anew with `huoke manifest`")
    return {entry["name"]: _job(entry) for entry in content["jobs"]}


def daily(jobs: dict[str, ManifestJob]) -> dict[str, ManifestJob]:
    """The jobs of every day, sending included."""
    return {name: job for name, job in jobs.items() if job.cadence == "daily"}


def training(jobs: dict[str, ManifestJob]) -> dict[str, ManifestJob]:
    """The weekly jobs and everything they need on the same day; never a sending one."""
    wanted = {name for name, job in jobs.items() if job.cadence == "weekly"}
    waiting = list(wanted)
    while waiting:
        for name in jobs[waiting.pop()].after:
            if name not in wanted:
                wanted.add(name)
                waiting.append(name)
    return unsent({name: job for name, job in jobs.items() if name in wanted})


def unsent(jobs: dict[str, ManifestJob]) -> dict[str, ManifestJob]:
    """The jobs without those that send, and without those that need what a sending job says."""
    kept: dict[str, ManifestJob] = {}
    dropped: set[str] = set()
    for name, job in jobs.items():
        if job.kind == "send" or dropped.intersection(job.after):
            dropped.add(name)
        else:
            kept[name] = job
    return kept


def edges(jobs: dict[str, ManifestJob]) -> list[tuple[str, str]]:
    """Which job waits for which, sorted; a sending job waits for all that does not itself wait for sending."""
    declared = {(upstream, name) for name, job in jobs.items() for upstream in job.after if upstream in jobs}
    quiet = unsent(jobs)
    feeds = {upstream for upstream, name in declared if name in quiet}
    gates = {
        (name, sender.name) for name in quiet if name not in feeds for sender in jobs.values() if sender.kind == "send"
    }
    return sorted(declared | gates)


def _job(entry: dict[str, Any]) -> ManifestJob:
    return ManifestJob(
        name=entry["name"],
        stage=entry["stage"],
        cadence=entry["cadence"],
        kind=entry["kind"],
        owner=entry["owner"],
        doc=entry["doc"],
        timeout_minutes=entry["timeout_minutes"],
        after=tuple(entry["after"]),
    )
