"""The families of markets: each within its bands, each with what it adds to the sample market at work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
from market_fixtures import CONF, small_conf

from jobs.market.calendar import month_start
from jobs.market.conf import read_market_conf
from jobs.market.default import late_chance
from jobs.market.effects import effect
from jobs.market.funnel import approve_chance, fund_chance
from jobs.market.headline import HeadlineRate, headline_text
from jobs.market.history import new_market
from jobs.market.identities import Identities
from jobs.market.ladder import climb
from jobs.market.people_rows import prospect_records, prospects_snapshot
from jobs.market.response import load_factor
from jobs.market.truth import all_arms
from jobs.market.world import World
from jobs.runtime.errors import UsageError

FAMILIES = sorted(path.stem for path in (CONF.parent / "families").glob("*.yaml"))


def family_conf(name: str, people: int, seed: int = 1):
    return read_market_conf(CONF, CONF.parent / "families" / f"{name}.yaml", people=people, seed=seed)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_oracle_can_save_what_a_market_worth_winning_allows(name: str) -> None:
    world = World(family_conf(name, 20_000, seed=3))
    late = late_chance(world, np.arange(20_000), world.campaign_month)
    assert 0.35 <= climb(world.conf, all_arms(world), late).saving[2] <= 0.60


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n == "interacting" else pytest.mark.storm) for n in FAMILIES]
)
def test_headline_rates_of_a_family_lie_in_their_bands(name: str, tmp_path) -> None:
    summary = new_market(family_conf(name, 30_000), tmp_path / "landing", tmp_path / "truth", lambda line: None)

    def noise(row: HeadlineRate) -> float:
        return 3.0 * row.value * np.sqrt(6.0 / max(row.cases * min(row.value, 1.0), 1.0))

    outside = [row for row in summary.headline if not row.low - noise(row) <= row.value <= row.high + noise(row)]
    assert outside == [], headline_text(outside)


def test_a_family_changes_only_what_it_names_and_an_unknown_one_is_refused() -> None:
    plain, scarce = read_market_conf(CONF), family_conf("scarce", 50_000, seed=7)
    like = family_conf("log_linear", 50_000, seed=7)
    assert scarce.family == "scarce"
    assert like.family == "log_linear"
    shares = {"wave_share", "exploration_share", "holdout_share", "unknown_share"}
    changed = {"family", "months", "book_months", "usual_load"} | shares
    differs = {key for key in type(plain).model_fields if getattr(scarce, key) != getattr(like, key)}
    assert differs == changed
    assert [c.price_impact for c in like.channels] == [0.0 if c.name == "own_sms" else 0.2 for c in plain.channels]
    assert [c.model_copy(update={"price_impact": 0.0}) for c in like.channels] == list(plain.channels)
    with pytest.raises(UsageError, match="log_linear"):
        family_conf("nothing", 2000)


def test_effects_apply_where_their_conditions_hold_and_nowhere_else() -> None:
    world = World(family_conf("interacting", 5000))
    people, who = world.people, np.arange(5000)
    late = effect(world.conf, people, who, "late")
    poor = (people.risk > 0.4) & (people.income < -0.3)
    assert np.allclose(late, 0.8 * poor + 0.30 * people.risk * people.need)
    names = [c.name for c in world.conf.channels]
    dear = effect(world.conf, people, who, "price", names.index("brand_search"))
    assert np.allclose(dear, 0.25 * (people.intent > 1.0))
    assert not effect(world.conf, people, who, "price", names.index("feed_a")).any()


def test_prices_rise_with_use_and_not_for_a_contact() -> None:
    conf = family_conf("log_linear", 10_000)
    usual = [0.8 * c.capacity * conf.people for c in conf.channels]
    for k, channel in enumerate(conf.channels):
        assert load_factor(conf, k, usual[k]) == pytest.approx(1.0)
        expected = 1.0 if channel.cost_model == "contact" else 2.0**0.2
        assert load_factor(conf, k, 2 * usual[k]) == pytest.approx(expected)


def test_a_partner_chosen_well_funds_more_than_one_drawn() -> None:
    world = World(family_conf("log_linear", 4000))
    people, partners = world.people, world.partners
    funded = np.zeros((4000, len(partners.name)))
    for partner in range(len(partners.name)):
        who = np.flatnonzero(partners.serves[partner, people.region])
        chance = approve_chance(world.conf, people, partners, who, partner)
        funded[who, partner] = chance * fund_chance(world.conf, people, partners, who, partner)
    drawn = funded.sum(axis=1) / partners.served[people.region]
    assert np.allclose(drawn, world.funded_given_apply)
    assert funded.max(axis=1).sum() > 1.3 * drawn.sum()
    assert len(partners.name) >= 50
    assert (partners.quota >= 1).all()
    assert len(set(partners.product)) == 3


def test_drift_moves_lateness_prices_creatives_and_a_unit() -> None:
    world = World(small_conf("drifting", people=3000, months=12, book_months=18))
    who, calendar = np.arange(3000), world.calendar
    before = late_chance(world, who, calendar.end_month - 12)
    after = late_chance(world, who, calendar.end_month)
    moved = float(np.diff(world.drift.late(np.array([calendar.end_month - 12, calendar.end_month])))[0])
    honest = ~world.people.is_ring
    logit = np.log(after / (1 - after)) - np.log(before / (1 - before))
    assert np.allclose(logit[honest], moved)
    assert moved != 0.0
    assert world.drift.price(calendar.end_month - 2) == pytest.approx(1.03**-1)
    running = world.creatives.active(calendar.first_month)
    assert (running >= 1).all()
    assert running.sum() < world.creatives.active(world.campaign_month).sum()
    ids = Identities(world)
    records = prospect_records(world, ids)
    days = month_start([calendar.end_month - 4, calendar.end_month])
    shown = [prospects_snapshot(world, ids, records, int(day)) for day in days]
    medians = [pc.approximate_median(table.column("utilisation")).as_py() for table in shown]
    assert 80 < medians[1] / medians[0] < 125


def test_without_a_market_conf_the_error_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--conf"):
        read_market_conf(tmp_path / "market.yaml")
