"""`make demo`: the whole chain on a sample market, from nothing to the cost of a good customer."""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from jobs.demo.airflow_api import AirflowApi
from jobs.demo.airflow_home import AirflowHome, airflow_running
from jobs.demo.costs import measured, print_costs, truth_of
from jobs.market.conf import read_market_conf
from jobs.market.headline import render
from jobs.market.history import new_market
from jobs.market.play import play
from jobs.market.published import published_audiences
from jobs.runtime.cluster import connect_server
from jobs.runtime.conf import load_conf
from jobs.runtime.errors import Fault, HuokeError
from jobs.runtime.keys import keep_secret, sha256
from jobs.runtime.shell import code_print
from jobs.runtime.store import write_whole

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"
# Who explores and who is held out follows from the secret: the demo's own, so that its figures repeat.
SECRET = sha256("huoke demo: made-up people only")
STARTED = time.monotonic()


def tell(line: str) -> None:
    """One line of progress with the seconds since the start."""
    typer.echo(f"{time.monotonic() - STARTED:6.0f} s  {line}")


class Home:
    """Where the demo keeps everything, and which DAG runs it may reuse."""

    def __init__(self, folder: Path, people: int, seed: int) -> None:
        self.folder, self.people, self.seed = folder, people, seed
        self.landing, self.truth = folder / "landing", folder / "truth"
        self.warehouse, self.report = folder / "warehouse", folder / "report" / "index.html"
        self.runs = folder / "runs.json"

    def done(self) -> dict[str, str]:
        """The DAG runs that succeeded, each with the code and configuration it ran."""
        return dict(json.loads(self.runs.read_text(encoding="utf-8"))) if self.runs.is_file() else {}

    def mark(self, name: str, state: str) -> None:
        """Remember that a DAG run succeeded."""
        write_whole(self.runs, json.dumps({**self.done(), name: state}, indent=1))


def main(
    people: Annotated[int, typer.Option(help="People in the market.")] = 50_000,
    seed: Annotated[int, typer.Option(help="Seed of the market.")] = 7,
    folder: Annotated[Path, typer.Option(help="Where everything is kept.")] = Path("var/demo"),
) -> None:
    """Make a market, run the DAGs through Airflow, send, play the campaign, measure it, print and report."""
    home = Home(folder.resolve(), people, seed)
    home.folder.mkdir(parents=True, exist_ok=True)
    keep_secret(home.warehouse, SECRET)
    conf = read_market_conf(CONF / "market.yaml", people=people, seed=seed)
    tell(f"market: {people:,} people, seed {seed}")
    market = new_market(conf, home.landing, home.truth, lambda line: tell(f"market: {line}"))
    typer.echo(render(market))
    # The day after the history: a new month, whose budget nobody has spent yet.
    sent = market.history_end + timedelta(days=1)

    with Chain(home) as chain:
        chain.run("train_weekly", {"day": sent.isoformat()})
        chain.run("acquire_daily", {"day": sent.isoformat()})
        rows = published_audiences(home.warehouse, sent)
        summary = play(conf, home.landing, home.truth, rows, lambda line: tell(f"campaign: {line}"))
        day = date.fromisoformat(summary.landed_until)
        chain.run("backfill", {"from_day": day.isoformat(), "to_day": day.isoformat()})

    costs, truth = measured(home.warehouse, day), truth_of(home.truth, home.warehouse, sent)
    print_costs(costs, truth)
    write_whole(home.folder / "summary.json", json.dumps({"costs": costs, "truth": truth}, default=str, indent=1))
    _report(home, day)
    tell("done")
    for what, where in _places(home, sent):
        typer.echo(f"  {what:<22} {where}")


class Chain:
    """Airflow and a Spark Connect server, started when a DAG run needs them and ended on the way out."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._open = ExitStack()
        self._api: AirflowApi | None = None
        self._state = f"{code_print()} {load_conf(CONF).print()}"

    def __enter__(self) -> Chain:
        return self

    def __exit__(self, *failure: object) -> None:
        self._open.close()

    def run(self, dag: str, parameters: dict[str, str]) -> None:
        """Run a DAG through Airflow to its end, telling every task; reuse a run that succeeded before, unchanged."""
        name = " ".join([dag, *parameters.values()])
        if self.home.done().get(name) == self._state:
            tell(f"airflow: reused {name}: it succeeded before, and code and configuration are unchanged")
            return
        tell(f"airflow: {name}")
        state = self._running().run(dag, parameters, self._told)
        if state != "success":
            raise Fault(f"DAG {dag} ended as {state}; its logs are in {self.home.folder}/airflow/logs")
        self.home.mark(name, self._state)

    def _running(self) -> AirflowApi:
        if self._api is None:
            chosen = load_conf(CONF).base.spark.settings
            address = self._open.enter_context(connect_server(self.home.folder / "spark", memory="3g", settings=chosen))
            tell(f"spark: a Connect server for all tasks at {address}")
            extra = {
                "HUOKE_SPARK": address,
                "HUOKE_LANDING": str(self.home.landing),
                "HUOKE_WAREHOUSE": str(self.home.warehouse),
                "HUOKE_CONF": str(CONF),
            }
            place = AirflowHome(self.home.folder / "airflow", ROOT / "dags")
            self._api = self._open.enter_context(airflow_running(place, extra, tell))
        return self._api

    @staticmethod
    def _told(task: str, state: str, seconds: float) -> None:
        if state in ("success", "failed", "upstream_failed", "up_for_retry"):
            tell(f"airflow:   {task} {state} ({seconds:.0f} s)")


def _report(home: Home, day: date) -> None:
    from dashboards.report import write_report

    write_report(home.warehouse, CONF, home.report, day, "en")
    tell(f"report: {home.report}")


def _places(home: Home, sent: date) -> list[tuple[str, Path | str]]:
    return [
        ("report", home.report),
        ("landing files", home.landing),
        ("published tables", f"{home.warehouse} (huoke status --warehouse {home.warehouse})"),
        ("what was sent", f"{home.warehouse}/outbox, audiences of {sent}"),
        ("figures", home.folder / "summary.json"),
        ("Airflow", home.folder / "airflow"),
    ]


if __name__ == "__main__":
    try:
        typer.run(main)
    except HuokeError as error:
        typer.echo(f"demo: {error}", err=True)
        sys.exit(error.exit_code)
