"""Every row accounted for, a file at a time, and the rules that stop the line."""

from __future__ import annotations

import json
import logging
from datetime import date
from statistics import median
from typing import TYPE_CHECKING, Any

import pandas as pd
from pyspark.sql import functions as F

from jobs.contract import Table
from jobs.runtime.conf import Conf
from jobs.runtime.errors import DataRefused, Fault

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame

    from jobs.runtime.landing import Landed
    from jobs.runtime.shell import Shell

log = logging.getLogger("huoke")
MAX_CELLS = 2_000_000
# Files with fewer rows, and columns with fewer earlier days, neither judge nor are judged.
ENOUGH_ROWS = 30
ENOUGH_DAYS = 3
# A money column whose median leaves what earlier days had by more than this factor was landed in another unit.
MONEY_FACTOR = 20.0
# An optional column that loses more than this share of what earlier days filled is reported.
FILLED_LOSS = 0.5


def figures(rows: DataFrame, table: Table, shell: Shell) -> pd.DataFrame:
    """Rows by day, file, fate, reason, column and currency, with values filled and medians of money: one pass."""
    optional = [c.name for c in table.columns if c.nullable]
    money = [c.name for c in table.columns if c.type.startswith("decimal") and c.name != "rate"]
    currency = F.col("currency") if money else F.lit(None).cast("string")
    by = ["day", "_file", "_fate", "_reason", "_column"]
    totals = [F.count("*").alias("rows")]
    totals += [F.count(f"`{name}`").alias(f"filled:{name}") for name in optional]
    values = {name: _comparable(table, name) for name in money}
    totals += [F.percentile(value, F.lit(0.5)).alias(f"median:{name}") for name, value in values.items()]
    totals += [F.count(value).alias(f"valued:{name}") for name, value in values.items()]
    grouped = rows.groupBy(*by, currency.alias("_currency")).agg(*totals)
    return shell.small(grouped, MAX_CELLS, sort_by=[*by, "_currency"])


def _comparable(table: Table, name: str) -> SparkColumn:
    """A money column as a figure that days share: spend a click, since what a row of spend buys varies."""
    value = F.col(name).cast("double")
    return value / F.nullif(F.col("clicks").cast("double"), F.lit(0.0)) if table.name == "spend" else value


def judged(cells: pd.DataFrame, landed: Landed, earlier: DataFrame, shell: Shell, conf: Conf) -> pd.DataFrame:
    """The table `ingest_counts_…`, when every row is accounted for and nothing stops the line.

    Raises DataRefused when a day's refused share is over policy or a money column changed its unit; Fault when rows
    are unaccounted for.
    """
    counted = _counted(cells, landed)
    _demand_all(counted, landed)
    _demand_few_refused(counted, landed, conf.policy.max_quarantine_share)
    past = _past(earlier, landed, shell)
    history = pd.concat([past, counted], ignore_index=True).sort_values(["day", "file"], ignore_index=True)
    _demand_same_unit(history, landed)
    _report(history, landed)
    return counted


def _counted(cells: pd.DataFrame, landed: Landed) -> pd.DataFrame:
    by_file = dict(tuple(cells.groupby(["day", "_file"], sort=False))) if len(cells) else {}
    found = []
    for file in sorted(landed.files, key=lambda one: (one.day, one.name)):
        own = by_file.get((file.day, file.name), cells.iloc[:0])
        fates = own.groupby("_fate")["rows"].sum()
        out, bad = own[own["_fate"] == "out"], own[own["_fate"] == "quarantined"]
        reasons: dict[str, int] = {}
        for reason, column, rows in zip(bad["_reason"], bad["_column"], bad["rows"], strict=True):
            name = reason if pd.isna(column) else f"{reason}:{column}"
            reasons[name] = reasons.get(name, 0) + int(rows)
        filled = {
            name.removeprefix("filled:"): int(out[name].sum()) for name in map(str, own) if name.startswith("filled:")
        }
        found.append(
            {
                "day": file.day,
                "file": file.name,
                "rows_in": file.rows,
                "rows_out": int(fates.get("out", 0)),
                "quarantined": int(fates.get("quarantined", 0)),
                "duplicates": int(fates.get("duplicate", 0)),
                "reasons": json.dumps(reasons, sort_keys=True),
                "filled": json.dumps(filled, sort_keys=True),
                "medians": json.dumps(_medians(out), sort_keys=True),
                "note": file.note,
            }
        )
    columns = [
        "day",
        "file",
        "rows_in",
        "rows_out",
        "quarantined",
        "duplicates",
        "reasons",
        "filled",
        "medians",
        "note",
    ]
    return pd.DataFrame(found, columns=columns)


