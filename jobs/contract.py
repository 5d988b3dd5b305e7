"""What a unit of work declares: columns, tables, reads, and the decorator that makes a function a job."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

STAGES = ("ingest", "link", "model", "activate", "measure")
Mode = Literal["day", "latest", "upto", "in_force", "before"]
Cadence = Literal["daily", "weekly"]


class Privacy(StrEnum):
    """How close a column is to a person, which decides who may read it."""

    PLAIN = "plain"
    PSEUDONYM = "pseudonym"
    VAULT = "vault"


@dataclass(frozen=True)
class Column:
    """One column: its Spark type, its meaning, its privacy class; doubles are published at `scale` decimal places."""

    name: str
    type: str
    meaning: str
    privacy: Privacy = Privacy.PLAIN
    nullable: bool = True
    scale: int = 9


@dataclass(frozen=True)
class Table:
    """A published table: one partition a day, full schema, unique key; `day` is the partition and not among `columns`.

    `has_features`: the deployment's declared features (conf `features`) are columns too, after these.
    `is_landed`: a day without a partition means "nothing new" and reads as empty.
    `rules`: SQL predicates that must hold for every row before the table may be published.
    """

    name: str
    stage: str
    doc: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    retention_days: int = 400
    has_features: bool = False
    is_landed: bool = False
    in_vault: bool = False
    rules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [c.name for c in self.columns]
        if self.stage not in STAGES:
            raise ValueError(f"table {self.name}: stage {self.stage!r} is none of {STAGES}; name one of them")
        if len(set(names)) != len(names) or "day" in names:
            raise ValueError(f"table {self.name}: column names repeat, or name the partition `day`; rename them")
        if missing := set(self.key) - set(names):
            raise ValueError(f"table {self.name}: key columns {sorted(missing)} are not declared; declare them")

    def column(self, name: str) -> Column:
        """The declared column of that name; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} declares no column {name}")

    def on_day(self) -> Read:
        """The partition of the run's day."""
        return Read(self, "day")

    def latest(self) -> Read:
        """The newest partition up to the run's day; empty when there is none."""
        return Read(self, "latest")

    def upto(self, days: int | None = None) -> Read:
        """Every partition up to the run's day (of the last `days` days), with its `day`."""
        return Read(self, "upto", days)

    def in_force(self, days: int | None = None) -> Read:
        """As `upto`, but of several rows with one key only the one of the latest day."""
        return Read(self, "in_force", days)

    def before(self, days: int | None = None) -> Read:
        """The newest partition before the run's day, or with `days` all of the last that many days before it."""
        return Read(self, "before", days)


@dataclass(frozen=True)
class Read:
    """Which published days of a table a job sees; every frame read has `day` (date) as its first column."""

    table: Table
    mode: Mode = "day"
    days: int | None = None


@dataclass(frozen=True)
class Job:
    """A function with its declared inputs and outputs; calling the job calls the function."""

    name: str
    function: Callable[..., Any]
    reads: Mapping[str, Read]
    writes: tuple[Table, ...]
    doc: str
    cadence: Cadence = "daily"
    owner: str = "growth"
    timeout_minutes: int = 30
    sends: bool = False
    landing: str | None = None
    asks: frozenset[str] = field(default_factory=frozenset)

    @property
    def stage(self) -> str:
        """The stage of what the job writes."""
        return self.writes[0].stage

    @property
    def reads_its_past(self) -> bool:
        """True when a `before` read makes the order of days matter."""
        return any(read.mode == "before" for read in self.reads.values())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def job(
    *,
    reads: Mapping[str, Table | Read],
    writes: Table | tuple[Table, ...],
    name: str | None = None,
    cadence: Cadence = "daily",
    owner: str = "growth",
    timeout_minutes: int = 30,
    sends: bool = False,
    landing: str | None = None,
) -> Callable[[Callable[..., Any]], Job]:
    """Declare a unit of work: the function takes its reads by name, then `day`, `conf` and what it asks the shell for.

    It returns a frame (Spark or pandas) a table in `writes`, in their order. What it may ask for by a keyword
    parameter: `shell` (cut, small), `vault` (ingest, link and sending only), `ledger` (sending only).
    `landing` names the landing table an ingest job reads; such a job sees many days at once and keeps their `day`.
    """

    def wrap(function: Callable[..., Any]) -> Job:
        parameters = inspect.signature(function).parameters
        tables = writes if isinstance(writes, tuple) else (writes,)
        known = set(reads) | {"day", "conf", "shell", "vault", "ledger", "landed"}
        if unknown := set(parameters) - known:
            raise ValueError(f"job {function.__name__}: parameters {sorted(unknown)} are neither reads nor known asks")
        if unread := set(reads) - set(parameters):
            raise ValueError(f"job {function.__name__}: declared reads {sorted(unread)} are not parameters")
        return Job(
            name=name or function.__name__,
            function=function,
            reads={key: Read(read) if isinstance(read, Table) else read for key, read in reads.items()},
            writes=tables,
            doc=(inspect.getdoc(inspect.getmodule(function)) or function.__name__).splitlines()[0],
            cadence=cadence,
            owner=owner,
            timeout_minutes=timeout_minutes,
            sends=sends,
            landing=landing,
            asks=frozenset(parameters) - set(reads),
        )

    return wrap


def with_columns(table: Table, extra: tuple[Column, ...]) -> Table:
    """The same table with more columns at its end (a deployment's features)."""
    return replace(table, columns=table.columns + extra)
