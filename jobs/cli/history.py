"""Commands over a lender's own history: land and backtest."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from jobs.cli.options import CONF, AsJson, ConfDir, LandingDir, parse_day
from jobs.runtime.errors import UsageError

Source = Annotated[str, typer.Argument(help="Name of conf/sources/<name>.yaml.")]
Files = Annotated[list[Path], typer.Argument(help="Raw files of that source, in time order.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("land")(land)
    app.command("backtest")(backtest)


def land(
    source: Source, files: Files, landing: LandingDir = None, conf: ConfDir = CONF, as_json: AsJson = False
) -> None:
    """Turn raw files of a declared source into landing tables; what is a leak or protected is refused and named."""
    from jobs.sources.conf import load_source
    from jobs.sources.land import land as land_files

    if landing is None:
        raise UsageError("no landing folder was given; say where with --landing DIR")
    report = land_files(load_source(conf, source), files, landing)
    typer.echo(json.dumps(report.as_dict(), indent=1, default=str) if as_json else report.render())


def backtest(
    source: Source,
    files: Files,
    train_until: Annotated[str | None, typer.Option("--train-until", help="Last day of the training period.")] = None,
    blocks: Annotated[
        int | None, typer.Option("--blocks", min=2, help="Judge in this many blocks in time order.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of fits and bootstraps.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Write the whole report as JSON here too.")] = None,
    conf: ConfDir = CONF,
    as_json: AsJson = False,
) -> None:
    """What would these models have saved on a lender's own history? Trained on the past, judged on what came after."""
    from jobs.backtest.render import render
    from jobs.backtest.run import backtest as judge
    from jobs.runtime.store import write_whole
    from jobs.sources.conf import load_source

    until = parse_day(train_until) if train_until else None
    progress = (lambda line: None) if as_json else (lambda line: typer.echo(line, file=sys.stderr))
    report = judge(load_source(conf, source), files, until, blocks, seed, progress=progress)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, json.dumps(report.as_dict(), indent=1, default=str))
    typer.echo(json.dumps(report.rows()) if as_json else render(report))
