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

RawFiles = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Raw files of that source, in time order; without one, <name>.csv.gz in the folder $HUOKE_REAL_DATA names."
    ),
]


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
    files: RawFiles = None,
    train_until: Annotated[
        str | None, typer.Option("--train-until", help="A history: last day of the training period.")
    ] = None,
    blocks: Annotated[
        int | None, typer.Option("--blocks", min=2, help="A history: judge in this many blocks in time order.")
    ] = None,
    folds: Annotated[
        int | None, typer.Option("--folds", min=2, help="Loans or a trial without dates: folds by chance (5).")
    ] = None,
    repeats: Annotated[
        int | None, typer.Option("--repeats", min=1, help="Loans: how often folds are drawn (3).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of folds, fits and bootstraps.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Write the whole report as JSON here too.")] = None,
    conf: ConfDir = CONF,
    as_json: AsJson = False,
) -> None:
    """What would these models have saved on a lender's own data? Judged on rows they did not see, beside plain ones.

    A history is trained on the past and judged on what came after; loans and trials, which have no dates, by folds.
    """
    from jobs.backtest.judge import Asked, judge
    from jobs.runtime.store import write_whole

    asked = Asked(parse_day(train_until) if train_until else None, blocks, folds, repeats, seed)
    progress = (lambda line: None) if as_json else (lambda line: typer.echo(line, file=sys.stderr))
    report, text = judge(conf, source, files or [], asked, progress)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, json.dumps(report.as_dict(), indent=1, default=str))
    typer.echo(json.dumps(report.rows()) if as_json else text)
