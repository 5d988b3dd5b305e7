"""The truth beside a market agrees with what happens in it, within the noise of the draws."""

from __future__ import annotations

import numpy as np
import pytest
from market_fixtures import small_conf

from jobs.market.calendar import DAY_US
from jobs.market.default import age, late_chance
from jobs.market.funnel import APPROVED, decide
from jobs.market.headline import HeadlineRate, headline_text
from jobs.market.history import new_market
from jobs.market.incumbent import rotated
from jobs.market.ledger import ORGANIC, standing
from jobs.market.ledger import empty_ledger as nothing
from jobs.market.life import organic_moments, settle
from jobs.market.response import load_factor, organic_window
from jobs.market.truth import all_arms
from jobs.market.wave import ANYONE, Audience, play_wave
from jobs.market.world import World

PEOPLE = 40_000


@pytest.fixture(scope="module", params=["sample", "interacting", pytest.param("drifting", marks=pytest.mark.storm)])
def world(request: pytest.FixtureRequest) -> World:
    return World(small_conf(None if request.param == "sample" else request.param, people=PEOPLE))


def test_some_peoples_arms_are_those_they_have_among_all() -> None:
    world = World(small_conf("interacting", people=3000))
    who = np.array([7, 2999, 0, 1500, 8])
    alone, all_of_them = all_arms(world, who), all_arms(world)
    for name in ("cost", "applied", "funded", "reach"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(all_of_them, name)[who])


@pytest.mark.parametrize("channel", range(8))
def test_a_wave_costs_reaches_and_wins_what_the_arms_say(world: World, channel: int) -> None:
    arms, who = all_arms(world), np.arange(PEOPLE)
    day = world.calendar.end
    creative = rotated(world, who, np.full(PEOPLE, channel), day)
    audience = Audience(who, np.full(PEOPLE, channel), creative, np.full(PEOPLE, day), np.full(PEOPLE, ANYONE))
    organic = organic_moments(world, world.calendar.end_month + 1)
    events = play_wave(world, audience, organic)

    def within(found: float, expected: float, variance: float) -> None:
        assert abs(found - expected) < 5 * np.sqrt(variance), (found, expected)

    reach = arms.reach[:, channel]
    within(len(events.exposure_us), reach.sum(), (reach * (1 - reach)).sum())
    assert np.allclose(arms.funded[:, channel], arms.applied[:, channel] * world.funded_given_apply)
    is_annoyed, organic_chance = world.people.is_annoyed, organic_window(world.organic)
    campaign = np.unique(events.apply.person[organic[events.apply.person] == 0])
    expected = (arms.applied[:, channel] / (1 - organic_chance) * (1 - world.organic))[~is_annoyed].sum()
    within(len(campaign), expected, expected)
    assert not is_annoyed[campaign].any()
    lost = -arms.applied[is_annoyed, channel].sum()
    within(len(events.put_off), lost, lost + 1.0)
    spent = events.exposure_cost.sum() + events.click_cost.sum()
    dearest = max(float(events.click_cost.max(initial=0.0)), float(events.exposure_cost.max(initial=0.0)))
    within(spent, arms.cost[:, channel].sum() * load_factor(world.conf, channel, PEOPLE), dearest * spent + 1.0)


def test_decisions_and_lateness_follow_their_chances(world: World) -> None:
    who = np.arange(PEOPLE)
    applied = np.full(PEOPLE, world.calendar.end * 86_400_000_000)
    drawn = world.partners.drawn(world.dice, world.people.region, who, applied)
    made = decide(world.conf, world.dice, world.people, world.partners, who, applied, drawn)
    expected = world.funded_given_apply
    assert abs((made.funded_us >= 0).sum() - expected.sum()) < 5 * np.sqrt((expected * (1 - expected)).sum())
    chance = world.approved_given_apply
    approved = (made.decision == APPROVED).sum()
    assert abs(approved - chance.sum()) < 5 * np.sqrt((chance * (1 - chance)).sum())
    assert (made.decision[made.funded_us >= 0] == APPROVED).all()
    late = late_chance(world, who, world.calendar.end_month)
    ageing = age(world, who, applied)
    assert abs((ageing.late_month > 0).sum() - late.sum()) < 5 * np.sqrt((late * (1 - late)).sum())
    assert (ageing.late_month[ageing.is_fraud] > 0).all()


def test_organic_demand_has_its_rate_and_nobody_applies_twice(world: World) -> None:
    month = world.calendar.end_month + 1
    organic = organic_moments(world, month)
    assert abs((organic > 0).sum() - world.organic.sum()) < 5 * np.sqrt(world.organic.sum())
    who = np.arange(PEOPLE)
    day = world.calendar.end
    audience = Audience(who, np.zeros_like(who), np.zeros_like(who), np.full(PEOPLE, day), np.full(PEOPLE, ANYONE))
    now = standing(PEOPLE, nothing())
    events = play_wave(world, audience, organic)
    ledger = settle(world, {ORGANIC: organic}, events, now.since, now.last, day + 45)
    assert len(np.unique(ledger.person)) == len(ledger)
    assert len(ledger) == len(np.union1d(np.flatnonzero(organic), events.apply.person))
    after = now.after(ledger)
    again = settle(world, {ORGANIC: organic}, events, after.since, after.last, day + 45)
    assert (again.applied_us >= after.last[again.person] + 14 * DAY_US).all()
    assert len(again) < 0.02 * len(ledger)


def test_headline_rates_lie_in_their_bands_and_the_oracle_saves_what_it_should(tmp_path_factory: object) -> None:
    root = tmp_path_factory.mktemp("headline")  # type: ignore[attr-defined]
    conf = small_conf(people=30_000, months=12, book_months=18)
    summary = new_market(conf, root / "landing", root / "truth", lambda line: None)

    def noise(row: HeadlineRate) -> float:
        per_case = row.value * 6.0 if "cost" in row.name else row.value  # costs vary more than counts do
        return 3.0 * np.sqrt(per_case * row.value / max(row.cases * min(row.value, 1.0), 1.0))

    outside = [row for row in summary.headline if not row.low - noise(row) <= row.value <= row.high + noise(row)]
    assert outside == [], headline_text(outside)
    assert 0.35 <= summary.ladder.saving[2] <= 0.60
    assert summary.rows["loans"] > 2500
