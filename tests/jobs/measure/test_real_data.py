"""Real ads and real paths through the jobs: totals to the cent, credits and removal effects as published."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jobs.measure.channel_costs import channel_costs
from jobs.measure.channel_credits import channel_credits
from jobs.measure.daily_costs import daily_costs
from jobs.measure.spend_ledger import spend_ledger
from jobs.runtime import frames
from jobs.tables.activate import AUDIENCES
from jobs.tables.ingest import FX_RATES, SPEND
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES, PEOPLE
from jobs.tables.measure.loans import LOAN_RESULTS

AT, DAY = datetime(2025, 3, 1, 12, tzinfo=UTC), date(2025, 6, 1)
# Credits of the sample by model, from an exact reading of the same file.
PUBLISHED = {
    "alpha": (6308, 8447, 7574.719, 7627.944, 7444.824, 0.558399),
    "beta": (2831, 989, 2083.500, 1982.739, 1969.766, 0.264039),
    "delta": (1, 5, 1.725, 2.293, 2.587, 0.000482),
    "epsilon": (99, 531, 272.170, 374.677, 301.050, 0.062639),
    "eta": (3164, 4167, 3539.951, 3613.656, 3618.796, 0.349026),
    "gamma": (165, 92, 121.042, 138.186, 125.241, 0.017880),
    "iota": (4606, 3355, 3857.096, 3505.044, 3944.948, 0.405835),
    "kappa": (74, 230, 137.964, 159.057, 147.460, 0.028663),
    "lambda": (902, 1207, 1035.258, 987.782, 1046.904, 0.134022),
    "mi": (2, 2, 2.222, 2.667, 2.057, 0.000180),
    "theta": (1606, 653, 1022.801, 1190.963, 1092.744, 0.206010),
    "zeta": (27, 107, 136.552, 199.992, 88.623, 0.039811),
}
MODELS = ("first", "last", "linear", "linear_unique", "position")


@pytest.fixture(scope="module")
def folder() -> Path:
    told = os.environ.get("HUOKE_REAL_DATA")
    if not told:
        pytest.skip("HUOKE_REAL_DATA is not set; it names the folder of the real files")
    return Path(told)


@pytest.fixture
def typed(spark: Any, conf: Any, tmp_path: Path) -> Any:
    """A Spark frame of a table from columns, without a Python row a row."""

    def make(table: Any, columns: dict[str, Any]) -> Any:
        file = tmp_path / f"{table.name}.parquet"
        pd.DataFrame(columns).to_parquet(file, coerce_timestamps="us", allow_truncated_timestamps=True)
        found = spark.read.parquet(str(file))
        wanted = frames.schema(frames.resolved(table, conf), with_day=False)
        blank = [
            f"cast(null as {f.dataType.simpleString()}) as {f.name}" for f in wanted if f.name not in found.columns
        ]
        return found.selectExpr("*", *blank).select(
            *[found[f.name].cast(f.dataType) if f.name in found.columns else f.name for f in wanted]
        )

    return make


def test_ads_cost_to_the_cent_what_they_cost(folder: Path, rows: Any, make_shell: Any, conf: Any) -> None:
    ads = pd.read_csv(folder / "kag_facebook_ads.csv.gz")
    place = [
        {"channel": "feed_a", "campaign": str(ad.xyz_campaign_id), "ad_group": str(ad.fb_campaign_id)}
        for ad in ads.itertuples()
    ]
    spend = [
        {
            **where,
            "spend_day": AT.date(),
            "creative": str(ad.ad_id),
            "cost": Decimal(f"{ad.Spent:.2f}"),
            "currency": "CNY",
            "impressions": ad.Impressions,
            "clicks": ad.Clicks,
            "platform_conversions": float(ad.Total_Conversion),
        }
        for where, ad in zip(place, ads.itertuples(), strict=True)
    ]
    touches, outcomes = [], []
    for where, ad in zip(place, ads.itertuples(), strict=True):
        for i in range(ad.Total_Conversion):
            click = f"{ad.ad_id}-{i}"
            touches.append({"touch_id": click, "id_click_key": click, "occurred_at": AT, "kind": "click", **where})
            is_approved = i < ad.Approved_Conversion
            told = {"is_approved": is_approved, "is_funded": False, "is_good": False, "applied_at": AT}
            outcomes.append({"application_id": click, "id_click_key": click, **told})
    landed = rows(SPEND, spend)
    ledger = spend_ledger(landed, landed, rows(FX_RATES, []), conf=conf, shell=make_shell())
    daily = daily_costs(
        ledger,
        rows(LINKED_TOUCHES, touches),
        rows(MATURED_OUTCOMES, outcomes),
        rows(LOAN_RESULTS, []),
        rows(PEOPLE, []),
        rows(AUDIENCES, []),
        day=DAY,
        conf=conf,
        shell=make_shell(),
    )
    costs = channel_costs(daily, day=DAY, conf=conf).toPandas()
    assert costs["spend_minor"].sum() == 5_870_523
    assert (costs["applications"].sum(), costs["approvals"].sum()) == (3264, 1079)
    assert "(unattributed)" not in set(costs["channel"])
    campaigns = costs.groupby("campaign")[["spend_minor", "approvals"]].sum()
    each = campaigns["spend_minor"] / 100 / campaigns["approvals"]
    assert each.round(2).to_dict() == {"916": 6.24, "936": 15.81, "1178": 63.83}


def test_paths_are_credited_as_published(folder: Path, typed: Any, make_shell: Any, conf: Any) -> None:
    file = pd.read_csv(folder / "channel_paths.csv.gz")
    won, lost = (file[name].to_numpy(dtype="int64") for name in ("total_conversions", "total_null"))
    journey = np.repeat(np.arange(len(file)), won + lost)
    place = np.arange(len(journey)) - np.repeat(np.concatenate([[0], np.cumsum(won + lost)[:-1]]), won + lost)
    is_won = place < won[journey]
    split = file["path"].str.split(" > ")
    steps = np.concatenate([np.arange(n) for n in split.str.len().to_numpy()[journey]])
    who = np.repeat(np.arange(len(journey)), split.str.len().to_numpy()[journey])
    touches = {
        "touch_id": [f"{w}-{s:03d}" for w, s in zip(who, steps, strict=True)],
        "person_key": who.astype(str),
        "occurred_at": pd.Timestamp(AT) + pd.to_timedelta(steps, unit="s"),
        "channel": np.concatenate([np.array(split.iloc[j]) for j in journey]),
        "campaign": "c",
        "kind": "click",
    }
    # Value in millionths, over a path's conversions by largest remainder.
    worth = (file["total_conversion_value"] * 10**6).round().to_numpy(dtype="int64")
    share = worth[journey] // np.maximum(won[journey], 1) + (place < worth[journey] % np.maximum(won[journey], 1))
    outcomes = {
        "application_id": np.flatnonzero(is_won).astype(str),
        "person_key": np.flatnonzero(is_won).astype(str),
        "applied_at": pd.Timestamp(AT) + pd.Timedelta(days=1),
        "is_approved": True,
        "is_funded": True,
        "principal_minor": share[is_won],
    }
    frames_ = (typed(LINKED_TOUCHES, touches), typed(MATURED_OUTCOMES, outcomes))
    credits, effects = channel_credits(*frames_, conf=conf, shell=make_shell())
    found = credits.where("stage = 'fund'").groupBy("model", "channel").sum("funded", "principal_minor").toPandas()
    totals = found.groupby("model")[["sum(funded)", "sum(principal_minor)"]].sum()
    assert set(totals["sum(funded)"]) == {19_785}
    assert set(totals["sum(principal_minor)"]) == {worth.sum()}
    assert round(worth.sum() / 10**6, 3) == 74_802.972
    counted = found.set_index(["model", "channel"])["sum(funded)"].astype(float)
    lost_without = effects[(effects["stage"] == "fund") & (effects["model"] == "markov_1")].set_index("channel")
    for channel, published in PUBLISHED.items():
        told = [counted.get((model, channel), 0.0) for model in MODELS] + [lost_without.loc[channel, "effect"]]
        assert told[:5] == pytest.approx(published[:5], abs=5.1e-4), channel
        assert told[5] == pytest.approx(published[5], abs=5.1e-7), channel
    chains = effects[(effects["stage"] == "fund") & effects["effect"].notna()]
    base = chains.groupby("model")["base_conversion"].first()
    assert base.tolist() == pytest.approx([19_785 / (19_785 + 68_602)] * 3, rel=1e-12)
