"""Lift finds a planted effect, keeps open days out, and says so when nothing is identified."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from jobs.measure.channel_lift import channel_lift
from jobs.tables.activate import AUDIENCES
from jobs.tables.link import ASSIGNMENT_OUTCOMES
from jobs.tables.measure.costs import SPEND_LEDGER

WAVE, OPEN, DAY = date(2026, 1, 5), date(2026, 3, 1), date(2026, 3, 31)


def arm(wave: date, channel: str, role: str, people: int, hits: int, is_open: bool = False) -> list[dict[str, Any]]:
    return [
        {
            "prospect_key": f"{channel}-{role}-{i}",
            "person_key": f"{channel}-{role}-{i}",
            "assigned_day": wave,
            "channel": channel,
            "role": role,
            "clicks": 1,
            "is_applied": i < hits,
            "is_funded": None if is_open else i < hits // 2,
        }
        for i in range(people)
    ]


@pytest.fixture
def told(rows: Any, make_shell: Any, conf: Any) -> Any:
    def run(assigned: list[dict[str, Any]], sent_on: date | None = None) -> Any:
        spend = [
            {"spend_day": day, "channel": "sms", "campaign": "c", "cost_minor": 450_000}
            for day in (WAVE, date(2026, 1, 19), date(2026, 1, 20))
        ]
        sent = [{"day": sent_on, "prospect_key": "x", "channel": "sms", "role": "policy"}] if sent_on else []
        frame = channel_lift(
            rows(ASSIGNMENT_OUTCOMES, assigned),
            rows(SPEND_LEDGER, spend),
            rows(AUDIENCES, sent),
            day=DAY,
            conf=conf,
            shell=make_shell(),
        )
        return frame.set_index(["channel", "role", "outcome"])

    return run


def test_a_planted_lift_comes_back_with_its_cost_and_open_days_stay_out(told: Any) -> None:
    assigned = [
        *arm(WAVE, "sms", "policy", 600, 60),
        *arm(WAVE, "sms", "exploration", 300, 30),
        *arm(WAVE, "none", "holdout", 1000, 20),
        *arm(OPEN, "sms", "policy", 10, 10, is_open=True),
        *arm(OPEN, "none", "holdout", 10, 0),
    ]
    found = told(assigned, sent_on=WAVE)
    assert set(found["period"]) == {"campaign"}
    both = found.loc[("sms", "all", "funded")]
    assert (both["assigned"], both["successes"], both["held_out"], both["held_out_successes"]) == (900, 45, 1000, 10)
    assert both["lift"] == pytest.approx(0.05 - 0.01)
    assert both["spend"] == 9000.0
    assert both["incremental_cost"] == pytest.approx(9000 / (900 * 0.04))
    assert both["incremental_cost_lo"] < both["incremental_cost"] < both["incremental_cost_hi"]
    drawn = found.loc[("sms", "exploration", "funded")]
    assert drawn["is_randomised"]
    assert drawn["spend"] == 3000.0
    assert not both["is_randomised"]
    # The open day is decided for applications, not for funding; nothing is a year old.
    assert found.loc[("sms", "all", "applied"), "assigned"] == 910
    assert not {outcome for _, _, outcome in found.index} & {"good"}


def test_no_effect_is_not_identified_and_no_holdout_is_no_lift(told: Any) -> None:
    same = told([*arm(WAVE, "sms", "policy", 200, 4), *arm(WAVE, "none", "holdout", 200, 4)])
    row = same.loc[("sms", "all", "applied")]
    assert row["reason"] == "not_identified"
    assert row["incremental_cost_lo"] > 0
    assert row[["incremental_cost", "incremental_cost_hi"]].isna().all()
    assert told(arm(WAVE, "sms", "policy", 20, 4)).empty
    assert told([]).empty
