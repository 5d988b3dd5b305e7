"""The command of the referee: evaluate."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.cli.inspect import grid
from jobs.cli.options import CONF, AsJson, ConfDir
from jobs.runtime.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("evaluate")(evaluate)


def evaluate(
    market: Annotated[str | None, typer.Option("--market", help="A family in conf/families, or `sample`.")] = None,
    seeds: Annotated[str, typer.Option("--seeds", help="Seeds of its worlds, with commas.")] = "1",
    prospects: Annotated[int, typer.Option("--prospects", help="People in each world.", min=500)] = 50_000,
    landing: Annotated[Path | None, typer.Option("--landing", help="A market's landing folder instead.")] = None,
    truth: Annotated[
        Path | None, typer.Option("--truth", help="The truth beside it, as `huoke market new` writes it.")
    ] = None,
    volumes: Annotated[str, typer.Option("--volumes", help="Shares of the reachable volume.")] = "0.1,0.2,0.3",
    rungs: Annotated[str, typer.Option("--rungs", help="Rungs to play.")] = "0,1,2,3,4,5,6,7,8",
    max_late: Annotated[
        float | None, typer.Option("--max-late", help="Most that may be late, a share; else the book's own rate.")
    ] = None,
    max_fraud: Annotated[
        float | None, typer.Option("--max-fraud", help="Most that may be lost to fraud, a share of what is lent.")
    ] = None,
    partners: Annotated[
        bool,
        typer.Option("--partners/--no-partners", help="Let the product choose partners, which no other rung does."),
    ] = False,
    folder: Annotated[Path, typer.Option("--folder", help="Where worlds are kept.")] = Path("var/evaluate"),
    conf: ConfDir = CONF,
    as_json: AsJson = False,
) -> None:
    """Play the ladder of policies, the product among them, on worlds whose truth is known; resumable by world."""
    from jobs.evaluate import promises
    from jobs.evaluate.judge import Caps
    from jobs.evaluate.report import table
    from jobs.evaluate.world import family_world, referee

    shares, steps = _numbers(volumes, "--volumes"), [int(n) for n in _numbers(rungs, "--rungs")]
    if bool(market) == bool(landing):
        raise UsageError("name either --market FAMILY, or --landing DIR with --truth DIR")
    if landing is not None and truth is None:
        raise UsageError("--landing needs --truth DIR: without the truth nothing can be judged")

    caps = None if max_late is None and max_fraud is None else Caps(max_late, max_fraud)
    started = time.monotonic()

    def say(line: str) -> None:
        typer.echo(f"{time.monotonic() - started:6.0f} s  {line}", file=sys.stderr)

    rows: list[dict[str, Any]] = []
    if landing is not None and truth is not None:
        name = landing.resolve().parent.name
        place = hashlib.sha256(str(landing.resolve()).encode()).hexdigest()[:8]
        rows += referee(
            landing,
            truth,
            folder / f"{name}-{place}",
            shares,
            steps,
            {"family": name, "seed": 0},
            say,
            caps=caps,
            partners=partners,
        )
    else:
        family = str(market)
        for seed in [int(n) for n in _numbers(seeds, "--seeds")]:
            home = folder / f"{family}-{prospects}-{seed}"
            say(f"world {home.name}")
            at = family_world(conf, home, family, seed, prospects, say)
            rows += referee(
                *at, home, shares, steps, {"family": family, "seed": seed}, say, caps=caps, partners=partners
            )
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
    else:
        grid("cost per incremental good customer, true expectations", *table(rows))
        if any(row["promises"] for row in rows):
            grid("what the product's plans promised, beside the truth", *promises.table(rows))


def _numbers(text: str, name: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise UsageError(f"{name} {text!r} is not a list of numbers with commas between") from error
