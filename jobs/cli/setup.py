"""Commands that prepare a deployment: init and validate."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from jobs.cli.options import CONF, AsJson, ConfDir, LandingDir, Overlay, read_conf
from jobs.runtime.errors import DataRefused, UsageError


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("init")(init)
    app.command("validate")(validate)


def init(
    landing: LandingDir = None,
    conf: ConfDir = CONF,
    warehouse: Annotated[Path, typer.Option("--warehouse", help="Warehouse the configuration will name.")] = Path(
        "var/warehouse"
    ),
    as_json: AsJson = False,
) -> None:
    """Write a starter configuration from what a landing folder holds: channels, features, budgets = past spend."""
    from jobs.runtime import starter

    if landing is None or not landing.is_dir():
        raise UsageError(f"landing folder {landing or ''} does not exist; name it with --landing DIR")
    found = starter.look(landing)
    written = starter.write(found, conf, landing, warehouse)
    day = starter.newest_day(landing)
    if as_json:
        typer.echo(
            json.dumps({"written": [str(p) for p in written], "notes": found.notes, "newest_day": day}, default=str)
        )
        return
    for path in written:
        typer.echo(f"wrote {path}")
    for note in found.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"next: huoke validate --conf {conf} --landing {landing}, then huoke run --conf {conf} --day {day}")


def validate(
    conf: ConfDir = CONF,
    profile: Overlay = None,
    landing: LandingDir = None,
    as_json: AsJson = False,
) -> None:
    """Check the configuration and every landing file; all problems at once, exit 65 when there are any."""
    from jobs.runtime.landing import Landing

    settings = read_conf(conf, profile)
    land = Path(landing or settings.base.landing)
    if not land.is_dir():
        raise UsageError(f"landing folder {land} does not exist; name it with --landing DIR")
    found = Landing(land, settings).problems(date.max)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for problem in found:
            typer.echo(problem)
    if found:
        raise DataRefused(f"{len(found)} problem(s); mend each and run `huoke validate` again")
    typer.echo("no problems found", err=as_json)