def _medians(out: pd.DataFrame) -> dict[str, list[float]]:
    """{`column currency`: [median, rows]} of the rows let in."""
    money = [name.removeprefix("median:") for name in map(str, out) if name.startswith("median:")]
    return {
        f"{name} {row['_currency']}": [float(row[f"median:{name}"]), int(row[f"valued:{name}"])]
        for _, row in out.iterrows()
        for name in money
        if row[f"valued:{name}"]
    }


def _demand_all(counted: pd.DataFrame, landed: Landed) -> None:
    told = counted["rows_out"] + counted["quarantined"] + counted["duplicates"]
    for row in _records(counted[told != counted["rows_in"]].head(1)):
        raise Fault(
            f"job ingest_{landed.table.name}, day {row['day']}, file {row['file']}: {row['rows_in']} rows in, but "
            f"{row['rows_out']} out + {row['quarantined']} refused + {row['duplicates']} duplicates; "
            "nothing was published, report this"
        )


def _demand_few_refused(counted: pd.DataFrame, landed: Landed, limit: float) -> None:
    stopped = []
    for day, own in counted.groupby("day"):
        bad, rows = int(own["quarantined"].sum()), int(own["rows_in"].sum())
        if bad and bad / rows > limit:
            reasons: dict[str, int] = {}
            for text in own["reasons"]:
                for reason, count in json.loads(text).items():
                    reasons[reason] = reasons.get(reason, 0) + count
            told = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
            stopped.append(f"landing day {landed.table.name}/day={day}: {bad} of {rows} rows refused ({told})")
    if stopped:
        raise DataRefused(
            f"more rows are refused than policy.yaml allows (max_quarantine_share {limit:g}); mend the files and land "
            f"them again; no day of {landed.table.name} was ingested\n" + "\n".join(stopped[:20])
        )


def _past(earlier: DataFrame, landed: Landed, shell: Shell) -> pd.DataFrame:
    return shell.small(earlier.where(~F.col("day").isin(list(landed.days))), MAX_CELLS)


def _demand_same_unit(history: pd.DataFrame, landed: Landed) -> None:
    """Compare each file's medians with those of the days before; days with few rows neither judge nor are judged."""
    seen: dict[str, dict[date, float]] = {}
    for row in _records(history):
        for name, (value, rows) in json.loads(row["medians"]).items():
            if rows < ENOUGH_ROWS or value <= 0:
                continue
            before = [figure for day, figure in seen.setdefault(name, {}).items() if day < row["day"]]
            usual = median(before) if len(before) >= ENOUGH_DAYS else value
            if not usual / MONEY_FACTOR <= value <= usual * MONEY_FACTOR:
                place = f"{landed.table.name}/day={row['day']}/{row['file']}"
                raise DataRefused(
                    f"landing file {place}: the median of {name} over {rows} rows is {value / usual:.3g} times that of "
                    f"the {len(before)} days before; money is landed in major units (yuan, not fen): mend this file, "
                    f"or the days before it; no day of {landed.table.name} was ingested"
                )
            seen[name][row["day"]] = value


def _report(history: pd.DataFrame, landed: Landed) -> None:
    """Log what a person should look at: columns dropped, rows refused, optional columns that lost their values."""
    new = history[history["day"].isin(landed.days)]
    for note, own in new.groupby(new["note"].str.extract(r"^(dropped: [^;]*)")[0]):
        log.warning("%s: columns %s, in %d landing file(s), first %s", landed.table.name, note, len(own), _place(own))
    bad = new[new["quarantined"] > 0]
    for reasons, own in bad.groupby("reasons"):
        log.warning(
            "%s: rows refused %s, in %d landing file(s), first %s", landed.table.name, reasons, len(own), _place(own)
        )
    for name, places in _emptied(history, frozenset(landed.days)).items():
        log.warning(
            "%s: column %s lost over %d %% of the values that days before had, in %d landing file(s), first %s",
            *(landed.table.name, name, FILLED_LOSS * 100, len(places), places[0]),
        )


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return rows.to_dict("records")  # type: ignore[return-value]


def _place(own: pd.DataFrame) -> str:
    return f"day={own['day'].iloc[0]}/{own['file'].iloc[0]}"


def _emptied(history: pd.DataFrame, new: frozenset[date]) -> dict[str, list[str]]:
    """Optional columns, each with the new files in which it is filled far less than on the days before."""
    seen: dict[str, dict[date, float]] = {}
    found: dict[str, list[str]] = {}
    for row in _records(history[history["rows_out"] >= ENOUGH_ROWS]):
        for name, count in json.loads(row["filled"]).items():
            share = count / row["rows_out"]
            before = [figure for day, figure in seen.setdefault(name, {}).items() if day < row["day"]]
            if row["day"] in new and len(before) >= ENOUGH_DAYS and share < median(before) * (1 - FILLED_LOSS):
                found.setdefault(name, []).append(f"day={row['day']}/{row['file']}")
            seen[name][row["day"]] = share
    return found
