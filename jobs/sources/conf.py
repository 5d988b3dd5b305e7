"""conf/sources/<name>.yaml: how one raw file becomes landing tables; unknown keys are refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from jobs.runtime.errors import UsageError


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatedDay(Closed):
    """The day stands in one column."""

    rule: Literal["date"]
    column: str
    format: str


class WalkedDay(Closed):
    """The file has no dates but is in time order, with a month and a weekday: see jobs.sources.days.walk."""

    rule: Literal["walk"]
    month: str
    weekday: str
    first_month: date


class Label(Closed):
    """The column that says what came of the contact, and the word for a positive one."""

    column: str
    positive: str
    negative: str
    word: str


class Cost(Closed):
    """What one unit of contact costs; `count` names a column that holds how many units a row took (else one)."""

    unit: str
    amount: Decimal = Field(gt=0, decimal_places=2)
    currency: str = Field(pattern="^[A-Z]{3}$")
    is_assumed: bool
    count: str | None = None


class Feature(Closed):
    """One input of the models: the raw column, values that mean null, and the range outside which a row is refused."""

    column: str
    nulls: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None


class Refusal(Closed):
    """Why a raw column may not be used."""

    why: Literal["after_contact", "protected"]
    because: str


AnyDeclared = TypeVar("AnyDeclared", bound="Declared")


class Declared(Closed):
    """What every raw source declares; every raw column has at most one use, and a refused one has none."""

    name: str = Field(pattern="^[a-z][a-z0-9_]*$", description="the YAML file's name; loading sets it")
    doc: str
    notes: tuple[str, ...] = ()
    separator: str = ","
    record: str | None = None
    numeric: dict[str, Feature] = {}
    categorical: dict[str, Feature] = {}
    refused: dict[str, Refusal] = {}

    @model_validator(mode="after")
    def _one_use_each(self) -> Self:
        if taken := sorted(set(self.refused) & self.used):
            raise ValueError(f"refused columns are used: {', '.join(taken)}; a refused column may not be an input")
        if twice := sorted(set(self.numeric) & set(self.categorical)):
            raise ValueError(f"features declared numeric and categorical: {', '.join(twice)}; choose one")
        return self

    @property
    def single(self) -> frozenset[str]:
        """The raw columns it needs beside its features."""
        return frozenset({self.record} if self.record else ())

    @property
    def used(self) -> frozenset[str]:
        """Every raw column the source needs."""
        return self.single | {f.column for f in (*self.numeric.values(), *self.categorical.values())}


class SourceConf(Declared):
    """A history: contacts in time order, each with its channel, its cost and what came of it."""

    kind: Literal["history"] = "history"
    consent: Literal["assumed", "given"]
    day: Annotated[DatedDay | WalkedDay, Field(discriminator="rule")]
    label: Label
    channel: str
    campaign: str | None = None
    touch: Literal["click", "call", "message", "visit"]
    assigned: bool = False
    applications: Literal["every_row", "positives"]
    cost: Cost
    snapshots: Literal["daily", "monthly"]

    @property
    def single(self) -> frozenset[str]:
        """The raw columns it needs beside its features."""
        day = {self.day.column} if isinstance(self.day, DatedDay) else {self.day.month, self.day.weekday}
        others = {self.label.column, self.channel, self.record, self.campaign, self.cost.count} - {None}
        return frozenset(day | {str(name) for name in others})

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The declared notes with what the declaration itself implies."""
        said = list(self.notes)
        if self.cost.is_assumed:
            cost = f"{self.cost.amount} {self.cost.currency} a {self.cost.unit}"
            said.append(f"Cost is assumed, not observed: {cost} (conf/sources).")
        if self.consent == "assumed":
            said.append("Consent is assumed: the source holds none.")
        if self.snapshots == "monthly":
            said.append("Prospects land with the last day of their month that has rows, not day by day.")
        return tuple(said)


def load_source(folder: Path, name: str) -> SourceConf:
    """Read `folder`/sources/<name>.yaml; UsageError with every problem, one a line, or with the sources there are."""
    content = read_yaml(folder, name)
    if (kind := content.get("kind", "history")) != "history":
        raise UsageError(
            f"source {name!r} ({kind}) has no days and no channels to land; judge it: huoke backtest {name}"
        )
    return checked(SourceConf, folder, content)


def read_yaml(folder: Path, name: str) -> dict[str, Any]:
    """The keys of `folder`/sources/<name>.yaml and its name; UsageError where it is no YAML, or missing."""
    file = folder / "sources" / f"{name}.yaml"
    if not file.is_file():
        known = ", ".join(sorted(f.stem for f in file.parent.glob("*.yaml"))) or "none"
        raise UsageError(f"source {name!r}: there is no {file}; sources declared there: {known}")
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UsageError(f"{file}: not readable as YAML; mend it: {error}") from error
    if not isinstance(content, dict) or "name" in content:
        raise UsageError(f"{file}: expected keys and values, and no `name` (the file's own name is it)")
    return {**content, "name": name}


def checked(model: type[AnyDeclared], folder: Path, content: dict[str, Any]) -> AnyDeclared:
    """The keys as a source of that model; UsageError with every problem, one a line."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        file = folder / "sources" / f"{content['name']}.yaml"
        lines = [f"{file}: {'.'.join(str(p) for p in e['loc']) or 'whole file'}: {e['msg']}" for e in error.errors()]
        raise UsageError("\n".join(lines)) from error
