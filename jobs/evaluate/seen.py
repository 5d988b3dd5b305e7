"""What any policy may see of a world: what the chain has published, as frames for models that are no part of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from jobs.model.learners import Features
from jobs.model.person_features import APPLIED_BEFORE, MOST_BEFORE
from jobs.runtime import export
from jobs.runtime.store import Store
from segments.gates import CROWDED

FATES = ["prospect_key", "assigned_day", "snapshot_day", "channel", "role", "clicks", "is_applied", "is_funded"]
DECIDED = ["prospect_key", "applied_at", "is_approved", "is_funded", "is_late", "is_mature"]
MOST_ROWS = 500_000


@dataclass(frozen=True)
class Seen:
    """Candidates with their features in the newest snapshot, and labelled rows: of those sent with the features of
    their time, of the book with the newest.
    """

    features: Features
    candidates: pd.DataFrame  # index: prospect_key
    is_open: pd.DataFrame  # candidates x channels, bool
    sent: pd.DataFrame
    decided: pd.DataFrame
    is_crowded: NDArray[np.bool_]  # of the candidates: what they share with many gives a ring away
    history: pd.DataFrame  # index: prospect_key; what the candidates did before


def read_seen(warehouse: Path, day: date, features: Features, channels: list[str]) -> Seen:
    """Read what was published for a day."""
    own = Features(tuple(name for name in features.numeric if name != APPLIED_BEFORE), features.categorical)
    snapshots = _snapshots(warehouse, day, own)
    newest = snapshots[snapshots["snapshot_day"] == snapshots["snapshot_day"].max()].set_index("prospect_key")
    gates = _table(warehouse, "eligibility", day, ["prospect_key", "channel", "is_eligible", "reason"])
    # Telling rings by what they share is the product's own doing: nobody else is spared them.
    opened = gates[gates["is_eligible"] | (gates["reason"] == CROWDED)]
    grid = pair_grid(opened, channels)
    grid = grid[grid.index.isin(newest.index)]
    crowded = grid.index.isin(gates.loc[gates["reason"] == CROWDED, "prospect_key"])
    fates = _table(warehouse, "assignment_outcomes", day, FATES)
    fates = fates[(fates["channel"] != "none") & fates["is_applied"].notna()]
    decided = _table(warehouse, "matured_outcomes", day, DECIDED).dropna(subset=["prospect_key"])
    history = _history(fates, decided).reindex(grid.index).fillna(0.0)
    told = newest.loc[grid.index].reset_index().assign(asked_day=day)
    told = _applied_before(told, decided, "asked_day").set_index("prospect_key")
    fates = fates.sample(min(len(fates), MOST_ROWS), random_state=0).sort_index()
    sent = fates.merge(snapshots, on=["prospect_key", "snapshot_day"], how="inner")
    sent, decided = (_applied_before(sent, decided, "assigned_day"), _applied_before(decided, decided, "applied_at"))
    decided = decided.merge(newest.drop(columns="snapshot_day").reset_index(), on="prospect_key")
    return Seen(features, told[list(features.names)], grid, sent, decided, crowded, history)


def pair_grid(pairs: pd.DataFrame, channels: list[str]) -> pd.DataFrame:
    """Prospects, by key, x channels: whether the pair is there."""
    row, keys = pd.factorize(pairs["prospect_key"], sort=True)
    column = pd.Index(channels).get_indexer(pd.Index(pairs["channel"]))
    found = np.zeros((len(keys), len(channels)), dtype=bool)
    found[row[column >= 0], column[column >= 0]] = True
    return pd.DataFrame(found, index=pd.Index(keys, name="prospect_key"), columns=channels)


def _applied_before(rows: pd.DataFrame, decided: pd.DataFrame, day: str) -> pd.DataFrame:
    """The rows, in their order, with how often their prospect had applied before a day: as the product counts."""
    past = pd.DataFrame({"prospect_key": decided["prospect_key"], "_at": _days(decided["applied_at"])})
    past = past.sort_values("_at", kind="stable")
    past["_nth"] = past.groupby("prospect_key").cumcount() + 1.0
    asked = pd.DataFrame(
        {"prospect_key": rows["prospect_key"], "_at": _days(rows[day]), "_place": np.arange(len(rows))}
    )
    found = pd.merge_asof(
        asked.sort_values("_at", kind="stable"), past, on="_at", by="prospect_key", allow_exact_matches=False
    )
    count = np.zeros(len(rows))
    count[found["_place"]] = found["_nth"].fillna(0.0)
    return rows.assign(**{APPLIED_BEFORE: np.minimum(count, MOST_BEFORE)})


def _days(moments: pd.Series[Any]) -> pd.Series[Any]:
    return pd.to_datetime(moments, utc=True).dt.floor("D").dt.tz_localize(None).astype("datetime64[us]")


def _history(sent: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """What people did before: clicks and listings by channel, earlier applications and approvals."""
    clicks = sent.pivot_table(index="prospect_key", columns="channel", values="clicks", aggfunc="sum")
    listed = sent.pivot_table(index="prospect_key", columns="channel", values="clicks", aggfunc="count")
    past = decided.groupby("prospect_key").agg(applications=("applied_at", "count"), approvals=("is_approved", "sum"))
    parts = [clicks.add_prefix("clicks_"), listed.add_prefix("listed_"), past]
    return pd.concat(parts, axis=1).astype(np.float64)


def _snapshots(warehouse: Path, day: date, features: Features) -> pd.DataFrame:
    """Every prospects snapshot up to a day, categories as such."""
    days = [known for known in Store(warehouse).days("prospects") if known <= day]
    parts = []
    for known in days:
        found = export.find(warehouse, "prospects", known)
        columns = ["prospect_key", *features.names]
        table = pa.Table.from_batches(list(found.batches()), schema=found.schema).select(columns)
        parts.append(table.append_column("snapshot_day", pa.array([known] * table.num_rows, pa.date32())))
    frame = pa.concat_tables(parts).to_pandas()
    for name in features.numeric:
        frame[name] = pd.to_numeric(frame[name], errors="coerce").astype(np.float64)
    kinds: dict[str, str] = dict.fromkeys(features.categorical, "category")
    return pd.DataFrame(frame.astype(kinds))


def _table(warehouse: Path, name: str, day: date, columns: list[str]) -> pd.DataFrame:
    found = export.find(warehouse, name, day)
    table = pa.Table.from_batches(list(found.batches()), schema=found.schema)
    return pd.DataFrame({column: table.column(column).to_pandas() for column in columns})
