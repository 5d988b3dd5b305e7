"""Prices by person and by use of a channel, from touches and invoices as they land."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jobs.model.learners import Features
from jobs.model.serving.prices import Price, meant_prices, prices
from jobs.model.training.billed import billed_units
from jobs.model.training.price import fit_prices, price_stages
from jobs.runtime.errors import DataRefused
from jobs.runtime.settings import BaseConf, ChannelConf, MeasureConf
from jobs.tables.ingest import FX_RATES, PROSPECTS, SPEND
from jobs.tables.link import ASSIGNMENT_OUTCOMES, LINKED_TOUCHES
from support import make_conf

DAY = date(2026, 6, 1)
TOLD: dict[str, Any] = {"capacity": 100, "budget": Decimal(100), "currency": "CNY"}
CONF = make_conf(channels={name: ChannelConf(**TOLD) for name in ("feed_a", "feed_b")})
FEATURES = Features(("income",), ("city",))


def planted(elasticity: float, months: int = 12, clicks: int = 700) -> pd.DataFrame:
    """Clicks of two channels whose price rises with income by 0.4 a spread, and with the people listed."""
    draw = np.random.default_rng(2)
    parts = []
    for channel, price in (("feed_a", 2.0), ("feed_b", 5.0)):
        for month in range(months):
            listed = 1000.0 * np.exp(0.5 * draw.normal())
            income = draw.normal(size=clicks)
            cost = price * np.exp(0.4 * income - 0.08) * (listed / 1000.0) ** elasticity
            invoice = [f"{channel}-{month}-{n // 5}" for n in range(clicks)]
            rows = pd.DataFrame({"channel": channel, "income": income, "city": "x", "cost": cost, "invoice": invoice})
            parts.append(
                rows.assign(listed=listed, units=5.0, seen=5.0, on_day=DAY - timedelta(days=30 * (months - month)))
            )
    units = pd.concat(parts, ignore_index=True)
    units["cost"] = units.groupby("invoice")["cost"].transform("sum")
    units["invoice"] = units.groupby("invoice").ngroup()
    return units.sort_values("invoice", ignore_index=True).assign(touch_id=np.arange(len(units)).astype(str))


@pytest.mark.parametrize("elasticity", [0.0, 0.3])
def test_who_is_dear_and_how_prices_rise_with_use_come_back(elasticity: float) -> None:
    units = planted(elasticity)
    found = fit_prices(units, FEATURES, DAY, CONF)
    assert [one.channel for one in found] == ["feed_a", "feed_b"]
    people = pd.DataFrame({"income": np.linspace(-1.5, 1.5, 9), "city": "x"})
    for one in found:
        slope = np.polyfit(people["income"], np.log(one.model.factor(people)), 1)[0]
        assert slope == pytest.approx(0.4, abs=0.08)
        assert one.elasticity == pytest.approx(elasticity, abs=0.06)
        lately = units[(units["channel"] == one.channel) & (units["on_day"] > DAY - timedelta(days=90))]
        factor = one.model.factor(lately) * (lately["listed"] / one.usual) ** one.elasticity
        assert factor.mean() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("linked", [0.9, 0.6])
def test_people_whose_touches_are_not_linked_do_not_hide_who_is_dear(linked: float) -> None:
    """Read as if they were the linked ones', prices would differ by 0.4 x `linked` a spread of income."""
    units = planted(0.2, clicks=1500)
    units = units[np.random.default_rng(5).random(len(units)) < linked].reset_index(drop=True)
    people = pd.DataFrame({"income": np.linspace(-1.5, 1.5, 9), "city": "x"})
    for one in fit_prices(units, FEATURES, DAY, CONF):
        slope = np.polyfit(people["income"], np.log(one.model.factor(people)), 1)[0]
        assert slope == pytest.approx(0.4, abs=0.05)
        assert one.elasticity == pytest.approx(0.2, abs=0.06)


