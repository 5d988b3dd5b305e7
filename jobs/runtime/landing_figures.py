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
    from pyspark.sql import DataFrame

    from jobs.runtime.landing import Landed
    from jobs.runtime.shell import Shell

log = logging.getLogger("huoke")
MAX_CELLS = 2_000_000
# A money column whose median leaves what earlier days had by more than this factor was landed in another unit.
MONEY_FACTOR = 20.0
MONEY_ROWS = 30
MONEY_DAYS = 3
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
    totals += [F.percentile(F.col(name).cast("double"), F.lit(0.5)).alias(f"median:{name}") for name in money]
    totals += [F.count(name).alias(f"valued:{name}") for name in money]
    grouped = rows.groupBy(*by, currency.alias("_currency")).agg(*totals)
    return shell.small(grouped, MAX_CELLS, sort_by=[*by, "_currency"])


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
        filled = {name.removeprefix("filled:"): int(out[name].sum()) for name in own if name.startswith("filled:")}
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
    money = [name.removeprefix("median:") for name in out if name.startswith("median:")]
    return {
        f"{name} {row['_currency']}": [float(row[f"median:{name}"]), int(row[f"valued:{name}"])]
        for _, row in out.iterrows()
        for name in money
        if row[f"valued:{name}"]
    }


def _demand_all(counted: pd.DataFrame, landed: Landed) -> None:
    told = counted["rows_out"] + counted["quarantined"] + counted["duplicates"]
    for row in counted[told != counted["rows_in"]].head(1).itertuples():
        raise Fault(
            f"job ingest_{landed.table.name}, day {row.day}, file {row.file}: {row.rows_in} rows in, but {row.rows_out} "
            f"out + {row.quarantined} refused + {row.duplicates} duplicates; nothing was published, report this"
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
            stopped.append(f"{landed.table.name}/day={day}: {bad} of {rows} rows refused ({told})")
    if stopped:
        raise DataRefused(
            f"more rows are refused than policy.yaml allows (max_quarantine_share {limit:g}); mend the files and land them "
            f"again; no day of {landed.table.name} was ingested\n" + "\n".join(stopped[:20])
        )


def _past(earlier: DataFrame, landed: Landed, shell: Shell) -> pd.DataFrame:
    return shell.small(earlier.where(~F.col("day").isin(list(landed.days))), MAX_CELLS)


def _demand_same_unit(history: pd.DataFrame, landed: Landed) -> None:
    """Compare each file's medians with those of the days before; days with few rows neither judge nor are judged."""
    seen: dict[str, dict[date, float]] = {}
    for row in history.itertuples():
        for name, (value, rows) in json.loads(row.medians).items():
            if rows < MONEY_ROWS or value <= 0:
                continue
            before = [figure for day, figure in seen.setdefault(name, {}).items() if day < row.day]
            usual = median(before) if len(before) >= MONEY_DAYS else value
            if not usual / MONEY_FACTOR <= value <= usual * MONEY_FACTOR:
                raise DataRefused(
                    f"landing file {landed.table.name}/day={row.day}/{row.file}: the median of {name} over {rows} rows is "
                    f"{value / usual:.3g} times that of the {len(before)} days before; money is landed in major units "
                    f"(yuan, not fen): mend this file, or the days before it; no day of {landed.table.name} was ingested"
                )
            seen[name][row.day] = value


def _report(history: pd.DataFrame, landed: Landed) -> None:
    """Log, once a file, columns dropped or absent and optional columns that lost their values."""
    usual: dict[str, float] = {}
    new = set(landed.days)
    for row in history.itertuples():
        where = f"{landed.table.name}/day={row.day}/{row.file}"
        if row.day in new and isinstance(row.note, str):
            log.warning("landing file %s: columns %s", where, row.note)
        if row.day in new and row.quarantined:
            log.warning("landing file %s: %d of %d rows refused: %s", where, row.quarantined, row.rows_in, row.reasons)
        for name, count in json.loads(row.filled).items() if row.rows_out >= MONEY_ROWS else []:
            share = count / row.rows_out
            if row.day in new and usual.get(name, 0.0) > 0 and share < usual[name] * (1 - FILLED_LOSS):
                log.warning(
                    "landing file %s: %s is filled in %.1f %% of rows, before %.1f %%",
                    where,
                    name,
                    share * 100,
                    usual[name] * 100,
                )
            usual[name] = share


def summary(counted: pd.DataFrame) -> dict[str, Any]:
    """Rows in, out, refused and duplicate of all files together."""
    return {name: int(counted[name].sum()) for name in ("rows_in", "rows_out", "quarantined", "duplicates")}
