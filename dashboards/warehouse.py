"""The only way a dashboard reads: published aggregates, at their pointers, with fastparquet."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

import pandas as pd
from fastparquet import ParquetFile

from jobs import tables
from jobs.contract import Privacy, Table
from jobs.runtime.errors import PolicyRefused, UsageError
from jobs.runtime.store import Store

READABLE = (
    "band_cuts",
    "calibrations",
    "campaign_costs",
    "channel_attributions",
    "channel_costs",
    "channel_lift",
    "channel_plan",
    "cost_moves",
    "model_cards",
    "nowcasts",
    "paybacks",
    "plan_gate",
    "profiles",
    "roll_rates",
    "segment_drifts",
    "segment_overlaps",
    "spend_ledger",
    "vintages",
)


@dataclass(frozen=True)
class Reading:
    """A table as it stood: its rows and the published day they come from; `day` is None when nothing is published."""

    table: str
    day: date | None
    frame: pd.DataFrame

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to show, published or not."""
        return self.frame.empty


@dataclass(frozen=True)
class Warehouse:
    """Published tables as they stood on a day; a table's newest day up to `as_of` is what is read."""

    root: Path
    as_of: date

    @classmethod
    def at(cls, root: Path, day: date | None = None) -> Warehouse:
        """The warehouse on that day, or on the newest day any readable table was published for.

        Raises UsageError when nothing is published and no day is given.
        """
        days = published_days(root)
        if day is None and not days:
            raise UsageError(
                f"{root} holds no table that a dashboard reads ({', '.join(READABLE)}): "
                "run `huoke run --day D` first, or name a day with --day"
            )
        return cls(root, day or days[-1])

    def read(self, name: str) -> Reading:
        """A readable table with every declared column; PolicyRefused for whatever is about single people.

        Numbers are float64 (null is NaN), integers that are never null int64, dates datetime64, the rest objects.
        """
        table = readable(name)
        store = Store(self.root)
        days = [day for day in store.days(name) if day <= self.as_of]
        pointer = store.pointer(name, days[-1]) if days else None
        if pointer is None:
            return Reading(name, None, _typed(pd.DataFrame(), table))
        return Reading(name, days[-1], _version(store.path(pointer), table).copy())


def published_days(root: Path) -> list[date]:
    """Days for which any readable table is published, in order."""
    store = Store(root)
    return sorted({day for name in READABLE for day in store.days(name)})


def readable(name: str) -> Table:
    """The declaration of a table that a dashboard may read.

    Raises PolicyRefused when the table is not on the list of aggregates, or when any of its columns is a pseudonym or
    belongs to the vault: whatever the list says, a column that points at a person is never read.
    """
    table = declared().get(name)
    if name not in READABLE or table is None:
        raise PolicyRefused(f"table {name} is none of the aggregates a dashboard reads; try `huoke show {name}`")
    personal = [column.name for column in table.columns if column.privacy is not Privacy.PLAIN]
    if personal or table.in_vault or table.is_landed or table.has_features:
        raise PolicyRefused(f"table {name} is about single people (columns {personal}); dashboards read aggregates")
    return table


@cache
def declared() -> dict[str, Table]:
    """Every table declared at module level in jobs/tables, by name."""
    names = [info.name for info in pkgutil.walk_packages(tables.__path__, f"{tables.__name__}.")]
    modules = [importlib.import_module(name) for name in names]
    return {value.name: value for module in modules for value in vars(module).values() if isinstance(value, Table)}


@lru_cache(maxsize=64)
def _version(folder: Path, table: Table) -> pd.DataFrame:
    wanted = [column.name for column in table.columns if column.type != "binary"]
    parts = []
    for file in sorted(folder.glob("*.parquet")):
        parquet = ParquetFile(str(file))
        if parquet.count():
            parts.append(parquet.to_pandas(columns=[name for name in wanted if name in parquet.columns]))
    return _typed(pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(), table)


def _typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    columns: dict[str, pd.Series] = {}
    for column in table.columns:
        if column.type == "binary":
            continue
        given = frame.get(column.name, pd.Series([None] * len(frame), dtype="object"))
        if column.type in ("bigint", "int", "double") or column.type.startswith("decimal"):
            numbers = pd.to_numeric(given, errors="raise").astype("float64")
            whole = column.type in ("bigint", "int") and not numbers.isna().any()
            columns[column.name] = numbers.astype("int64") if whole else numbers
        elif column.type in ("date", "timestamp"):
            columns[column.name] = pd.to_datetime(given)
        else:
            columns[column.name] = given.astype("object").where(given.notna(), None)
    return pd.DataFrame(columns)
