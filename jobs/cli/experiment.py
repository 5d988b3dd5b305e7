"""Commands over experiments: experiment plan."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

import typer

from jobs.cli.options import AsJson
from jobs.runtime.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(no_args_is_help=True, help="Experiments: how large they must be.")
    group.command("plan")(plan)
    app.add_typer(group, name="experiment")


def plan(
    rate: Annotated[float, typer.Option("--rate", help="Outcomes a held-out person, e.g. 0.008.")],
    lift: Annotated[
        float | None, typer.Option("--lift", help="Lift to tell, as a share of the rate, e.g. 0.25; prints people.")
    ] = None,
    people: Annotated[
        int | None, typer.Option("--people", min=2, help="People in both arms; prints the least lift they can tell.")
    ] = None,
    holdout: Annotated[float, typer.Option("--holdout", help="Share of people held out.")] = 0.1,
    power: Annotated[float, typer.Option("--power", help="Chance to tell a lift that is there.")] = 0.8,
    alpha: Annotated[float, typer.Option("--alpha", help="Chance to tell one that is not.")] = 0.05,
    sequential: Annotated[
        bool, typer.Option("--sequential", help="Judged at every look, by confidence sequences, instead of once.")
    ] = False,
    daily: Annotated[float | None, typer.Option("--daily", min=1, help="People a day; adds how long it takes.")] = None,
    spend: Annotated[
        float | None, typer.Option("--spend", min=0, help="Money a treated person; adds the cost.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """How many people an experiment needs to tell a lift, or the least lift that people can tell."""
    from jobs.measure.experiments.power import Design, people_needed, smallest_lift

    if (lift is None) == (people is None):
        raise UsageError("give either --lift, to be told the people, or --people, to be told the lift")
    design = Design(rate, holdout, alpha, power, sequential)
    absolute = rate * lift if lift is not None else smallest_lift(design, people or 0)
    size = people_needed(design, absolute) if people is None else people
    told: dict[str, Any] = {
        "people": size,
        "treated": size - round(size * holdout),
        "held_out": round(size * holdout),
        "rate": rate,
        "lift": absolute,
        "relative_lift": absolute / rate,
        "alpha": alpha,
        "power": power,
        "is_sequential": sequential,
    }
    if daily is not None:
        told["days"] = math.ceil(size / daily)
    if spend is not None:
        told["spend"] = spend * told["treated"]
        told["incremental_cost"] = spend / absolute if absolute > 0 else None
    if as_json:
        typer.echo(json.dumps(told, indent=1))
        return
    typer.echo(f"{told['people']:,} people: {told['treated']:,} treated, {told['held_out']:,} held out")
    typer.echo(
        f"tell a lift of {100 * told['relative_lift']:.1f}% on {100 * rate:.3g}% with a chance of {100 * power:.0f}%"
        f"{', at every look' if sequential else ', judged once'}"
    )
    if daily is not None:
        typer.echo(f"{told['days']:,} days at {daily:,.0f} people a day")
    if spend is not None:
        cost = told["incremental_cost"]
        typer.echo(
            f"spend {told['spend']:,.2f}" + ("" if cost is None else f"; an incremental outcome then costs {cost:,.2f}")
        )
