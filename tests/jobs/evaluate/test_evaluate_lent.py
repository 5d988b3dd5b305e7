"""The referee on partners: over whoever serves chances are the usual ones, quotas bind, wrong regions fall back."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.evaluate.judge import Lent, Stakes, judge
from jobs.evaluate.lent import PartnerTruth
from jobs.market.conf import read_market_conf
from jobs.market.dice import Floats, Ints
from jobs.market.taking import TakingOrder
from jobs.market.world import World
from segments.impact import Impact

CONF = Path(__file__).parents[3] / "conf"


@cache
def world() -> World:
    return World(read_market_conf(CONF / "market.yaml", CONF / "families" / "log_linear.yaml", people=3000, seed=7))


def rows() -> Ints:
    return np.arange(0, 2500, 5)


def sent(row: Ints, partner: list[str | None], funded: Floats | None = None) -> Lent:
    return PartnerTruth(world()).lent(row, partner, np.full(len(row), 1e-9) if funded is None else funded)


def test_over_whoever_serves_each_person_chances_are_the_usual_ones() -> None:
    row, partners = rows(), world().partners
    region = world().people.region[world().prospects[row]]
    approved, funded = np.zeros(len(row)), np.zeros(len(row))
    for place, name in enumerate(partners.name):
        lent, serves = sent(row, [name] * len(row)), partners.serves[place, region]
        assert (lent.funded[~serves] == 1.0).all()  # as the market plays it: anyone lends
        approved += np.where(serves, lent.approved, 0.0) / partners.served[region]
        funded += np.where(serves, lent.funded, 0.0) / partners.served[region]
    assert np.allclose(approved, 1.0)
    assert np.allclose(funded, 1.0)


def test_a_partner_unknown_or_none_changes_nothing_and_a_bold_one_funds_more() -> None:
    row, partners = rows(), world().partners
    assert (sent(row, [None] * len(row)).funded == 1.0).all()
    assert (sent(row, ["nobody"] * len(row)).approved == 1.0).all()
    bold, shy = (partners.name[int(at)] for at in (partners.level.argmax(), partners.level.argmin()))
    assert sent(row, [bold] * len(row)).funded.mean() > 1.1 * sent(row, [shy] * len(row)).funded.mean()


@settings(max_examples=20, deadline=None)
@given(st.floats(0.01, 50.0), st.integers(0, 10**6))
def test_nobody_funds_beyond_a_quota(each: float, seed: int) -> None:
    row, partners = rows(), world().partners
    names = list(np.random.default_rng(seed).choice(partners.name, len(row)))
    funded = np.full(len(row), each)
    lent, free = sent(row, names, funded), sent(row, names)
    region = world().people.region[world().prospects[row]]
    for place, name in enumerate(partners.name):
        mine = np.array([n == name for n in names]) & partners.serves[place, region]
        wanted = each * free.funded[mine].sum()
        assert (lent.funded[mine] * each).sum() == pytest.approx(min(wanted, float(partners.quota[place])))


def test_a_verdict_counts_what_is_lent_and_not_what_would_have_been() -> None:
    funded = np.array([[0.2], [0.1]])
    known = Stakes(
        np.ones((2, 1)),
        funded,
        funded * 2,
        np.array([0.1, 0.0]),
        np.array([0.0, 1.0]),
        np.array([5]),
        Impact((0.0,), (1.0,)),
    )
    taken = TakingOrder(np.array([0, 1]), np.array([0, 0]))
    verdict = judge(known, taken, lent=Lent(np.array([1.5, 1.0]), np.array([2.0, 0.5])))
    assert verdict.spend == 2.0
    assert verdict.funded == pytest.approx(0.45)
    assert verdict.approved == pytest.approx(0.4 * 1.5 + 0.2)
    assert verdict.good == pytest.approx(0.4 * 0.9 + 0.05)
    assert verdict.late == pytest.approx(0.04)
    assert verdict.fraud == pytest.approx(0.05)
