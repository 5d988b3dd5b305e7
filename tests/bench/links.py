"""How many applications are linked to a click, beside how many the truth says were clicked before, market by market."""

from __future__ import annotations

import argparse
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "storms"))
import chain
import numpy as np
import pandas as pd
import pyarrow.dataset as ds

from jobs.ingest import INGEST
from jobs.market.calendar import DAY_US, day_of, month_of
from jobs.market.columns import hex_bytes, text
from jobs.market.conf import read_market_conf
from jobs.market.history import new_market
from jobs.market.identities import Identities
from jobs.market.ledger import read_ledger
from jobs.market.world import World
from jobs.measure.credit import credited_touch
from jobs.registry import jobs
from jobs.runtime.conf import load_conf
from jobs.runtime.keys import load_keys
from jobs.runtime.session import spark_session
from jobs.runtime.shell import Shell
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES

Row = dict[str, Any]
LINKED = ("people", "linked_touches", "matured_outcomes")


def add(options: argparse.ArgumentParser) -> None:
    """The options of `links`."""
    options.add_argument("--people", type=int, default=20_000)
    options.add_argument("--seeds", default="301,302,303")


def run_links(asked: argparse.Namespace) -> list[Row]:
    """Two rows a world (applications, funded): clicked before in truth, credited to a click, and to a right one."""
    conf = load_conf(chain.ROOT / "conf")
    folder = asked.folder.resolve() / "links"
    spark, found = spark_session(conf.base.spark, folder / "scratch"), []
    for seed in (int(one) for one in asked.seeds.split(",")):
        place = folder / f"{asked.people}-{seed}"
        shutil.rmtree(place, ignore_errors=True)
        market = read_market_conf(chain.ROOT / "conf" / "market.yaml", people=asked.people, seed=seed)
        # Rows of the last days land later, some twice: by then they all have.
        day = new_market(market, place / "landing", place / "truth", lambda line: None).history_end + timedelta(days=1)
        shell = Shell(place / "warehouse", place / "landing", conf, load_keys(place / "warehouse"), spark)
        for one in INGEST.values():
            shell.run_landing(one, day)
        for name in [name for name in jobs() if name in LINKED]:
            shell.run(jobs()[name], day)
        outcomes, touches = (shell.read(table, "day", day) for table in (MATURED_OUTCOMES, LINKED_TOUCHES))
        told = credited_touch(outcomes, touches, [], conf.base.measure).select(
            "application_id", "is_funded", "_touch.touch_id"
        )
        found += _rows(seed, World(market), place, told.toPandas(), conf.base.measure.click_days)
        shutil.rmtree(place)
        print(f"seed {seed}: linked", file=sys.stderr)
    spark.stop()
    return found


def _rows(seed: int, world: World, place: Path, told: pd.DataFrame, click_days: int) -> list[Row]:
    ledger = read_ledger(place / "truth" / "ledger.parquet")
    number = world.dice.words("application", ledger.person, ledger.applied_us)
    names = text(len(ledger), "a", hex_bytes(number)).to_pylist()
    made = pd.DataFrame({"application_id": names, "person": ledger.person, "at": ledger.applied_us})
    clicks = _clicks(world, place / "landing")
    known = told.merge(made, on="application_id", how="left", validate="one_to_one")
    both = known[["application_id", "person", "at"]].merge(clicks[["person", "click_us"]], on="person")
    in_time = (both["click_us"] > both["at"] - click_days * DAY_US) & (both["click_us"] <= both["at"])
    clicked = set(both.loc[in_time, "application_id"])
    whose = clicks.set_index("touch_id")["person"]
    known["is_clicked"] = known["application_id"].isin(clicked)
    known["is_credited"] = known["touch_id"].notna()
    known["is_right"] = known["touch_id"].map(whose).eq(known["person"])
    found = []
    for name, part in (("applications", known), ("funded", known[known["is_funded"].eq(True)])):
        sums = {column: int(part[f"is_{column}"].sum()) for column in ("clicked", "credited", "right")}
        found.append({"seed": seed, "of": name, "all": len(part), **sums})
    return found


def _clicks(world: World, landing: Path) -> pd.DataFrame:
    """Every click once, with the person who made it, by the identifiers that the market gave."""
    columns = ["touch_id", "occurred_at", "kind", "id_phone", "id_phone_sha256", "id_cookie"]
    rows = ds.dataset(landing / "touches", partitioning=None).to_table(columns=columns).to_pandas()
    rows = rows[rows["kind"] == "click"].drop_duplicates("touch_id")
    rows["click_us"] = rows["occurred_at"].astype("datetime64[us, UTC]").astype("int64")
    ids, who = Identities(world), np.arange(world.people.count)
    owner: dict[str, int] = {}
    for column in ids.contact(who).values():
        owner |= {value: person for person, value in enumerate(column.to_pylist()) if value is not None}
    for month in np.unique(month_of(day_of(rows["click_us"].to_numpy()))):
        owner |= {value: person for person, value in enumerate(ids.cookie(who, int(month)).to_pylist())}
    value = rows["id_cookie"].fillna(rows["id_phone"]).fillna(rows["id_phone_sha256"])
    person = value.map(owner)
    assert person.notna().all(), "a click by nobody"
    return rows.assign(person=person.astype("int64"))


def show(found: list[Row]) -> None:
    """Print the table."""
    print(f"{'seed':>5} {'of':>13} {'all':>8} {'clicked before':>15} {'credited':>16} {'of the right person':>20}")
    for row in found:
        could, did = row["clicked"] / row["all"], row["credited"] / row["all"]
        right = row["right"] / row["credited"] if row["credited"] else float("nan")
        print(
            f"{row['seed']:5} {row['of']:>13} {row['all']:8,} {row['clicked']:7,} ({could:5.1%}) "
            f"{row['credited']:8,} ({did:5.1%}) {right:20.2%}"
        )
