"""A landing folder that the project's own market did not write: other channels, features, currency, files, gaps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FIRST = date(2024, 1, 1)
LAST = date(2025, 6, 30)
CHANNELS = {"kiosk": (0.10, 2.40), "podcast": (0.04, 0.80)}  # clicks a person, cost a click


def write_foreign(landing: Path, people: int = 1200, seed: int = 3) -> None:
    """Write prospects, assignments, touches, spend, applications, loans, repayments and consents as CSV by day."""
    rng = np.random.default_rng(seed)
    ids = [f"K{n:06d}" for n in range(people)]
    phone = [f"+3620{n:07d}" for n in range(people)]
    tenure = rng.gamma(2.0, 3.0, people)
    trade = rng.choice(["baker", "driver", "nurse"], people)
    prospects = pd.DataFrame({"prospect_id": ids, "id_phone": phone, "region": rng.choice(["north", "south"], people)})
    prospects["tenure_years"], prospects["trade"] = np.round(tenure, 2), trade
    prospects.loc[rng.random(people) < 0.1, "tenure_years"] = np.nan
    _csv(landing, "prospects", FIRST, prospects)
    consents = pd.DataFrame({"id_phone": phone, "purpose": "marketing", "channel": "*", "is_granted": True})
    _csv(landing, "consents", FIRST, consents.assign(from_at=_at(FIRST, 0)))
    taste = np.where(trade == "nurse", 2.0, 0.7)
    for wave, day in enumerate(pd.date_range(FIRST, LAST - timedelta(days=60), freq="MS").date):
        _wave(landing, rng, day, wave, ids, phone, taste)


def _wave(landing: Path, rng: Any, day: date, wave: int, ids: list[str], phone: list[str], taste: Any) -> None:
    people = len(ids)
    arm = rng.choice(["kiosk", "podcast", "none", ""], people, p=[0.25, 0.25, 0.1, 0.4])
    on = np.flatnonzero(arm != "")
    role = np.where(arm[on] == "none", "holdout", "exploration")
    assigned = pd.DataFrame({"prospect_id": np.array(ids)[on], "channel": arm[on], "role": role}).assign(
        assigned_day=day
    )
    _csv(landing, "assignments", day + timedelta(days=1), assigned.assign(propensity=0.25, policy="by hand"))
    touches, spend = [], []
    for channel, (rate, price) in CHANNELS.items():
        mine = np.flatnonzero(arm == channel)
        clicked = mine[rng.random(len(mine)) < rate * taste[mine]]
        campaign = f"{channel}-{wave}"
        touches.append(
            pd.DataFrame(
                {
                    "touch_id": [f"t{wave}-{channel}-{i}" for i in clicked],
                    "occurred_at": _at(day, 9),
                    "channel": channel,
                    "campaign": campaign,
                    "kind": "click",
                    "id_phone": np.array(phone)[clicked],
                }
            )
        )
        cost = round(float(len(clicked) * price), 2)
        spend.append(
            {
                "spend_day": day,
                "channel": channel,
                "campaign": campaign,
                "ad_group": None,
                "creative": None,
                "cost": f"{cost:.2f}",
                "currency": "HUF",
                "clicks": len(clicked),
                "impressions": len(mine),
            }
        )
    _csv(landing, "touches", day + timedelta(days=1), pd.concat(touches))
    _csv(landing, "spend", day + timedelta(days=1), pd.DataFrame(spend))
    clickers = np.concatenate([t["id_phone"].to_numpy() for t in touches])
    organic = np.array(phone)[rng.random(people) < 0.01]
    applied = np.unique(np.concatenate([clickers[rng.random(len(clickers)) < 0.5], organic]))
    _applications(landing, rng, day, wave, applied)


def _applications(landing: Path, rng: Any, day: date, wave: int, applied: Any) -> None:
    size = len(applied)
    approved = rng.random(size) < 0.5
    names = [f"a{wave}-{i}" for i in range(size)]
    rows = pd.DataFrame(
        {
            "application_id": names,
            "applied_at": _at(day + timedelta(days=2), 10),
            "id_phone": applied,
            "currency": "HUF",
            "amount": "200000.00",
            "decision": np.where(approved, "approved", "declined"),
            "decided_at": _at(day + timedelta(days=3), 10),
            "partner": "savings_one",
        }
    )
    _csv(landing, "applications", day + timedelta(days=4), rows)
    funded = np.flatnonzero(approved & (rng.random(size) < 0.7))
    loans = pd.DataFrame(
        {
            "loan_id": [f"l{wave}-{i}" for i in funded],
            "application_id": np.array(names)[funded],
            "currency": "HUF",
            "funded_at": _at(day + timedelta(days=5), 10),
            "principal": "200000.00",
            "apr": 0.3,
            "term_months": 12,
        }
    )
    _csv(landing, "loans", day + timedelta(days=6), loans)
    late = rng.random(len(funded)) < 0.1
    for month in range(1, 13):
        # Statements of a month are of one day.
        as_of = (pd.Timestamp(day) + pd.DateOffset(months=month)).date() + timedelta(days=5)
        if as_of > LAST:
            break
        rows = pd.DataFrame(
            {
                "loan_id": loans["loan_id"],
                "as_of_day": as_of,
                "months_on_book": month,
                "currency": "HUF",
                "days_past_due": np.where(late, max(0, 31 * (month - 3)), 0),
                "balance": "100000.00",
            }
        )
        _csv(landing, "repayments", as_of + timedelta(days=1), rows)


def _at(day: date, hour: int) -> str:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC).isoformat()


def _csv(landing: Path, table: str, day: date, rows: pd.DataFrame) -> None:
    if not len(rows):
        return
    folder = landing / table / f"day={day}"
    folder.mkdir(parents=True, exist_ok=True)
    rows.to_csv(folder / f"part-{len(list(folder.iterdir()))}.csv.gz", index=False)


if __name__ == "__main__":
    import sys

    write_foreign(Path(sys.argv[1]))
