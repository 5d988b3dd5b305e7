"""Options that several commands share, and what they turn into."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from jobs.runtime.conf import Conf, load_conf
from jobs.runtime.errors import UsageError

ConfDir = Annotated[Path, typer.Option("--conf", envvar="HUOKE_CONF", help="Folder of the configuration.")]
Overlay = Annotated[
    str | None, typer.Option("--profile", envvar="HUOKE_PROFILE", help="File over base.yaml, e.g. prod.")
]
LandingDir = Annotated[Path | None, typer.Option("--landing", envvar="HUOKE_LANDING", help="Landing folder.")]
WarehouseDir = Annotated[Path | None, typer.Option("--warehouse", envvar="HUOKE_WAREHOUSE", help="Warehouse folder.")]
SparkAddress = Annotated[
    str | None,
    typer.Option("--spark", envvar="HUOKE_SPARK", help="local[N], spark://host:port, yarn, k8s://… or sc://host:port."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
CONF = Path("conf")


def read_conf(folder: Path, overlay: str | None = None, spark: str | None = None) -> Conf:
    """The configuration, with Spark's address replaced where one is given."""
    conf = load_conf(folder, overlay)
    if spark is None:
        return conf
    reached = conf.base.spark.model_copy(update={"master": spark})
    return conf.model_copy(update={"base": conf.base.model_copy(update={"spark": reached})})


def warehouse_of(given: Path | None, conf_dir: Path) -> Path:
    """The warehouse given, else the one base.yaml names."""
    return given if given is not None else Path(load_conf(conf_dir).base.warehouse)


def existing_warehouse(given: Path | None, conf_dir: Path) -> Path:
    """As `warehouse_of`, but UsageError when nothing was ever published there."""
    path = warehouse_of(given, conf_dir)
    if not (path / "tables").is_dir():
        raise UsageError(f"{path} holds no published tables; name the warehouse, or fill it with `huoke run --day D`")
    return path


def parse_day(text: str) -> date:
    """A day from YYYY-MM-DD; UsageError says what was given."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a day; write YYYY-MM-DD") from error


def parse_days(text: str) -> list[date]:
    """Days from `D`, `D1..D2` or `D3,D1,D2` (kept in that order)."""
    if ".." in text:
        first, last = (parse_day(part) for part in text.split("..", 1))
        if last < first:
            raise UsageError(f"{text!r} ends before it starts; write the earlier day first")
        return [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]
    return [parse_day(part) for part in text.split(",")]
