"""What was planted where a region is served comes back; applications count where and when made; open pairs wait."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from jobs.measure.experiments.switchback import schedule
from jobs.measure.switchback_lifts import switchback_lifts
from jobs.runtime.settings import SwitchbackConf
from jobs.tables.ingest import PROSPECTS
from jobs.tables.link import MATURED_OUTCOMES, PEOPLE
from jobs.tables.measure.costs import SPEND_LEDGER
from jobs.tables.measure.experiments import SWITCHBACK_LIFTS, SWITCHBACK_TURNS

START, REGIONS, RESIDENTS = date(2026, 1, 5), ("east", "north", "south", "west"), 20
DESIGN = SwitchbackConf(first_day=START, days=7, periods=4, washout_days=1)


@pytest.fixture
def told(rows: Any, make_shell: Any, conf: Any) -> Any:
    def run(day: date, design: SwitchbackConf | None = DESIGN) -> Any:
        channel = next(iter(conf.channels))
        own = conf.channels[channel].model_copy(update={"switchback": design})
        tested = conf.model_copy(update={"channels": {**conf.channels, channel: own}})
        keys = [f"{region}{i}" for region in REGIONS for i in range(RESIDENTS)]
        prospects = [{"prospect_key": key, "region": key[:-2] if key[-2].isdigit() else key[:-1]} for key in keys]
        people = [{"prospect_key": key, "person_key": key, "is_sent": True} for key in keys]
        outcomes = []
        for turn in schedule(channel, REGIONS, DESIGN):
            # Three apply where the region is served, else one; and five on the first day, which does not count.
            made = [turn.counted_from + timedelta(days=2)] * (3 if turn.is_on else 1) + [turn.first_day] * 5
            for i, on in enumerate(made):
                at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
                outcome = {"application_id": f"{turn.region}-{turn.period}-{i}", "person_key": f"{turn.region}{i}"}
                outcomes.append(outcome | {"applied_at": at, "is_funded": i == 0 if turn.period < 2 else None})
        spend = [
            {"spend_day": START + timedelta(days=i), "channel": channel, "campaign": "c", "cost_minor": 1000}
            for i in range(28)
        ]
        frames = (rows(PROSPECTS, prospects), rows(PEOPLE, people))
        frames += (rows(MATURED_OUTCOMES, outcomes), rows(SPEND_LEDGER, spend))
        turns, lifts = switchback_lifts(*frames, day=day, conf=tested, shell=make_shell())
        assert list(turns.columns) == [c.name for c in SWITCHBACK_TURNS.columns]
        assert list(lifts.columns) == [c.name for c in SWITCHBACK_LIFTS.columns]
        return turns, lifts.set_index("outcome")

    return run


def test_what_regions_served_in_turn_say(told: Any) -> None:
    turns, lifts = told(date(2026, 3, 1))
    assert len(turns) == 16
    applied = lifts.loc["applied"]
    assert (applied["regions"], applied["periods"], applied["people"]) == (4, 4, 80)
    assert applied["lift"] == pytest.approx(2 / RESIDENTS)
    assert (applied["rate"], applied["rate_off"]) == (pytest.approx(3 / RESIDENTS), pytest.approx(1 / RESIDENTS))
    assert applied["spend"] == 4 * 6 * 10.0
    assert applied["incremental_cost"] == pytest.approx(240 / (2 / RESIDENTS * 80 * 2))
    assert lifts.loc["funded", "periods"] == 2, "the second pair is open"
    assert lifts.loc["funded", "reason"] == "not_identified"
    assert lifts.loc["good", "reason"] == "immature"


def test_a_pair_counts_when_both_its_periods_are_over_and_without_a_design_nothing_is_told(told: Any) -> None:
    _, lifts = told(START + timedelta(days=13))
    assert lifts.loc["applied", "periods"] == 2
    _, lifts = told(START + timedelta(days=12))
    assert lifts.loc["applied", "reason"] == "immature"
    turns, lifts = told(date(2026, 3, 1), None)
    assert len(turns) == len(lifts) == 0
