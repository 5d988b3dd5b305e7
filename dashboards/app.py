"""The Dash shell: the report's pages over a warehouse that goes on changing, on this machine's loopback only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from dash import Dash, Input, Output, dcc, html

from dashboards.components import component
from dashboards.nodes import tag
from dashboards.pages.book import PAGES
from dashboards.pages.context import Context, header, sources, warnings
from dashboards.parts import banner
from dashboards.report import ASSETS
from dashboards.warehouse import published_days
from dashboards.words import LANGUAGES, speak
from jobs.cli.options import CONF, ConfDir, WarehouseDir, existing_warehouse, parse_day
from jobs.runtime.conf import load_conf
from jobs.runtime.errors import HuokeError, UsageError

HOST = "127.0.0.1"
NEWEST = "newest"


def make_app(warehouse: Path, conf_dir: Path) -> Dash:
    """The app over a warehouse; each view reads the pointers anew, so what a run publishes shows at the next click."""
    words = speak("en", load_conf(conf_dir).metrics)
    app = Dash("huoke", assets_folder=str(ASSETS.resolve()), title=words("title"), update_title="")
    app.server.config["TRUSTED_HOSTS"] = [HOST, "localhost"]

    def layout() -> Any:
        days = [day.isoformat() for day in reversed(published_days(warehouse))]
        chosen = dcc.Dropdown([NEWEST, *days], NEWEST, id="day", clearable=False, style={"minWidth": "150px"})
        spoken = dcc.Dropdown(list(LANGUAGES), "en", id="lang", clearable=False, style={"minWidth": "80px"})
        controls = html.Div([html.Label(chosen), html.Label(spoken)], className="controls")
        return html.Div(
            [
                dcc.Location(id="place"),
                html.Div(id="top"),
                html.Div(controls, className="wrap bar"),
                html.Div(id="page"),
            ]
        )

    app.layout = layout

    @app.callback(
        Output("top", "children"),
        Output("page", "children"),
        Input("place", "pathname"),
        Input("day", "value"),
        Input("lang", "value"),
    )
    def view(path: str | None, day: str, lang: str) -> tuple[Any, Any]:
        return shown(warehouse, conf_dir, (path or "/").strip("/"), day, lang)

    return app


def shown(warehouse: Path, conf_dir: Path, name: str, day: str, lang: str) -> tuple[Any, Any]:
    """The head and the body of one page as components; a refusal is told in place of the body."""
    try:
        context = Context.open(warehouse, conf_dir, None if day == NEWEST else parse_day(day), lang)
        page = name if name in PAGES else next(iter(PAGES))
        title = tag("h2", context.words(page), class_="page-title")
        body = tag("main", warnings(context), title, PAGES[page](context), sources(context), class_="wrap")
        return component(_top(context, page)), component(tag("div", body, id=f"page-{page}-{day}-{lang}"))
    except HuokeError as error:
        return "", component(tag("main", banner("warning", str(error)), class_="wrap"))


def _top(context: Context, page: str) -> Any:
    links = [
        tag("a", context.words(name), href=f"/{name}", **({"aria_current": "page"} if name == page else {}))
        for name in PAGES
    ]
    inner = tag(
        "div", tag("h1", context.words("title")), header(context), tag("nav", *links, class_="pages"), class_="wrap"
    )
    return tag("header", inner, class_="top")


def main(
    conf: ConfDir = CONF,
    warehouse: WarehouseDir = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port on 127.0.0.1.")] = 8050,
) -> None:
    """Serve the dashboard on this machine until it is interrupted."""
    try:
        app = make_app(existing_warehouse(warehouse, conf), conf)
    except HuokeError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    typer.echo(f"dashboard at http://{HOST}:{port}")
    try:
        app.run(host=HOST, port=port, debug=False)
    except OSError as error:
        raise UsageError(f"port {port} is not free ({error}); choose another with --port") from error


if __name__ == "__main__":
    typer.run(main)
