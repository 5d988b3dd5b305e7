"""Commands that change the warehouse: run, rollback, sweep."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli.options import (
    CONF,
    AsJson,
    ConfDir,
    LandingDir,
    Overlay,
    SparkAddress,
    WarehouseDir,
    existing_warehouse,
    parse_days,
    read_conf,
)
from jobs.runtime.errors import UsageError

if TYPE_CHECKING:
    from jobs.runtime.shell import Shell


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("run")(run)
    app.command("rollback")(rollback)
    app.command("sweep")(sweep)


def run(
    jobs: Annotated[list[str] | None, typer.Argument(help="Jobs to run; all when none is named.")] = None,
    day: Annotated[str, typer.Option("--day", help="D, D1..D2, or D3,D1,D2.")] = "",
    conf: ConfDir = CONF,
    profile: Overlay = None,
    landing: LandingDir = None,
    warehouse: WarehouseDir = None,
    spark: SparkAddress = None,
    cadence: Annotated[str, typer.Option(help="`all`, or `daily` to leave out weekly training.")] = "all",
    send: Annotated[
        bool | None, typer.Option("--send/--no-send", help="Hand audiences to channels; a single day does.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compute again even what is unchanged.")] = False,
    at_once: Annotated[int, typer.Option("--at-once", help="Jobs to run side by side.", min=1, max=16)] = 1,
    as_json: AsJson = False,
) -> None:
    """Run jobs for a day or a range of days: ingest, link, model, activate, measure. A range never sends."""
    from jobs.registry import job_named
    from jobs.runtime import runner

    if not day:
        raise UsageError("no day was given; say which with --day YYYY-MM-DD or --day D1..D2")
    if cadence not in ("all", "daily"):
        raise UsageError(f"cadence {cadence!r} is neither all nor daily; write one of them")
    for name in jobs or []:
        job_named(name)
    days = parse_days(day)
    if send and len(days) > 1:
        raise UsageError("a range of days is a backfill and never sends; run the last day by itself to send it")
    settings = read_conf(conf, profile, spark)
    land = Path(landing or settings.base.landing)
    if not land.is_dir():
        raise UsageError(f"landing folder {land} does not exist; name it with --landing DIR")
    home = Path(warehouse or settings.base.warehouse)
    with runner.opened(home, land, settings) as shell:
        nodes = runner.plan(days, jobs or [], cadence=cadence, send=len(days) == 1 if send is None else send)  # type: ignore[arg-type]
        steps = runner.run(shell, nodes, force=force, ledger=lambda on: _ledger(shell, on), at_once=at_once)
        for step in steps:
            if not as_json:
                typer.echo(step.line())
                continue
            for item in step.published:
                line = {"job": step.job.name, "table": item.table, "day": item.day, "rows": item.rows}
                typer.echo(json.dumps({**line, "version": item.version, "is_new": item.is_new}, default=str))


def rollback(
    table: Annotated[str, typer.Argument(help="Table to roll back.")],
    to: Annotated[str, typer.Option("--to", help="Version to put back in force (its first digits will do).")],
    conf: ConfDir = CONF,
    warehouse: WarehouseDir = None,
) -> None:
    """Put an earlier version of a table's day back in force. It stays until the job runs again."""
    from jobs.runtime.runlog import RunLog
    from jobs.runtime.store import Store

    home = existing_warehouse(warehouse, conf)
    pointer = Store(home).rollback(table, to)
    RunLog(home).write("rollback", table=table, day=pointer.day, version=pointer.version)
    typer.echo(f"{table} {pointer.day} is at {pointer.version} again ({pointer.rows:,} rows)")


def sweep(
    conf: ConfDir = CONF,
    warehouse: WarehouseDir = None,
    keep: Annotated[int, typer.Option(help="Versions to keep before the one in force.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Delete what no reader can need: staging of runs that are over, and old versions. No run may be under way."""
    from jobs.runtime.runlog import RunLog
    from jobs.runtime.store import Store

    home = existing_warehouse(warehouse, conf)
    removed = Store(home).sweep(keep)
    RunLog(home).write("swept", removed=len(removed))
    typer.echo(json.dumps(removed) if as_json else "\n".join([*removed, f"{len(removed)} folders removed"]))


def _ledger(shell: Shell, day: date) -> Any:
    from jobs.runtime.sender import ledger_on

    return ledger_on(shell, day)
