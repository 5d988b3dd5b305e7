"""Commands that look: status, show, keys, tables, manifest, report."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as Grid

from jobs.cli.options import CONF, AsJson, ConfDir, WarehouseDir, existing_warehouse, parse_day
from jobs.runtime.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (status, show, keys, tables, manifest, report):
        app.command(command.__name__)(command)


def grid(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """Print a table."""
    table = Grid(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*[f"{v:,}" if isinstance(v, int) else "" if v is None else str(v) for v in row])
    Console(width=None if Console().is_terminal else 160).print(table)


def status(
    table: Annotated[str | None, typer.Argument(help="Only this table, with the versions kept.")] = None,
    conf: ConfDir = CONF,
    warehouse: WarehouseDir = None,
    as_json: AsJson = False,
) -> None:
    """What is published: each table's newest day, rows, version, and whether its inputs have moved on since."""
    from jobs.runtime.store import Store

    store = Store(existing_warehouse(warehouse, conf))
    if table and table not in store.tables():
        raise UsageError(f"nothing is published under {table!r}; `huoke status` lists what is")
    found: list[dict[str, Any]] = []
    for name in [table] if table else store.tables():
        days = store.days(name)
        for day in days if table else days[-1:]:
            pointer = store.pointer(name, day)
            if pointer is None:
                continue
            entry = {
                "table": name,
                "day": pointer.day,
                "days": len(days),
                "rows": pointer.rows,
                "version": pointer.version,
            }
            found.append({**entry, "earlier": list(pointer.earlier), "state": _state(store, pointer)})
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    columns = ["table", "day", "days", "rows", "version", "state"] + (["earlier"] if table else [])
    grid("published", columns, [[e[c] if c != "earlier" else " ".join(e[c]) for c in columns] for e in found])


def _state(store: Any, pointer: Any) -> str:
    if pointer.cause == "rollback":
        return "rolled back"
    for name, version in pointer.inputs.items():
        table, _, day = name.partition("@")
        if table.startswith("landing:"):
            continue
        current = store.pointer(table, date.fromisoformat(day))
        if current is None or current.version != version:
            return f"older than its input {table}"
    return "current"


def show(
    table: Annotated[str, typer.Argument(help="Published table.")],
    day: Annotated[str | None, typer.Option("--day", help="Day; the newest when not given.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write all rows to a .csv, .parquet or .jsonl file.")
    ] = None,
    limit: Annotated[int, typer.Option(help="Rows to print without --out; 0 prints all.")] = 20,
    conf: ConfDir = CONF,
    warehouse: WarehouseDir = None,
    as_json: AsJson = False,
) -> None:
    """Print or export the rows of a published table, `day` first. Vault tables are not shown."""
    from jobs.runtime import export

    home = existing_warehouse(warehouse, conf)
    found = export.find(home, table, parse_day(day) if day else None)
    if out is not None:
        rows = export.write(found, out)
        typer.echo(f"{rows:,} rows of {table} {found.day} written to {out}")
        return
    rows_ = export.head(found, None if limit == 0 else limit)
    if as_json:
        typer.echo(json.dumps(rows_, default=str, ensure_ascii=False))
        return
    grid(
        f"{table} {found.day} ({found.rows:,} rows)", found.columns, [[row[c] for c in found.columns] for row in rows_]
    )


def keys(
    out: Annotated[Path, typer.Option("--out", help="A .csv or .parquet file, readable by you only.")],
    conf: ConfDir = CONF,
    warehouse: WarehouseDir = None,
) -> None:
    """Map prospect_key to prospect_id, for the lender's own systems. The file is made readable by its owner only."""
    from jobs.runtime import export

    rows = export.write_keys(existing_warehouse(warehouse, conf), out)
    typer.echo(f"{rows:,} keys written to {out}")


def tables(
    name: Annotated[str | None, typer.Argument(help="Only this table, with its columns.")] = None,
    as_json: AsJson = False,
    conf: ConfDir = CONF,
) -> None:
    """The data dictionary: every table, its key, its columns with type, meaning and privacy class."""
    from jobs.registry import tables as all_tables

    known = all_tables()
    if name is not None and name not in known:
        raise UsageError(f"there is no table {name!r}; `huoke tables` lists them")
    chosen = [known[name]] if name else list(known.values())
    if as_json:
        typer.echo(json.dumps([_described(t) for t in chosen], indent=1, ensure_ascii=False))
    elif name:
        rows = [
            [c.name, c.type, "" if c.nullable else "required", str(c.privacy), c.meaning] for c in chosen[0].columns
        ]
        grid(
            f"{name}: {chosen[0].doc}. Key: {', '.join(chosen[0].key)}",
            ["column", "type", "", "privacy", "meaning"],
            rows,
        )
    else:
        listed: list[list[Any]] = [[t.name, t.stage, ", ".join(t.key), len(t.columns), t.doc] for t in chosen]
        grid("tables", ["table", "stage", "key", "columns", "what it holds"], listed)


def _described(table: Any) -> dict[str, Any]:
    columns = [
        {"name": c.name, "type": c.type, "nullable": c.nullable, "privacy": str(c.privacy), "meaning": c.meaning}
        for c in table.columns
    ]
    head = {"table": table.name, "stage": table.stage, "doc": table.doc, "key": list(table.key)}
    return {**head, "retention_days": table.retention_days, "columns": columns}


def manifest(
    out: Annotated[Path, typer.Option("--out", help="Where the DAGs read it.")] = Path("dags/manifest.json"),
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the file is fresh (exit 65 when not).")
    ] = False,
    conf: ConfDir = CONF,
) -> None:
    """Write every job as data for the scheduler."""
    from jobs.runtime.errors import DataRefused
    from jobs.runtime.manifest import text
    from jobs.runtime.store import write_whole

    fresh = out.is_file() and out.read_text(encoding="utf-8") == text()
    if check and not fresh:
        raise DataRefused(f"{out} is not what the jobs declare; run `huoke manifest` and commit it")
    if not fresh:
        write_whole(out, text())
    typer.echo(f"{out} is {'fresh' if fresh else 'written'}")


def report(
    out: Annotated[Path, typer.Option("--out", help="HTML file to write.")] = Path("var/report/index.html"),
    day: Annotated[str | None, typer.Option("--day", help="Day; the newest when not given.")] = None,
    lang: Annotated[str, typer.Option("--lang", help="en or zh.")] = "en",
    conf: ConfDir = CONF,
    warehouse: WarehouseDir = None,
) -> None:
    """Write the report: overview, cost by channel and band, plan, models; one HTML file that needs no network."""
    from dashboards.report import write_report

    home = existing_warehouse(warehouse, conf)
    write_report(home, conf, out, parse_day(day) if day else None, lang)
    typer.echo(f"report written to {out}")
