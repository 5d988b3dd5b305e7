"""How near young vintages of 2,000 loans are developed to what they came to, month on book by month on book."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "storms"))
import chain
import numpy as np
import pandas as pd
from pyspark.sql import functions as F
from scipy.stats import norm

from jobs.market.calendar import DAY_US, as_date, month_start
from jobs.market.conf import read_market_conf
from jobs.market.default import age, statements
from jobs.market.world import World
from jobs.measure.vintages import vintages
from jobs.runtime.conf import load_conf
from jobs.runtime.frames import resolved, schema
from jobs.runtime.keys import load_keys
from jobs.runtime.session import spark_session
from jobs.runtime.shell import Shell
from jobs.tables.ingest import LOANS, REPAYMENTS
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES
from segments.outcomes import GOOD_MONTHS

Row = dict[str, Any]
VINTAGES, FIRST_MONTH, TERM = 24, 12 * 54, 24  # funded from July 2024 on
SEEN = as_date(int(month_start(np.array([FIRST_MONTH + VINTAGES]))[0]))  # the day after the last statement
NEAR = 0.1


def add(options: argparse.ArgumentParser) -> None:
    """The options of `vintages`."""
    options.add_argument("--loans", type=int, default=2000, help="of a vintage")
    options.add_argument("--people", type=int, default=20_000)
    options.add_argument("--seeds", default=",".join(str(seed) for seed in range(401, 411)))


def run_vintages(asked: argparse.Namespace) -> list[Row]:
    """A row a seed, threshold and young vintage: what was seen, what it was developed to, what it came to."""
    conf = load_conf(chain.ROOT / "conf")
    folder = asked.folder.resolve() / "vintages"
    shutil.rmtree(folder, ignore_errors=True)
    spark = spark_session(conf.base.spark, folder / "scratch")
    shell = Shell(folder / "warehouse", folder / "landing", conf, load_keys(folder / "warehouse"), spark)
    found = []
    for seed in (int(one) for one in asked.seeds.split(",")):
        world = World(read_market_conf(chain.ROOT / "conf" / "market.yaml", people=asked.people, seed=seed))
        loans, told = _book(world, asked.loans, seed)
        seen = told[told["month"] < FIRST_MONTH + VINTAGES]
        observed = np.minimum(FIRST_MONTH + VINTAGES - 1 - loans["month"], GOOD_MONTHS)
        outcomes = loans.assign(months_observed=observed, is_funded=True)
        told_of = ((MATURED_OUTCOMES, outcomes), (LOANS, loans), (REPAYMENTS, seen))
        frames = [_frame(spark, table, rows, conf) for table, rows in told_of]
        touches = spark.createDataFrame([], schema(resolved(LINKED_TOUCHES, conf), with_day=False))
        developed = vintages(frames[0], touches, *frames[1:], day=SEEN, conf=conf, shell=shell)
        found += _rows(seed, developed, told, loans)
        print(f"seed {seed}: developed", file=sys.stderr)
    spark.stop()
    return found


def _book(world: World, size: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Loans of random people, `size` a month, and every statement of their first twelve months on book."""
    rng = np.random.default_rng(seed)
    month = np.repeat(FIRST_MONTH + np.arange(VINTAGES), size)
    person = rng.integers(0, world.people.count, len(month))
    funded_us = (month_start(month) + rng.integers(0, 28, len(month))) * DAY_US
    ageing = age(world, person, funded_us)
    principal, term = np.full(len(month), 1_200_000), np.full(len(month), TERM)
    told = statements(funded_us, principal, term, ageing, FIRST_MONTH, FIRST_MONTH + VINTAGES + GOOD_MONTHS)
    name = np.array([f"l{i}" for i in range(len(month))])
    loans = pd.DataFrame({"loan_id": name, "application_id": name, "month": month})
    loans["principal"] = loans["principal_minor"] = principal / 100
    loans["funded_at"] = loans["applied_at"] = pd.to_datetime(funded_us, unit="us", utc=True)
    states = pd.DataFrame({"loan_id": name[told.loan], "months_on_book": told.months_on_book})
    for amount in ("balance", "charged_off", "recovered"):
        states[amount] = getattr(told, amount) / 100
    states["days_past_due"], states["month"] = told.days_past_due, month[told.loan] + told.months_on_book
    days = {day: as_date(int(day)) for day in np.unique(told.as_of_day)}
    return loans, states.assign(as_of_day=pd.Series(told.as_of_day).map(days))


def _frame(spark: Any, table: Any, rows: pd.DataFrame, conf: Any) -> Any:
    wanted = schema(resolved(table, conf), with_day=False)
    frame = spark.createDataFrame(rows)
    return frame.select(
        *[(F.col(f.name) if f.name in rows else F.lit(None)).cast(f.dataType).alias(f.name) for f in wanted.fields]
    )


def _rows(seed: int, developed: pd.DataFrame, told: pd.DataFrame, loans: pd.DataFrame) -> list[Row]:
    whole = developed[developed["channel"] == "(all)"]
    ahead = whole[whole["maturity"] == "developed"]
    seen = whole[whole["maturity"] == "observed"].groupby(["vintage", "days_past_due"])
    last = seen.agg(age=("months_on_book", "max"), late=("late", "max"))
    names = loans["funded_at"].dt.strftime("%Y-%m")
    vintage = told["loan_id"].map(dict(zip(loans["loan_id"], names, strict=True)))
    in_time = told["months_on_book"] <= GOOD_MONTHS
    found = []
    for row in ahead.itertuples():
        key = (row.vintage, row.days_past_due)
        over = told[(vintage == row.vintage) & in_time & (told["days_past_due"] > row.days_past_due)]
        came, known = over["loan_id"].nunique(), int(last.loc[key, "late"]) if key in last.index else 0
        found.append(
            {
                "seed": seed,
                "days_past_due": int(row.days_past_due),
                "age": int(last.loc[key, "age"]) if key in last.index else 0,
                "loans": int(row.loans),
                "seen": known,
                "developed": float(row.rate),
                "lo": float(row.lo),
                "hi": float(row.hi),
                "came": came / row.loans,
            }
        )
    return found


def show(found: list[Row]) -> None:
    """Print a line a threshold and age: errors, intervals, how often known hazards by age would be within a tenth."""
    rows = pd.DataFrame(found)
    rows["off"] = (rows["developed"] / rows["came"] - 1).abs()
    rows["holds"] = (rows["lo"] <= rows["came"]) & (rows["came"] <= rows["hi"])
    left = rows["came"] * rows["loans"] - rows["seen"]
    rows["chance"] = 2 * norm.cdf(NEAR * rows["came"] * rows["loans"] / np.sqrt(np.maximum(left, 0.5))) - 1
    print(f"{'over':>5} {'seen to':>8} {'vintages':>9} {'rate':>7} {'seen':>6} {'off':>7} {'within 10 %':>12}", end="")
    print(f" {'knowing ages alone':>22} {'intervals hold':>15}")
    for (days, seen), mine in rows.groupby(["days_past_due", "age"]):
        print(
            f"{days:5} {seen:8} {len(mine):9} {mine['came'].mean():7.2%} {mine['seen'].mean():6.0f} "
            f"{mine['off'].mean():7.1%} {(mine['off'] <= NEAR).mean():12.0%} {mine['chance'].mean():22.0%} "
            f"{mine['holds'].sum():11} of {len(mine)}"
        )
