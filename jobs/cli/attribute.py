"""The command that attributes a bare file of paths: attribute."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.options import AsJson

if TYPE_CHECKING:
    from jobs.measure.attribution.credits import Credit

PathFile = Annotated[
    Path, typer.Option("--paths", help="CSV or Parquet: path, total_conversions, total_conversion_value, total_null.")
]


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("attribute")(attribute)


def attribute(
    paths: PathFile,
    model: Annotated[str, typer.Option("--model", help="first, last, linear, …, markov, shapley_model.")] = "markov",
    order: Annotated[int, typer.Option("--order", min=1, max=3, help="Touches a state of a Markov chain holds.")] = 1,
    replicates: Annotated[int, typer.Option(min=0, help="Poisson bootstrap replicates for 95 % intervals.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Split the conversions of paths written "a > b > a" among their channels. What comes of it is not causal."""
    from jobs.measure.attribution.credits import attribute as credited
    from jobs.measure.attribution.path_file import read_path_file

    found = credited(read_path_file(paths), model, order, replicates, seed)
    if as_json:
        told = {one.channel: _told(one) for one in found.credits}
        typer.echo(json.dumps({"base_conversion": found.base_conversion, "credits": told}, indent=1))
        return
    wide = max(len(one.channel) for one in found.credits)
    typer.echo(f"{found.model}: {found.base_conversion:.6f} conversions a journey")
    for one in found.credits:
        effect = "" if one.removal_effect is None else f"  removal effect {one.removal_effect:.6f}"
        range_ = "" if one.conversions_lo is None else f" [{one.conversions_lo:,.1f}, {one.conversions_hi:,.1f}]"
        typer.echo(f"{one.channel:<{wide}} {one.conversions:14,.3f}{range_} {one.value:16,.3f}{effect}")


def _told(one: Credit) -> dict[str, float | None]:
    """Its figures, null where the model has none; an interval only where one was asked for."""
    bounds = () if one.conversions_lo is None else ("conversions_lo", "conversions_hi")
    return {name: getattr(one, name) for name in ("conversions", "value", "removal_effect", *bounds)}
