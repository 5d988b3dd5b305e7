"""What happened after its landed day, or landed after the day of training, never reaches what models learn from."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from future_rows import DAY, write_future, write_later, write_lender

from jobs.ingest import INGEST
from jobs.registry import jobs
from jobs.runtime.keys import Keys
from jobs.runtime.settings import PolicyConf, TrainingConf
from jobs.runtime.shell import Shell
from jobs.tables.ingest import ASSIGNMENTS, COUNTS
from support import make_conf

TABLES = ("prospects", "assignments", "touches", "spend", "applications", "loans", "repayments")


class Recording(Shell):
    """A shell that keeps a digest of every frame a job brings over: all that a fit can see."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.seen: list[tuple[str, int, str]] = []

    def small(self, *args: Any, **kwargs: Any) -> pd.DataFrame:
        return self._kept(super().small(*args, **kwargs))

    def sample(self, *args: Any, **kwargs: Any) -> pd.DataFrame:
        return self._kept(super().sample(*args, **kwargs))

    def _kept(self, frame: pd.DataFrame) -> pd.DataFrame:
        told = frame.to_csv(index=False).encode()
        self.seen.append((self._job, len(frame), hashlib.sha256(told).hexdigest()))
        return frame


def chain(shell: Shell, until: Any) -> None:
    """Ingest all that landed until a day, then link as of DAY, and see which numbers came in another unit."""
    for table in TABLES:
        shell.run_landing(INGEST[table], until)
    for one in jobs().values():
        if one.stage == "link" or one.name == "feature_units":
            shell.run(one, DAY)


def trained(shell: Recording) -> tuple[list[tuple[str, int, str]], dict[str, str]]:
    """What the weekly jobs see on DAY, and the versions of what they make of it."""
    shell.seen = []
    published = [p for one in jobs().values() if one.cadence == "weekly" for p in shell.run(one, DAY, force=True)]
    return list(shell.seen), {p.table: p.version for p in published}


def refused(shell: Shell) -> dict[str, dict[str, int]]:
    """Refused rows by table, reason and column."""
    found: dict[str, dict[str, int]] = {}
    for table in TABLES:
        own = found.setdefault(table, {})
        for reasons in shell.read(COUNTS[table], "upto", DAY).toPandas()["reasons"]:
            for reason, rows in json.loads(reasons).items():
                own[reason] = own.get(reason, 0) + rows
    return found


def test_planted_future_rows_leave_no_trace_in_any_training_frame(spark: Any, tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    write_lender(landing)
    training = TrainingConf(min_positives=5, calibration_days=30, compare=(), clusters=2, halvings=1)
    base = make_conf().base.model_copy(update={"training": training})
    conf = make_conf(base=base, policy=PolicyConf(max_quarantine_share=1.0))
    shell = Recording(tmp_path / "warehouse", landing, conf, Keys(bytes(32)), spark)
    chain(shell, DAY)
    before = trained(shell)
    assert {job for job, rows, _ in before[0] if rows > 50} == {
        "stage_models",
        "affinity_model",
        "cluster_model",
        "band_cuts",
    }
    assert not any(refused(shell).values())

    planted = write_future(landing)
    write_later(landing)
    chain(shell, DAY + timedelta(days=5))
    assert sum(planted.values()) >= 500
    told = refused(shell)
    assert {table: sum(reasons.values()) for table, reasons in told.items()} == planted
    assert {reason.partition(":")[0] for reasons in told.values() for reason in reasons} == {"after_its_day"}
    assert trained(shell) == before
    assert shell.read(ASSIGNMENTS, "in_force", DAY + timedelta(days=5)).count() == 1000, "what landed later is there"
