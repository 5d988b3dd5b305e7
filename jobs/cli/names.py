"""The command that matches people of two files who share no key: match-names."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from jobs.cli.options import AsJson


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("match-names")(match_names)


def match_names(
    ours: Annotated[Path, typer.Option("--ours", help="CSV or Parquet: id, name, birth_date, address, phone.")],
    theirs: Annotated[Path, typer.Option("--theirs", help="The same of a branch or a partner.")],
    out: Annotated[Path, typer.Option("--out", help="Where to write their_id, our_id, probability.")],
    threshold: Annotated[float, typer.Option(min=0.5, max=1.0, help="Least probability to be one person.")] = 0.95,
    as_json: AsJson = False,
) -> None:
    """Match people of two files by name, birth date, address and phone, one to one. Needs the extra `names`."""
    from jobs.link.identity.names import match_names as matched

    found = matched(ours, theirs, out, threshold)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=1))
        return
    typer.echo(f"{found.matched:,} of {found.theirs:,} rows are one of {found.ours:,}, by {', '.join(found.fields)}")
    typer.echo(f"{out} is written")
