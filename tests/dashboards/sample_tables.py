"""Rows of a small lender's published aggregates, and the means to publish them without Spark."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dashboards.warehouse import declared
from jobs.runtime.store import Pointer, Store
from jobs.runtime.types import arrow_type

DAY = date(2026, 7, 1)
CHANNELS = {"feed_a": 3.1, "generic_search": 1.7, "partner_api": 1.2, "own_sms": 0.4, "display": 2.2}
BANDS = "ABCDEFGH"


def publish(root: Path, name: str, rows: Iterable[dict[str, Any]], day: date = DAY, files: int = 1) -> None:
    """Publish rows of a declared table as the shell would: typed Parquet files in a version, a pointer to it."""
    table = declared()[name]
    schema = pa.schema([(column.name, arrow_type(column.type)) for column in table.columns])
    content = [{column.name: row.get(column.name) for column in table.columns} for row in rows]
    store = Store(root)
    staged = store.staging("test", f"{name}-{day}")
    staged.mkdir(parents=True)
    for at in range(files if content else 0):
        pq.write_table(pa.Table.from_pylist(content[at::files], schema), staged / f"part-{at}.parquet")
    version = hashlib.sha256(repr(content).encode()).hexdigest()
    store.publish(staged, Pointer(name, day.isoformat(), version, len(content), "", {}, "test", "test"))


def cost_row(**given: Any) -> dict[str, Any]:
    """A row of channel_costs: counts are 0 and the month is decided unless said."""
    counts = ("clicks", "applications", "approvals", "funded", "matured", "good", "late", "fraud", "undecided")
    row = {**dict.fromkeys(counts, 0), "campaign": "c", "band": "A", "currency": "CNY", "spend": 0.0}
    row |= {"is_mature": True, "is_allocated": True, "period": "2025-05", **given}
    return {**row, "spend_minor": round(row["spend"] * 100)}


def cohort_row(**given: Any) -> dict[str, Any]:
    """A row of campaign_costs."""
    row: dict[str, Any] = {"period": "history", "channel": "(all)", "band": "(all)", "currency": "CNY", **given}
    for name, count, spend in (
        ("cost_per_funded", "funded", "spend"),
        ("cost_per_good", "good_mature", "spend_mature"),
    ):
        if row[count]:
            value, half = row[spend] / row[count], 1.96 / row[count] ** 0.5
            row |= {name: value, f"{name}_lo": value / (1 + half), f"{name}_hi": value * (1 + half)}
    row |= {"late_rate": 0.08, "late_rate_lo": 0.06, "late_rate_hi": 0.11, "matured": row["funded"], "fraud": 1}
    row |= {"fraud_rate": 0.01, "fraud_rate_lo": 0.004, "fraud_rate_hi": 0.02, "good": row["good_mature"], "late": 9}
    return {"spend_minor": 0, "is_mature": True, "applications": 0, "approvals": 0, **row}


def cohort_rows() -> list[dict[str, Any]]:
    """campaign_costs of two periods over every channel and band; the campaign is not decided to its end."""
    rows = []
    for period, scale, spared, mature in (("history", 1.0, 1.0, True), ("campaign", 0.35, 0.66, False)):
        cells = [("(all)", "(all)", sum(CHANNELS.values()))]
        cells += [(channel, "(all)", weight) for channel, weight in CHANNELS.items()]
        cells += [("(all)", band, 1.6 - 0.15 * at) for at, band in enumerate(BANDS)]
        for at, (channel, band, weight) in enumerate(cells):
            funded = int(90 * weight * scale) if weight > 0.4 or scale == 1 else 4
            spend = 100_000.0 * weight * scale * spared * (1 + 0.09 * at)
            rows.append(
                cohort_row(
                    period=period,
                    channel=channel,
                    band=band,
                    spend=round(spend, 2),
                    funded=funded,
                    spend_mature=round(0.9 * spend, 2),
                    good_mature=int(funded * 0.8),
                    is_mature=mature,
                )
            )
    return rows


def fill(root: Path) -> None:
    """A whole warehouse: history, campaign, plan, bands, models."""
    publish(root, "campaign_costs", cohort_rows())
    publish(root, "channel_costs", _channel_rows(), files=3)
    publish(root, "spend_ledger", _ledger_rows(), files=2)
    publish(root, "channel_lift", _lift_rows())
    publish(root, "channel_plan", _plan_rows())
    judged = {"people": 9, "opportunities": 9.0, "ess": 3.0, "max_weight": 2.0, "is_passed": False, "mode": "report"}
    publish(root, "plan_gate", [{**judged, "outcome": "value", "released_share": 1.0}])
    publish(root, "profiles", _profile_rows())
    publish(root, "band_cuts", _cut_rows())
    publish(root, "model_cards", _card_rows())
    publish(root, "segment_drifts", _drift_rows())
    pair = {"segment": "eager_readers", "other": "safe_payers", "people": 640, "share": 0.4, "other_share": 0.32}
    publish(root, "segment_overlaps", [pair])
    publish(root, "channel_attributions", _attribution_rows())
    factor = {"period": "history", "attributed": 0.002, "incremental": 0.001, "factor": 0.5, "factor_lo": 0.2}
    publish(root, "calibrations", [{**factor, "channel": c, "outcome": "funded", "factor_hi": 0.9} for c in CHANNELS])
    effects = {"price": 4.0, "mix": -2.0, "conversion": 1.0, "approval": -3.0, "maturity": "open"}
    publish(
        root, "cost_moves", [{"period": "2026-02", "before": "2026-01", "cost_before": 100.0, "cost": 100.0, **effects}]
    )
    publish(root, "nowcasts", _nowcast_rows())
    publish(root, "vintages", vintage_rows())
    publish(root, "roll_rates", _roll_rows())
    publish(root, "paybacks", _payback_rows())


def _months() -> list[str]:
    return [f"2025-{month:02d}" for month in range(6, 13)] + [f"2026-{month:02d}" for month in range(1, 7)]


def _channel_rows() -> list[dict[str, Any]]:
    rows = []
    for at, period in enumerate(_months()):
        for channel, weight in CHANNELS.items():
            n = int(60 * weight)
            counts = {"clicks": 900 * n // 60, "applications": n, "approvals": n // 2, "funded": n // 3}
            settled = {"matured": n // 3, "good": n // 4, "late": n // 12} if at < 4 else {"undecided": n // 3}
            spend = 1000.0 * weight * (1 + 0.05 * at)
            rows.append(
                cost_row(period=period, channel=channel, spend=round(spend, 2), is_mature=at < 4, **counts, **settled)
            )
        rows.append(cost_row(period=period, channel="(unattributed)", campaign=None, band="(none)", applications=30))
    return rows


def _ledger_rows() -> list[dict[str, Any]]:
    rows = []
    for at in range(0, 390, 3):
        for channel, weight in CHANNELS.items():
            day = date(2025, 6, 1) + timedelta(days=at)
            cost = Decimal(int(weight * (10_000 + 15 * at))) / 100
            rows.append(
                {
                    "spend_day": day,
                    "channel": channel,
                    "campaign": "c",
                    "cost_raw": cost,
                    "currency_raw": "CNY",
                    "rate": Decimal(1),
                    "rate_day": day,
                    "cost_minor": int(cost * 100),
                }
            )
    return rows


def _lift_rows() -> list[dict[str, Any]]:
    rows = []
    for outcome, base in (("applied", 0.021), ("funded", 0.005)):
        for at, channel in enumerate(CHANNELS):
            for role in ("exploration", "all"):
                lift = base * (0.4 - 0.08 * at) * (1.0 if role == "exploration" else 1.6)
                row = {"period": "campaign", "channel": channel, "role": role, "outcome": outcome, "currency": "CNY"}
                row |= {
                    "is_randomised": role == "exploration",
                    "assigned": 9000,
                    "successes": int(9000 * (base + lift)),
                }
                row |= {"held_out": 5000, "held_out_successes": int(5000 * base), "rate": base + lift}
                row |= {"held_out_rate": base, "lift": lift, "lift_lo": lift - base / 4, "lift_hi": lift + base / 4}
                cost = {
                    "incremental_cost": 40 / lift,
                    "incremental_cost_lo": 25 / lift,
                    "incremental_cost_hi": 90 / lift,
                }
                rows.append(row | (cost if lift > base / 4 else {"reason": "not_identified"}))
    return rows


def _plan_rows() -> list[dict[str, Any]]:
    rows = []
    for channel, weight in {**CHANNELS, "(all)": sum(CHANNELS.values())}.items():
        row: dict[str, Any] = {"channel": channel, "currency": "CNY", "budget": 30_000 * weight}
        row |= {"budget_left": 21_000 * weight, "audience_size": int(1500 * weight)}
        for name, value in (("spend", 19_500 * weight), ("good", 21 * weight)):
            row |= {f"expected_{name}": value, f"expected_{name}_lo": 0.8 * value, f"expected_{name}_hi": 1.2 * value}
        for name, value in (("late_rate", 0.07), ("fraud_rate", 0.008)):
            row |= {f"expected_{name}": value, f"expected_{name}_lo": 0.7 * value, f"expected_{name}_hi": 1.4 * value}
        rows.append({**row, "shadow_price": 0.8 if channel == "feed_a" else 0.0})
    rows[-1] |= {"gap": 0.00042, "max_violation": 0.0, "note": "consent is assumed by policy.yaml, not shown"}
    return rows


def _profile_rows() -> list[dict[str, Any]]:
    rows = []
    for at, band in enumerate(BANDS):
        row = {"kind": "band", "name": band, "people": 6000 - 200 * at}
        rows.append({**row, "section": "size", "item": "people", "value": 0.125, "reference": 1.0, "lift": 0.125})
        for item, value in (("p_apply", 0.09 / (at + 1)), ("p_late", 0.03 + 0.015 * at), ("expected_cost", 3.0 + at)):
            rows.append({**row, "section": "expected", "item": item, "value": value, "reference": 0.05, "lift": 1.0})
        for item, lift in (("city_tier=tier_1", 1.9 - 0.2 * at), ("interest=news", 0.6 + 0.2 * at)):
            rows.append(
                {**row, "section": "feature", "item": item, "value": 0.2 * lift, "reference": 0.2, "lift": lift}
            )
    return rows


def _cut_rows() -> list[dict[str, Any]]:
    return [
        {
            "band": band,
            "lower": 0.08 / (at + 1),
            "rows": 6000,
            "responses": 300 // (at + 1),
            "assigned": 4000,
            "model_version": "m",
        }
        for at, band in enumerate(BANDS)
    ]


def _drift_rows() -> list[dict[str, Any]]:
    past = {"earlier_day": DAY - timedelta(days=7), "earlier_people": 1500, "earlier_share": 0.15, "noise": 0.0008}
    moved = {"segment": "eager_readers", "kind": "rule", "people": 1600, "share": 0.16, "psi": 0.0031, **past}
    still = {"segment": "safe_payers", "kind": "rule", "people": 2000, "share": 0.2, "psi": 0.0, **past}
    return [
        {**moved, "entered": 180, "departed": 80},
        still,
        {"segment": "new", "kind": "rule", "people": 90, "share": 0.01},
    ]


def _card_rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"stage": "organic", "section": "note", "item": "note 1", "text": "too few holdouts: a prior was used"}
    ]
    gap = {"item": "log_loss: challenger - in force", "value": 0.0041, "lo": 0.0012, "hi": 0.007}
    rows.append({"stage": "response", "section": "challenger", **gap})
    verdict = "refused: worse beyond its interval, the model in force goes on"
    rows.append({"stage": "response", "section": "challenger", "item": "verdict", "text": verdict})
    for stage in ("apply", "late", "affinity"):
        rows.append({"stage": stage, "section": "data", "item": "rows", "value": 48_211.0})
        rows.append({"stage": stage, "section": "data", "item": "learner", "text": "logistic"})
        rows.append({"stage": stage, "section": "quality", "item": "auc", "value": 0.78, "lo": 0.75, "hi": 0.81})
        gap = {"item": "auc: boosted - logistic", "value": 0.004, "lo": -0.002, "hi": 0.01}
        rows.append({"stage": stage, "section": "learners", **gap})
        for at, item in enumerate(("app_sessions", "search_interest", "bureau_score", "city_tier", "random_digit")):
            worth = 0.012 / (at + 1) ** 2
            rows.append(
                {
                    "stage": stage,
                    "section": "inputs",
                    "item": item,
                    "value": worth,
                    "lo": worth - 7e-4,
                    "hi": worth + 7e-4,
                }
            )
    return rows


def _attribution_rows() -> list[dict[str, Any]]:
    rows = []
    for model, tilt in (("last", 1.0), ("linear", 0.9), ("shapley_model", 0.85), ("markov_1", 0.8)):
        for channel, weight in (*CHANNELS.items(), ("(unattributed)", 5.0)):
            count = 60 * weight * tilt
            ends = {"conversions_lo": count * 0.9, "conversions_hi": count * 1.1}
            rows.append({"stage": "fund", "model": model, "channel": channel, "conversions": count, **ends})
    return rows


def _nowcast_rows() -> list[dict[str, Any]]:
    week = {"outcome": "funded", "channel": "(all)", "lo": 30.0, "hi": 50.0}
    return [
        {**week, "week": date(2026, 6, 1), "observed": 30, "arrived": 0.8, "total": 37.5},
        {**week, "week": date(2026, 6, 8), "observed": 4, "arrived": 0.6, "total": 6.7},
        {**week, "week": date(2026, 6, 15), "observed": 12, "arrived": 0.3, "lo": None, "hi": None},
        {**week, "week": date(2026, 6, 22), "observed": 40, "arrived": 0.2, "lo": None, "hi": None},
    ]


def vintage_rows() -> list[dict[str, Any]]:
    """Three vintages over 90 days past due, two of them developed; the first has 14 late at month 6, 15 at month 7."""
    rows = []
    for at, (vintage, seen) in enumerate((("2025-01", 12), ("2025-06", 9), ("2025-12", 6))):
        base = {"vintage": vintage, "channel": "(all)", "days_past_due": 90, "loans": 600, "lo": 0.01, "hi": 0.09}
        late = [0, 0, 0, 3, 8, 14, 15, 26, 27, 40, 41, 52]
        rows += [
            {
                **base,
                "months_on_book": i + 1,
                "late": late[i] + at,
                "rate": (late[i] + at) / 600,
                "maturity": "observed",
            }
            for i in range(seen)
        ]
        if seen < 12:
            rows.append({**base, "months_on_book": 12, "late": None, "rate": 0.09, "maturity": "developed"})
    return rows


def _roll_rows() -> list[dict[str, Any]]:
    base = {"month": "2026-05"}
    return [
        {**base, "state": "current", "next_state": "current", "loans": 900, "balance_minor": 900, "rate": 0.9},
        {**base, "state": "current", "next_state": "M1", "loans": 100, "balance_minor": 100, "rate": 0.1},
        {**base, "state": "M1", "next_state": "current", "loans": 40, "balance_minor": 80, "rate": 0.8},
        {**base, "state": "M1", "next_state": "M2", "loans": 5, "balance_minor": 20, "rate": 0.2},
    ]


def _payback_rows() -> list[dict[str, Any]]:
    base = {"period": "2025-06", "channel": "(all)", "loans": 60, "spend": 5000.0, "maturity": "final"}
    return [
        {**base, "months_on_book": i, "contribution": 900.0 * i, "is_paid_back": 900 * i >= 5000} for i in range(1, 9)
    ]
