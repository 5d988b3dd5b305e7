"""Commands of the sample market: new and play."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.cli.inspect import grid
from jobs.cli.options import CONF, AsJson, ConfDir, WarehouseDir, existing_warehouse, parse_day

Landing = Annotated[Path, typer.Option("--landing", envvar="HUOKE_LANDING", help="Landing folder of the market.")]
Truth = Annotated[Path, typer.Option("--truth", help="Folder of the truth that only the referee reads.")]
DEFAULT_LANDING, DEFAULT_TRUTH = Path("var/market/landing"), Path("var/market/truth")


def register(app: typer.Typer) -> None:
    """Add the group `market`."""
    group = typer.Typer(help="A simulated lending market whose truth is known.", no_args_is_help=True)
    group.command("new")(new)
    group.command("play")(play)
    app.add_typer(group, name="market")


def new(
    landing: Landing = DEFAULT_LANDING,
    truth: Truth = DEFAULT_TRUTH,
    people: Annotated[int | None, typer.Option(help="How many people; conf/market.yaml says when not given.")] = None,
    family: Annotated[str | None, typer.Option(help="One of conf/families; else the sample.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed; the same gives the same bytes.")] = None,
    conf: ConfDir = CONF,
    as_json: AsJson = False,
) -> None:
    """Make a market: a year of history under an incumbent policy, and the truth beside it."""
    from jobs.market.conf import read_market_conf
    from jobs.market.headline import render
    from jobs.market.history import new_market

    changes = {name: value for name, value in {"people": people, "seed": seed}.items() if value is not None}
    chosen = None if family is None else conf / "families" / f"{family}.yaml"
    settings = read_market_conf(conf / "market.yaml", chosen, **changes)
    summary = new_market(settings, landing, truth, (lambda line: None) if as_json else typer.echo)
    typer.echo(json.dumps(asdict(summary), default=_plain) if as_json else render(summary))


def play(
    day: Annotated[str, typer.Option("--day", help="Day of the published audiences to play.")],
    landing: Landing = DEFAULT_LANDING,
    truth: Truth = DEFAULT_TRUTH,
    months: Annotated[int, typer.Option(help="Months on book its loans are then followed for.", min=1)] = 13,
    conf: ConfDir = CONF,
    warehouse: WarehouseDir = None,
    as_json: AsJson = False,
) -> None:
    """Play the audiences published on a day: the campaign's days, then its loans month by month."""
    from jobs.market.play import play as play_rows
    from jobs.market.published import published_audiences
    from jobs.market.state import played_conf

    rows = published_audiences(existing_warehouse(warehouse, conf), parse_day(day))
    progress = (lambda line: None) if as_json else typer.echo
    summary = play_rows(played_conf(truth), landing, truth, rows, progress, months=months)
    if as_json:
        typer.echo(json.dumps(asdict(summary), default=_plain))
    else:
        grid_of = [[str(row.get("channel")), *[v for k, v in row.items() if k != "channel"]] for row in summary.results]
        grid(
            f"played {', '.join(summary.days)}, landed until {summary.landed_until}", list(summary.results[0]), grid_of
        )


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)
