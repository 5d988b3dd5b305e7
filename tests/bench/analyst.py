"""What a competent analyst would write instead: one file of pandas and boosted models, cheapest customer first.

    python tests/bench/analyst.py LANDING CAPACITY.json --good 20 --out list.parquet

Reads the same landing files (Parquet), takes a person put on a list for a person reached, and an
application within 14 days for one the list won. Writes the list in the order it was filled: prospect_id, channel,
expected_cost, expected_good.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
from sklearn.ensemble import HistGradientBoostingClassifier

WINDOW = pd.Timedelta(days=14)
IDENTIFIERS = ("phone", "email", "device", "cookie")
MOST_ROWS = 600_000


def read(landing: Path, table: str, columns: list[str] | None = None) -> pd.DataFrame:
    """All landed days of a table; the latest row of each key is the analyst's to choose."""
    found = ds.dataset(landing / table, format="parquet", partitioning="hive")
    names = [name for name in found.schema.names if columns is None or name in columns or name == "day"]
    return found.to_table(columns=names).to_pandas()


def digests(rows: pd.DataFrame, kind: str) -> pd.Series:
    """One column of hashed identifiers out of the raw and the hashed one."""
    raw = rows.get(f"id_{kind}", pd.Series(None, index=rows.index, dtype=object))
    hashed = rows.get(f"id_{kind}_sha256", pd.Series(None, index=rows.index, dtype=object))
    made = raw.map(lambda value: hashlib.sha256(value.encode()).hexdigest(), na_action="ignore")
    return made.where(made.notna(), hashed)


def link(rows: pd.DataFrame, prospects: pd.DataFrame) -> pd.Series:
    """The prospect behind each row: the first identifier that knows one."""
    found = pd.Series(None, index=rows.index, dtype=object)
    for kind in IDENTIFIERS:
        known = pd.Series(prospects["prospect_id"].to_numpy(), index=digests(prospects, kind))
        known = known[known.index.notna()]
        known = known[~known.index.duplicated()]
        found = found.where(found.notna(), digests(rows, kind).map(known))
    return found


def features(prospects: pd.DataFrame) -> pd.DataFrame:
    """Everything about a prospect that is no identifier, categories as such."""
    plain = [name for name in prospects if not name.startswith("id_") and name not in ("prospect_id", "day")]
    made = prospects.set_index("prospect_id")[plain].copy()
    made["registered_at"] = made["registered_at"].astype("int64") / 8.64e13
    for name in made:
        if made[name].dtype == object or str(made[name].dtype) in ("category", "str"):
            made[name] = made[name].astype("category")
    return made


def fit(x: pd.DataFrame, y: np.ndarray) -> HistGradientBoostingClassifier:
    """A boosted model with early stopping; the categories are the frame's own."""
    model = HistGradientBoostingClassifier(
        learning_rate=0.06, max_leaf_nodes=15, min_samples_leaf=100, categorical_features="from_dtype",
        early_stopping=len(y) > 2000 and y.sum() > 50, random_state=0,
    )  # fmt: skip
    return model.fit(x, y)


def chance(model: HistGradientBoostingClassifier, x: pd.DataFrame) -> np.ndarray:
    """The model's probability of yes; a model that saw only one answer repeats it."""
    if len(model.classes_) == 1:
        return np.full(len(x), float(model.classes_[0]))
    return model.predict_proba(x)[:, 1]


def labelled_lists(landing: Path, prospects: pd.DataFrame) -> pd.DataFrame:
    """One row a person put on a list: clicked and applied within 14 days."""
    lists = read(landing, "assignments", ["prospect_id", "assigned_day", "channel"])
    lists = lists[lists["channel"] != "none"].drop(columns="day").drop_duplicates()
    lists["from"] = pd.to_datetime(lists["assigned_day"], utc=True)
    lists = lists.reset_index(drop=True)
    lists["list"] = lists.index
    columns = [f"id_{kind}{end}" for kind in IDENTIFIERS for end in ("", "_sha256")]
    touches = read(landing, "touches", ["touch_id", "occurred_at", "channel", "kind", *columns])
    touches = touches[touches["kind"] == "click"].drop_duplicates("touch_id")
    applied = read(landing, "applications", ["application_id", "applied_at", *columns]).drop_duplicates(
        "application_id"
    )
    for name, rows, at, keys in (
        ("clicked", touches, "occurred_at", ["prospect_id", "channel"]),
        ("applied", applied, "applied_at", ["prospect_id"]),
    ):
        rows = rows.assign(prospect_id=link(rows, prospects)).dropna(subset=["prospect_id"])
        both = lists.merge(rows[[*keys, at]], on=keys)
        inside = both[(both[at] >= both["from"]) & (both[at] < both["from"] + WINDOW)]
        lists[name] = lists["list"].isin(inside["list"])
    return lists