def test_a_list_price_is_the_same_for_everybody() -> None:
    draw = np.random.default_rng(4)
    wide = Features(tuple(f"x{i}" for i in range(20)))
    bill = np.repeat(np.arange(60), 60)
    units = pd.DataFrame(draw.normal(size=(len(bill), 20)), columns=list(wide.numeric)).assign(
        channel="sms",
        invoice=bill,
        units=60.0,
        seen=60.0,
        cost=60.0 * (0.07 * np.exp(0.1 * draw.normal(size=60)))[bill],
        listed=1000.0,
        on_day=[DAY - timedelta(days=2 * int(n)) for n in bill],
        touch_id=np.arange(len(bill)).astype(str),
    )
    conf = make_conf(channels={"sms": ChannelConf(**TOLD, billing="message")})
    (found,) = fit_prices(units, wide, DAY, conf)
    assert found.model.factor(units).std() < 0.05


def test_too_few_units_say_nothing() -> None:
    assert fit_prices(planted(0.0, months=1, clicks=100), FEATURES, DAY, CONF) == []


def test_a_channel_with_too_few_units_rises_with_use_as_the_others_do() -> None:
    units = planted(0.3)
    units.loc[(units["channel"] == "feed_b").to_numpy() & (units["invoice"] % 50 > 0), "channel"] = "feed_a"
    few = units[(units["channel"] == "feed_b").to_numpy()]
    assert 0 < len(few) < 300
    known, borrowed = fit_prices(units, FEATURES, DAY, CONF)
    assert (known.channel, borrowed.channel) == ("feed_a", "feed_b")
    assert known.elasticity > 0.1
    assert borrowed.elasticity == known.elasticity
    lately = few[few["on_day"] > DAY - timedelta(days=90)]["listed"]
    assert borrowed.usual == pytest.approx(np.exp(np.log(lately).mean()), abs=1e-3)
    assert borrowed.model is None
    assert [one.is_borrowed for one in (known, borrowed)] == [False, True]
    assert all(
        ("that of the other channels" in note) == (one is borrowed)
        for one in (known, borrowed)
        for stage in price_stages([one])
        for note in stage.notes
    )
    told = [(one.stage, one.channel, one.scale) for one in price_stages([borrowed])]
    assert told == [("load", "feed_b", borrowed.elasticity), ("usual", "feed_b", borrowed.usual)]
    message = make_conf(channels={"feed_a": ChannelConf(**TOLD), "feed_b": ChannelConf(**TOLD, billing="message")})
    assert [one.channel for one in fit_prices(units, FEATURES, DAY, message)] == ["feed_a"], "a sender has a list price"


def test_a_channel_that_was_always_used_alike_rises_with_use_as_the_others_do() -> None:
    units = planted(0.3)
    alike = (units["channel"] == "feed_b").to_numpy()
    units.loc[alike, "listed"] = 700.0
    known, untold = fit_prices(units, FEATURES, DAY, CONF)
    assert known.elasticity == pytest.approx(0.3, abs=0.06)
    assert untold.elasticity == known.elasticity
    assert untold.usual == pytest.approx(700.0, abs=1e-3)
    assert untold.model is not None
    nothing = fit_prices(units.assign(listed=700.0), FEATURES, DAY, CONF)
    assert [(one.elasticity, one.is_borrowed) for one in nothing] == [(0.0, False)] * 2


