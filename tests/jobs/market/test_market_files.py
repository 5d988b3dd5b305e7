"""A market's landing files against the landing contract, written down here a second time on purpose."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from market_fixtures import digest, small_conf

from jobs.market.conf import MarketConf
from jobs.market.history import new_market
from jobs.runtime.errors import UsageError

S, I, F, B = pa.string(), pa.int64(), pa.float64(), pa.bool_()  # noqa: E741
T, D, M = pa.timestamp("us", tz="UTC"), pa.date32(), pa.decimal128(18, 2)
CONTACT = {"id_phone": S, "id_phone_sha256": S, "id_email": S, "id_email_sha256": S}
CONTRACT: dict[str, tuple[list[str], dict[str, pa.DataType]]] = {
    "assignments": (
        ["prospect_id", "assigned_day", "channel"],
        {"prospect_id": S, "assigned_day": D, "channel": S, "propensity": F, "policy": S, "role": S, "audience": S},
    ),
    "creatives": (
        ["creative", "channel"],
        {"creative": S, "channel": S, "placement": S, "format": S, "first_day": D},
    ),
    "touches": (
        ["touch_id"],
        {"touch_id": S, "occurred_at": T, "channel": S, "campaign": S, "kind": S, "ad_group": S, "creative": S,
         "placement": S, "id_device": S, "id_cookie": S, "id_click": S},
    ),
    "spend": (
        ["spend_day", "channel", "campaign", "ad_group", "creative"],
        {"spend_day": D, "channel": S, "campaign": S, "ad_group": S, "creative": S, "cost": M, "currency": S,
         "impressions": I, "clicks": I, "platform_conversions": I},
    ),
    "applications": (
        ["application_id"],
        {"application_id": S, "applied_at": T, "partner": S, "product": S, "amount": M, "currency": S, "decision": S,
         "decided_at": T, "credit_limit": M, "apr": F, "place": S, "ip": S, "background_hash": S, "id_phone": S},
    ),
    "loans": (
        ["loan_id"],
        {"loan_id": S, "application_id": S, "funded_at": T, "principal": M, "currency": S, "partner": S, "apr": F,
         "term_months": I},
    ),
    "repayments": (
        ["loan_id", "as_of_day"],
        {"loan_id": S, "as_of_day": D, "months_on_book": I, "days_past_due": I, "balance": M, "currency": S,
         "past_due": M, "charged_off": M, "recovered": M, "is_confirmed_fraud": B},
    ),
    "consents": (
        [],
        {**CONTACT, "purpose": S, "channel": S, "is_granted": B, "from_at": T, "until_at": T, "evidence": S},
    ),
    "suppressions": ([], {**CONTACT, "reason": S, "from_at": T, "until_at": T}),
    "deliveries_reported": (
        ["channel", "audience", "reported_day"],
        {"channel": S, "audience": S, "reported_day": D, "campaign": S, "ad_group": S, "uploaded": I, "matched": I,
         "status": S, "message": S},
    ),
    "fx_rates": (["rate_day", "currency"], {"rate_day": D, "currency": S, "rate": F}),
    "prospects": (["prospect_id"], {"prospect_id": S, "region": S, "registered_at": T, **CONTACT}),
}  # fmt: skip
REQUIRED = {
    "touches": ["occurred_at", "channel", "campaign", "kind"],
    "spend": ["spend_day", "channel", "campaign", "cost", "currency"],
    "applications": ["applied_at"],
    "loans": ["application_id", "funded_at", "principal", "currency"],
    "repayments": ["months_on_book", "days_past_due", "balance", "currency"],
    "consents": ["purpose", "channel", "is_granted", "from_at"],
    "suppressions": ["reason", "from_at"],
    "assignments": ["role"],
    "fx_rates": ["rate"],
}
Market = tuple[MarketConf, Path, Path]


def landed(landing: Path, table: str) -> pd.DataFrame:
    parts = []
    for path in sorted((landing / table).glob("day=*/*.parquet")):
        frame = pq.read_table(path).to_pandas()
        frame["landed"] = pd.Timestamp(path.parent.name.removeprefix("day="))
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("table", sorted(CONTRACT))
def test_every_file_keeps_the_contract(small_market: Market, table: str) -> None:
    conf, landing, _ = small_market
    key, types = CONTRACT[table]
    files = sorted((landing / table).glob("day=*/*.parquet"))
    assert files
    schemas = {pq.read_schema(path).remove_metadata() for path in files}
    assert len(schemas) == 1
    found = {field.name: field.type for field in schemas.pop()}
    assert {name: found.get(name) for name in types} == types
    frame = landed(landing, table)
    assert frame["landed"].max() <= pd.Timestamp(conf.history_end)
    assert not frame[REQUIRED.get(table, [])].isna().any().any()
    if key and table != "touches":
        assert not frame.duplicated([*key, "landed"]).any()
        must = [name for name in key if name not in ("ad_group", "creative")]
        assert not frame[must].isna().any().any()


def test_touches_repeat_only_as_planted(small_market: Market) -> None:
    conf, landing, _ = small_market
    frame = landed(landing, "touches")
    twice = frame[frame.duplicated("touch_id", keep=False)].drop(columns="landed")
    share = len(twice) / 2 / frame["touch_id"].nunique()
    assert 0.3 * conf.duplicated_postbacks < share < 2 * conf.duplicated_postbacks
    assert len(twice.drop_duplicates()) == twice["touch_id"].nunique()


def test_rows_land_after_they_are_known_and_corrections_after_what_they_correct(small_market: Market) -> None:
    _, landing, _ = small_market
    applications = landed(landing, "applications")
    assert (applications["landed"].dt.tz_localize("UTC") > applications["applied_at"]).all()
    decided = applications[applications["decided_at"].notna()]
    assert (decided["landed"].dt.tz_localize("UTC") > decided["decided_at"]).all()
    versions = applications.sort_values(["application_id", "landed"])
    corrected = versions[versions.duplicated("application_id", keep=False)]
    assert len(corrected) > 0
    assert (corrected.groupby("application_id")["decision"].first() == "pending").all()
    assert (corrected.groupby("application_id")["decision"].last() != "pending").all()
    spend = landed(landing, "spend")
    key = ["spend_day", "channel", "campaign", "ad_group", "creative"]
    assert spend.duplicated(key).any(), "no spend row was restated"
    touches = landed(landing, "touches")
    assert (touches["landed"].dt.tz_localize("UTC") > touches["occurred_at"]).all()


def test_loans_come_from_approved_applications_and_age_month_by_month(small_market: Market) -> None:
    _, landing, _ = small_market
    applications = landed(landing, "applications").sort_values("landed").drop_duplicates("application_id", keep="last")
    loans = landed(landing, "loans")
    of = loans.merge(applications, on="application_id", how="left", suffixes=("", "_asked"))
    assert (of["decision"] == "approved").all()
    assert (of["funded_at"] >= of["decided_at"]).all()
    assert (of["principal"] <= of["credit_limit"]).all()
    rows = landed(landing, "repayments").sort_values(["loan_id", "as_of_day"])
    assert set(rows["loan_id"]) <= set(loans["loan_id"])
    step = rows.groupby("loan_id")["months_on_book"].diff().dropna()
    assert (step == 1).all()
    assert (rows.groupby("loan_id")["months_on_book"].first() == 0).all()
    money = rows[["balance", "past_due", "charged_off", "recovered"]].astype(float)
    assert (money >= 0).all().all()
    assert (money["past_due"] <= money["balance"]).all()
    assert (money["recovered"] <= money["charged_off"]).all()
    assert (rows["as_of_day"].map(lambda day: (pd.Timestamp(day) + pd.Timedelta(days=1)).day) == 1).all()


def test_digests_are_of_the_canonical_form(small_market: Market) -> None:
    _, landing, _ = small_market
    raw = landed(landing, "applications")["id_phone"].dropna().unique()
    assert all(phone.startswith("+") and phone[1:].isdigit() and 8 <= len(phone) - 1 <= 15 for phone in raw)
    digests = {hashlib.sha256(phone.encode()).hexdigest() for phone in raw}
    prospects = landed(landing, "prospects")
    hashed = set(prospects["id_phone_sha256"].dropna())
    assert len(hashed & digests) > 0.3 * len(hashed)
    both = prospects["id_phone"].notna() & prospects["id_phone_sha256"].notna()
    assert not both.any()
    assert prospects.filter(like="id_").drop(columns=[]).notna().any(axis=1).mean() > 0.99


def test_spend_ties_with_clicks_in_the_touches(small_market: Market) -> None:
    """Platforms bill the clicks that happened: none lost, none invented, on any channel and day."""
    conf, landing, _ = small_market
    spend = landed(landing, "spend").sort_values("landed")
    key = ["spend_day", "channel", "campaign", "ad_group", "creative"]
    billed = spend.drop_duplicates(key, keep="last").groupby(["spend_day", "channel"])["clicks"].sum()
    touches = landed(landing, "touches").drop_duplicates("touch_id")
    clicks = touches[touches["kind"] == "click"]
    seen = clicks.groupby([clicks["occurred_at"].dt.date, "channel"]).size()
    seen.index.names = billed.index.names
    assert billed[billed > 0].sort_index().equals(seen.sort_index().astype("int64"))
    currency = {c.name: c.currency or conf.currency for c in conf.channels}
    assert (spend["currency"] == spend["channel"].map(currency)).all()


def test_the_protected_group_is_no_column(small_market: Market) -> None:
    _, landing, _ = small_market
    assert "group" not in ds.dataset(landing / "prospects", format="parquet").schema.names


def test_same_seed_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    kept = {}
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        root = tmp_path / name
        new_market(small_conf(people=600, months=2, seed=seed), root / "landing", root / "truth", lambda line: None)
        kept[name] = digest(root)
    assert kept["a"] == kept["b"]
    assert set(kept["a"].values()).isdisjoint(set(kept["c"].values()) - {kept["a"]["truth/channels.json"]})


def test_a_market_that_is_there_is_reused_and_another_refused(tmp_path: Path) -> None:
    conf = small_conf(people=600, months=2)
    landing, truth = tmp_path / "landing", tmp_path / "truth"
    made = new_market(conf, landing, truth, lambda line: None)
    before = digest(tmp_path)
    again = new_market(conf, landing, truth, lambda line: None)
    assert again.is_reused
    assert not made.is_reused
    assert (again.headline, again.ladder, again.history_end) == (made.headline, made.ladder, date(2026, 5, 31))
    assert digest(tmp_path) == before
    with pytest.raises(UsageError, match="another conf"):
        new_market(small_conf(people=601, months=2), landing, truth, lambda line: None)
    with pytest.raises(UsageError, match="already holds"):
        new_market(small_conf(people=601, months=2), landing, tmp_path / "elsewhere", lambda line: None)


def test_propensities_are_those_of_the_policy(small_market: Market) -> None:
    """Inverse propensities of known rows estimate the people they were drawn from."""
    conf, landing, _ = small_market
    rows = landed(landing, "assignments")
    explored = rows[rows["role"] == "exploration"]
    assert np.allclose(explored["propensity"], conf.exploration_share / len(conf.channels))
    held = rows[rows["role"] == "holdout"]
    assert (held["channel"] == "none").all()
    waves = rows["assigned_day"].nunique()
    everyone = len(held) / conf.holdout_share / waves
    assert 0.8 < (len(explored) / conf.exploration_share / waves) / everyone < 1.25
    policy = rows[rows["role"] == "policy"]
    unknown = policy["propensity"].isna().mean()
    assert 0.3 * conf.unknown_share < unknown < 2.0 * conf.unknown_share
    for _, part in policy.dropna(subset=["propensity"]).groupby("channel"):
        estimate = (1.0 / part["propensity"]).sum() / waves
        assert 0.6 < estimate / everyone < 1.6