def labelled_book(landing: Path, prospects: pd.DataFrame) -> pd.DataFrame:
    """One row an application: approved, funded, and late where its loan is a year old."""
    book = read(landing, "applications").sort_values("day").drop_duplicates("application_id", keep="last")
    book["prospect_id"] = link(book, prospects)
    loans = read(landing, "loans", ["loan_id", "application_id"]).drop_duplicates("loan_id")
    paid = read(landing, "repayments", ["loan_id", "months_on_book", "days_past_due"])
    loans = loans.merge(
        paid.groupby("loan_id").agg(age=("months_on_book", "max"), worst=("days_past_due", "max")).reset_index()
    )
    book = book.merge(loans[["application_id", "age", "worst"]], on="application_id", how="left")
    book["is_approved"] = book["decision"] == "approved"
    book["is_funded"] = book["age"].notna()
    book["is_late"] = np.where(book["age"] >= min(12, book["age"].max()), book["worst"] > 90, np.nan)
    return book.dropna(subset=["prospect_id"])


def contactable(landing: Path, prospects: pd.DataFrame) -> pd.DataFrame:
    """The prospects nothing in force forbids to contact."""
    forbidden = read(landing, "suppressions")
    until = forbidden.get("until_at", pd.Series(pd.NaT, index=forbidden.index))
    day = pd.Timestamp(str(forbidden["day"].max()), tz="UTC")
    forbidden = forbidden[until.isna() | (pd.to_datetime(until, utc=True) > day)]
    return prospects[~prospects["prospect_id"].isin(set(link(forbidden, prospects).dropna()))]


def cost_per_listed(landing: Path, lists: pd.DataFrame) -> pd.Series:
    """Money spent a person put on a list, by channel, in base currency."""
    spend = read(landing, "spend").sort_values("day")
    key = ["spend_day", "channel", "campaign", "ad_group", "creative"]
    spend = spend.drop_duplicates(key, keep="last")
    cost = spend["cost"].astype(float)
    if (landing / "fx_rates").exists():
        rates = read(landing, "fx_rates").groupby("currency")["rate"].mean().astype(float)
        cost = cost * spend["currency"].map(rates).fillna(1.0)
    return cost.groupby(spend["channel"]).sum() / lists.groupby("channel").size()


def plan(landing: Path, capacity: dict[str, int], good: float) -> pd.DataFrame:
    """The list: people by expected cost of a good customer, cheapest first, until enough are expected."""
    prospects = read(landing, "prospects").sort_values("day").drop_duplicates("prospect_id", keep="last")
    seen = features(prospects)
    lists, book = labelled_lists(landing, prospects), labelled_book(landing, prospects)
    cost = cost_per_listed(landing, lists)
    channels = sorted(cost.index)
    rows = lists[lists["prospect_id"].isin(seen.index)]
    rows = rows.sample(min(len(rows), MOST_ROWS), random_state=0)
    x = seen.loc[rows["prospect_id"]].reset_index(drop=True)
    x["channel"] = pd.Categorical(rows["channel"], categories=channels)
    click = fit(x, rows["clicked"].to_numpy())
    who = rows["clicked"].to_numpy()
    apply = fit(x[who], rows["applied"].to_numpy()[who])
    book = book[book["prospect_id"].isin(seen.index)]
    credit = seen.loc[book["prospect_id"]].reset_index(drop=True)
    approved, funded = book["is_approved"].to_numpy(), book["is_funded"].to_numpy()
    aged = book["is_late"].notna().to_numpy()
    approve = fit(credit, approved)
    fund = fit(credit[approved], funded[approved])
    late = fit(credit[aged], book["is_late"].to_numpy()[aged].astype(bool))

    seen = seen.loc[contactable(landing, prospects)["prospect_id"]]
    fates = chance(approve, seen) * chance(fund, seen) * (1.0 - chance(late, seen))
    wins = np.empty((len(seen), len(channels)))
    for place, channel in enumerate(channels):
        here = seen.assign(channel=pd.Categorical([channel] * len(seen), categories=channels))
        wins[:, place] = chance(click, here) * chance(apply, here) * fates
    paid = np.broadcast_to(cost[channels].to_numpy(), wins.shape)
    order = np.argsort((paid / np.maximum(wins, 1e-12)).ravel(), kind="stable")
    room = np.array([capacity.get(channel, 0) for channel in channels])
    free, taken, total = np.ones(len(seen), dtype=bool), [], 0.0
    for pair in order:
        person, place = divmod(int(pair), len(channels))
        if free[person] and room[place] > 0:
            free[person] = False
            room[place] -= 1
            taken.append(pair)
            total += wins[person, place]
            if total >= good:
                break
    person, place = np.divmod(np.array(taken, dtype=np.int64), len(channels))
    return pd.DataFrame(
        {
            "prospect_id": seen.index.to_numpy()[person],
            "channel": np.array(channels)[place],
            "expected_cost": paid[person, place],
            "expected_good": wins[person, place],
        }
    )


def main() -> None:
    """Plan, write the list, say what it promises and what it took."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("landing", type=Path)
    options.add_argument("capacity", type=Path, help="people a wave by channel, as JSON")
    options.add_argument("--good", type=float, required=True, help="good customers wanted")
    options.add_argument("--out", type=Path, required=True)
    asked = options.parse_args()
    started = time.perf_counter()
    chosen = plan(asked.landing, json.loads(asked.capacity.read_text(encoding="utf-8")), asked.good)
    chosen.to_parquet(asked.out)
    said = {
        "people": len(chosen),
        "expected_spend": round(float(chosen["expected_cost"].sum()), 2),
        "expected_good": round(float(chosen["expected_good"].sum()), 3),
        "seconds": round(time.perf_counter() - started, 1),
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
