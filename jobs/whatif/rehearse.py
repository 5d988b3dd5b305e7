"""Run the plan's own job on a warehouse under another conf, with everything it writes thrown away."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jobs.registry import job_named
from jobs.runtime import export
from jobs.runtime.conf import Conf
from jobs.runtime.keys import Keys
from jobs.runtime.shell import Shell
from jobs.whatif.changes import Changes, changed
from jobs.whatif.compare import Row, Verdict, figures, verdict

JOB, PLAN = "audiences", "channel_plan"


@dataclass(frozen=True)
class Answer:
    """The published plan of a day and what it would be; `is_moved`: its inputs were published anew since."""

    day: date
    published: list[Row]
    what_if: list[Row]
    verdict: Verdict
    good_floor: float | None
    is_moved: bool


@contextmanager
def opened(warehouse: Path, conf: Conf) -> Iterator[Shell]:
    """A shell that reads a warehouse and writes beside it, without the deployment's keys.

    On one machine a temporary folder takes what a run writes; a cluster needs the warehouse's own staging, which is
    emptied again.
    """
    from jobs.runtime.session import running

    with tempfile.TemporaryDirectory(prefix="huoke-plan-") as name:
        folder = Path(name)
        stages = folder / "staging" if conf.base.spark.master.startswith("local") else None
        keys = Keys(secrets.token_bytes(32))
        with running(conf.base.spark, folder / "scratch") as spark:
            shell = Shell(warehouse, folder / "landing", conf, keys, spark, stages)
            try:
                yield shell
            finally:
                shell.tidy()


def answer(shell: Shell, changes: Changes, day: date | None = None) -> Answer:
    """What the plan of a day (the newest published when not given) would be; models and scores stay as they are.

    Raises UsageError when no plan is published that day.
    """
    found = export.find(shell.store.root, PLAN, day)
    shell.conf = changed(shell.conf, changes)
    try:
        results, inputs = shell.rehearse(job_named(JOB), found.day)
        rows = figures(results[1].to_dict("records"))
    finally:
        shell.tidy()
    plan = shell.conf.base.plan
    floor = plan.good_floor if plan.objective == "volume" else None
    published = figures(export.head(found, None))
    told = verdict(rows, floor, plan.max_gap)
    return Answer(found.day, published, rows, told, floor, inputs != found.pointer.inputs)
