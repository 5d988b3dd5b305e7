"""Commands about a plan: plan (what if?), approve, approvals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli.inspect import grid
from jobs.cli.options import (
    CONF,
    AsJson,
    ConfDir,
    Overlay,
    SparkAddress,
    WarehouseDir,
    existing_warehouse,
    parse_day,
    read_conf,
)
from jobs.runtime.errors import DataRefused

if TYPE_CHECKING:
    from jobs.runtime.approvals import Approvals
    from jobs.runtime.conf import Conf

Amounts = list[str] | None
Day = Annotated[str | None, typer.Option("--day", help="Day of the plan; the newest when not given.")]
SHOWN = {
    "audience_size": "audience",
    "expected_spend": "spend",
    "expected_good": "good",
    "cost_per_good": "cost a good",
    "expected_late_rate": "late",
    "expected_fraud_rate": "fraud",
    "shadow_price": "budget's price",
    "capacity_price": "place's price",
}
RATES = ("expected_late_rate", "expected_fraud_rate")


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("plan")(plan)
    app.command("approve")(approve)
    app.command("approvals")(approvals)


def plan(
    budget: Annotated[
        Amounts, typer.Option("--budget", help="CHANNEL=+20%, -10% or an amount a period; (all)=… over all.")
    ] = None,
    capacity: Annotated[Amounts, typer.Option("--capacity", help="CHANNEL=+20%, -10% or a number of people.")] = None,
    good: Annotated[float | None, typer.Option("--good", help="Win so many good customers at least spend.")] = None,
    max_late_rate: Annotated[float | None, typer.Option("--max-late-rate", help="Cap, e.g. 0.03.")] = None,
    max_fraud_rate: Annotated[float | None, typer.Option("--max-fraud-rate", help="Cap, e.g. 0.002.")] = None,
    day: Day = None,
    conf: ConfDir = CONF,
    profile: Overlay = None,
    warehouse: WarehouseDir = None,
    spark: SparkAddress = None,
    as_json: AsJson = False,
) -> None:
    """What if? The published plan beside what it would be; nothing is trained, published or sent."""
    from jobs.whatif.changes import Changes, changed, named
    from jobs.whatif.rehearse import answer, opened

    changes = Changes(
        named(budget or [], "--budget"), named(capacity or [], "--capacity"), good, max_late_rate, max_fraud_rate
    )
    home = existing_warehouse(warehouse, conf)
    settings = read_conf(conf, profile, spark)
    changed(settings, changes)  # refused before Spark is started
    on = parse_day(day) if day else None
    with opened(home, settings) as shell:
        found = answer(shell, changes, on)
    if as_json:
        said = {"day": found.day, "asked": changes.said(), "is_feasible": found.verdict.is_feasible}
        told = {"why": found.verdict.why or None, "binding": found.verdict.binding, "inputs_moved_on": found.is_moved}
        rows = {"published": found.published, "what_if": found.what_if}
        typer.echo(json.dumps(said | told | rows, default=str, ensure_ascii=False, indent=1))
    else:
        _print(found, settings.base.currency)
    if not found.verdict.is_feasible:
        raise DataRefused(f"this plan cannot be had: {found.verdict.why}; ask for less, or loosen what binds")


def approve(
    plan: Annotated[str, typer.Argument(help="A day's plan: its day, or the first digits of the audiences' version.")],
    by: Annotated[str, typer.Option("--by", help="Who releases it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    conf: ConfDir = CONF,
    profile: Overlay = None,
    warehouse: WarehouseDir = None,
    as_json: AsJson = False,
) -> None:
    """Release a plan for sending (policy.yaml `approval: required`); added to a record that is never changed."""
    from jobs.runtime.approvals import plan_named
    from jobs.runtime.store import Store

    home = existing_warehouse(warehouse, conf)
    version, day = plan_named(Store(home), plan)
    row = _approvals(home, read_conf(conf, profile)).add(version, day, by, reason)
    said = f"plan {row.plan} of {row.day} is approved by {row.by}; a plan with other content needs its own approval"
    typer.echo(json.dumps(vars(row)) if as_json else said)


def approvals(
    conf: ConfDir = CONF, profile: Overlay = None, warehouse: WarehouseDir = None, as_json: AsJson = False
) -> None:
    """Who approved which plan, when and why."""
    found = _approvals(existing_warehouse(warehouse, conf), read_conf(conf, profile)).all()
    if as_json:
        typer.echo(json.dumps([vars(row) for row in found], ensure_ascii=False))
    else:
        grid("approvals", ["at", "plan", "day", "by", "reason"], [list(vars(row).values()) for row in found])


def _approvals(home: Path, settings: Conf) -> Approvals:
    from jobs.runtime.approvals import Approvals

    (home / "state").mkdir(exist_ok=True)
    return Approvals(settings.base.memberships.format(warehouse=home.resolve()))


def _print(found: Any, currency: str) -> None:
    from jobs.whatif.compare import price_words

    before = {row["channel"]: row for row in found.published}
    rows = []
    for row in found.what_if:
        old = before.get(row["channel"], {})
        rows.append([row["channel"], *[f"{_cell(n, old.get(n))} → {_cell(n, row[n])}" for n in SHOWN]])
    grid(f"plan of {found.day}: published → what if, {currency}", ["channel", *SHOWN.values()], rows)
    whole = found.what_if[-1]
    if words := price_words(whole, found.good_floor, currency):
        typer.echo(words)
    if whole["gap"] is not None:
        typer.echo(f"gap to the best plan at most {whole['gap']:.2%}; largest violation {whole['max_violation']:.2%}")
    for note in str(whole["note"] or "").split("; "):
        if note and not note.startswith("intervals"):
            typer.echo(f"note: {note}")
    if found.is_moved:
        typer.echo("note: the published plan is older than its inputs; `huoke run audiences` brings it up to them")


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name in RATES:
        return f"{value:.2%}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}" if abs(value) < 1000 else f"{value:,.0f}"