def test_units_are_the_touches_a_channel_bills_on_the_invoice_of_their_day(rows: Any, make_shell: Any) -> None:
    channels = {
        "search": ChannelConf(**TOLD),
        "banner": ChannelConf(**{**TOLD, "currency": "USD"}, billing="impression"),
        "list": ChannelConf(**TOLD, billing="person"),
    }
    renamed = BaseConf(
        currency="CNY", features=make_conf().base.features, measure=MeasureConf(campaign_names=((r"_v\d+$", ""),))
    )
    conf = make_conf(channels=channels, base=renamed)
    wave, after = date(2026, 5, 2), date(2026, 5, 4)
    at = datetime(2026, 5, 4, 9, tzinfo=UTC)

    def touch(name: str, channel: str, kind: str, creative: str | None, who: str | None = "p1") -> dict[str, Any]:
        told = {"touch_id": name, "occurred_at": at, "channel": channel, "campaign": "c", "kind": kind}
        return {**told, "creative": creative, "prospect_key": who, "person_key": who}

    touches = [
        touch("t1", "search", "click", "one"),
        touch("t2", "search", "click", "one", "p2"),
        touch("t3", "search", "impression", "one"),
        touch("t4", "search", "click", "two"),
        touch("t5", "search", "click", "one", None),
        touch("t6", "banner", "impression", "any"),
        touch("t7", "banner", "click", "any"),
        touch("t8", "list", "click", None),
        touch("t9", "search", "click", "never billed"),
    ]
    bill = {"spend_day": after, "campaign": "c_v2", "currency": "CNY", "impressions": 40}
    spend = [
        {**bill, "channel": "search", "creative": "one", "cost": Decimal("9.00"), "clicks": 3},
        {**bill, "channel": "search", "creative": "two", "cost": Decimal("4.00"), "clicks": 1},
        {**bill, "channel": "banner", "cost": Decimal("2.00"), "currency": "USD", "clicks": 1},
        {**bill, "channel": "list", "cost": Decimal("8.00"), "clicks": 1},
    ]
    done = {"role": "policy", "impressions": 1, "clicks": 1, "assigned_day": wave}
    listed = [
        {**done, "prospect_key": f"p{n}", "person_key": f"p{n}", "channel": "search" if n < 7 else "banner"}
        for n in range(10)
    ]
    listed.append({**listed[0], "assigned_day": date(2026, 4, 2)})
    listed.append({**listed[9], "prospect_key": "p10", "assigned_day": after})  # listed in the morning, billed by night
    prospects = [{"prospect_key": f"p{n}", "income": float(n), "city": "x"} for n in range(10)]
    rates = [{"rate_day": wave, "currency": "USD", "rate": Decimal(7)}]
    found = billed_units(
        rows(SPEND, spend, DAY, conf),
        rows(FX_RATES, rates, DAY, conf),
        rows(LINKED_TOUCHES, touches, DAY, conf),
        rows(ASSIGNMENT_OUTCOMES, listed, DAY, conf),
        rows(PROSPECTS, prospects, date(2026, 5, 1), conf),
        FEATURES,
        DAY,
        conf,
        make_shell(conf),
    ).set_index("touch_id")
    assert sorted(found.index) == ["t1", "t2", "t4", "t6"]
    assert found["cost"].to_dict() == {"t1": 9.0, "t2": 9.0, "t4": 4.0, "t6": 14.0}
    assert found["units"].to_dict() == {"t1": 3.0, "t2": 3.0, "t4": 1.0, "t6": 40.0}
    assert found["seen"].to_dict() == {"t1": 3, "t2": 3, "t4": 1, "t6": 1}
    assert found["listed"].to_dict() == {"t1": 7.0, "t2": 7.0, "t4": 7.0, "t6": 4.0}
    assert found["income"].to_dict() == {"t1": 1.0, "t2": 2.0, "t4": 1.0, "t6": 1.0}
    assert found.loc["t1", "invoice"] == found.loc["t2", "invoice"] != found.loc["t4", "invoice"]


def test_what_was_never_paid_for_costs_what_its_budget_says_in_the_base_currency(rows: Any, make_shell: Any) -> None:
    channels = {
        "at_home": ChannelConf(**TOLD),
        "abroad": ChannelConf(**{**TOLD, "currency": "USD", "budget": Decimal(300)}),
        "nowhere": ChannelConf(**{**TOLD, "currency": "EUR"}),
    }
    conf = make_conf(channels=channels)
    told = [{"rate_day": date(2026, 5, 1), "currency": "USD", "rate": Decimal(7)}]
    told.append({"rate_day": DAY + timedelta(days=1), "currency": "EUR", "rate": Decimal(8)})
    nothing = (rows(table, [], DAY, conf) for table in (SPEND, LINKED_TOUCHES, ASSIGNMENT_OUTCOMES))
    spend, touches, listed = nothing
    shell, rates = make_shell(conf), rows(FX_RATES, told, DAY, conf)
    assert meant_prices(rates, DAY, conf, shell) == {"at_home": 1.0, "abroad": 21.0}
    with pytest.raises(DataRefused, match="nowhere costs is known from its budget alone, in EUR"):
        prices(spend, rates, touches, listed, DAY, conf, shell)
    known = make_conf(channels={name: channels[name] for name in ("at_home", "abroad")})
    found = prices(spend, rates, touches, listed, DAY, known, shell)
    assert found == {"abroad": Price(0.0, 21.0), "at_home": Price(0.0, 1.0)}
