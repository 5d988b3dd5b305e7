"""How well prospect rows are put together to people, on a market whose truth is known, and what that takes."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "storms"))
import chain
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from jobs.ingest import INGEST
from jobs.link.identifiers import STRONG
from jobs.market.calendar import as_date
from jobs.market.conf import read_market_conf
from jobs.market.identities import Identities
from jobs.market.people_rows import prospect_records, prospects_snapshot, snapshot_days
from jobs.market.truth import prospect_ids
from jobs.market.world import World
from jobs.registry import jobs
from jobs.runtime.conf import load_conf
from jobs.runtime.keys import load_keys, sha256
from jobs.runtime.session import spark_session
from jobs.runtime.shell import Shell
from jobs.tables.link import PEOPLE

Row = dict[str, Any]


def add(options: argparse.ArgumentParser) -> None:
    """The options of `identity`."""
    options.add_argument("--people", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--snapshots", type=int, default=2, help="of the market's, the newest")


def run_identity(asked: argparse.Namespace) -> list[Row]:
    """One row: pairs of rows that are one person, found, wrongly found and linkable at all; seconds of the job."""
    conf = load_conf(chain.ROOT / "conf")
    place = asked.folder.resolve() / "identity" / f"{asked.people}-{asked.seed}"
    shutil.rmtree(place, ignore_errors=True)
    world = World(read_market_conf(chain.ROOT / "conf" / "market.yaml", people=asked.people, seed=asked.seed))
    records = prospect_records(world, Identities(world))
    days = snapshot_days(world)[-asked.snapshots :]
    for day in days:
        folder = place / "landing" / "prospects" / f"day={as_date(day).isoformat()}"
        folder.mkdir(parents=True)
        pq.write_table(prospects_snapshot(world, Identities(world), records, day), folder / "all.parquet")
    spark = spark_session(conf.base.spark, place / "scratch")
    keys = load_keys(place / "warehouse")
    shell = Shell(place / "warehouse", place / "landing", conf, keys, spark)
    today = as_date(days[-1])
    shell.run_landing(INGEST["prospects"], today)
    started = time.perf_counter()
    shell.run(jobs()["people"], today)
    took = time.perf_counter() - started
    found = shell.read(PEOPLE, "day", today).select("prospect_key", "person_key").toPandas()
    nationals = _nationals(records, found, keys)
    spark.stop()
    told = _pairs(_truth(world, records, keys), found)
    return [{"people": asked.people, "rows": len(found), "seconds": took, "two_nationals": nationals, **told}]


def _truth(world: World, records: pa.Table, keys: Any) -> pd.DataFrame:
    """prospect_key, the person, and the group of the person's rows that shared identifiers tie together."""
    person = np.asarray(world.prospects)
    rows = np.arange(len(person))
    ends = [_shared(records, name, person) for name in _strong(records)]
    both = np.concatenate(ends) if ends else np.empty((0, 2), dtype=np.int64)
    ties = coo_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(len(rows), len(rows)))
    group = connected_components(ties, directed=False)[1]
    ids = prospect_ids(rows).to_pylist()
    return pd.DataFrame(
        {"prospect_key": [keys.pseudonym("prospect", one) for one in ids], "person": person, "tied": group}
    )


def _strong(records: pa.Table) -> list[str]:
    """Columns of identifiers that may tie rows together."""
    return [name for name in records.column_names if name.removeprefix("id_").removesuffix("_sha256") in STRONG]


def _shared(records: pa.Table, name: str, person: Any) -> Any:
    """Pairs of one person's rows with the same identifier."""
    told = pd.DataFrame({"value": records[name].to_pandas(), "person": person}).dropna()
    first = told.reset_index().groupby(["value", "person"])["index"].transform("min").to_numpy()
    return np.column_stack([told.index.to_numpy(), first])


def _pairs(truth: pd.DataFrame, found: pd.DataFrame) -> Row:
    both = truth.merge(found, on="prospect_key")
    pairs = lambda *names: int((n := both.groupby(list(names)).size().to_numpy(dtype=np.int64)) @ (n - 1) // 2)  # noqa: E731
    right, said, linkable = pairs("person", "person_key"), pairs("person_key"), pairs("person", "tied")
    return {
        "pairs": pairs("person"),
        "linkable": linkable,
        "found": said,
        "precision": right / said if said else 1.0,
        "recall_of_linkable": pairs("person", "tied", "person_key") / linkable if linkable else 1.0,
    }


def _nationals(records: pa.Table, found: pd.DataFrame, keys: Any) -> int:
    """People with two national identifiers."""
    told = records.select(["prospect_id", "id_national"]).to_pandas().dropna()
    told["prospect_key"] = [keys.pseudonym("prospect", one) for one in told["prospect_id"]]
    told["national"] = [sha256(one) for one in told["id_national"]]
    each = told.merge(found, on="prospect_key").groupby("person_key")["national"].nunique()
    return int((each > 1).sum())


def show(found: list[Row]) -> None:
    """Print the table."""
    print(f"{'people':>10} {'rows':>10} {'pairs':>8} {'linkable':>9} {'precision':>10} {'recall':>8} {'seconds':>8}")
    for row in found:
        print(
            f"{row['people']:10,} {row['rows']:10,} {row['pairs']:8,} {row['linkable']:9,} {row['precision']:10.5f} "
            f"{row['recall_of_linkable']:8.5f} {row['seconds']:8.1f}   two national identifiers: {row['two_nationals']}"
        )
