"""What is on its way is told beside what has arrived, from the lags of older weeks, and never mixed with it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from jobs.measure.nowcasts import nowcasts
from jobs.tables.link import LINKED_TOUCHES, MATURED_OUTCOMES

MONDAY = date(2025, 1, 6)
WEEKS, PER_WEEK = 30, 60
TODAY = MONDAY + timedelta(days=7 * WEEKS)  # a Monday: the newest week is whole, this one is not


def world() -> tuple[list[dict[str, Any]], list[dict[str, Any]], pd.DataFrame]:
    """Touches each week, an application 0 to 27 days later, a loan 1 to 20 days after; the truth by week."""
    rng = np.random.default_rng(5)
    touches, outcomes, truth = [], [], []
    for week in range(WEEKS):
        for i in range(PER_WEEK):
            who = f"p{week}-{i}"
            at = datetime(2025, 1, 6, 12, tzinfo=UTC) + timedelta(days=7 * week + int(rng.integers(7)))
            touch = {"touch_id": f"t{who}", "person_key": who, "occurred_at": at, "kind": "click", "channel": "feed"}
            touches.append(touch)
            applied = at + timedelta(days=int(rng.integers(28)))
            funded = applied + timedelta(days=int(rng.integers(1, 20))) if i % 2 else None
            truth.append({"week": MONDAY + timedelta(days=7 * week), "applications": 1, "funded": int(i % 2)})
            if applied.date() > TODAY:
                continue
            is_funded = funded is not None and funded.date() <= TODAY
            outcome = {"application_id": f"a{who}", "person_key": who, "applied_at": applied, "is_approved": is_funded}
            outcomes.append(outcome | {"is_funded": is_funded, "funded_at": funded if is_funded else None})
    outcomes.append({"application_id": "nobody", "applied_at": datetime(2025, 1, 8, tzinfo=UTC), "is_approved": False})
    return touches, outcomes, pd.DataFrame(truth).groupby("week").sum()


def test_young_weeks_come_to_what_they_will(rows: Any, make_shell: Any, conf: Any) -> None:
    touches, outcomes, truth = world()
    frames = (rows(MATURED_OUTCOMES, outcomes), rows(LINKED_TOUCHES, touches))
    found = nowcasts(*frames, day=TODAY, conf=conf, shell=make_shell())
    assert set(found["channel"]) == {"feed", "(all)"}
    told = found[found["channel"] == "feed"].set_index(["outcome", "week"])
    assert (found["arrived"] <= 1).all()
    assert (found["total"].isna() == (found["arrived"] < 0.5)).all()
    held = []
    for (outcome, week), row in told.iterrows():
        if outcome in truth and not np.isnan(row["total"]):
            held.append(row["lo"] <= truth.loc[week, outcome] <= row["hi"])
            assert row["observed"] <= row["lo"]
    assert len(held) > 15
    assert np.mean(held) >= 0.85
    newest = told.loc[("applications", MONDAY + timedelta(days=7 * (WEEKS - 3)))]
    assert newest["observed"] < 0.8 * PER_WEEK < newest["total"] < 1.25 * PER_WEEK
    assert newest["ladder_lo"] < PER_WEEK < newest["ladder_hi"]
    assert MONDAY + timedelta(days=7 * WEEKS) not in told.loc["applications"].index, "a week that is not whole"


def test_nothing_is_on_its_way_where_nothing_was_touched(rows: Any, make_shell: Any, conf: Any) -> None:
    frames = (rows(MATURED_OUTCOMES, []), rows(LINKED_TOUCHES, []))
    assert nowcasts(*frames, day=TODAY, conf=conf, shell=make_shell()).empty
