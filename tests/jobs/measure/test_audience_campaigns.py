"""An audience's campaigns are as its channel reports them, else as conf says; money is told where it is its alone."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest

from jobs.measure.audience_campaigns import audience_campaigns
from jobs.tables.ingest import ASSIGNMENTS, DELIVERIES_REPORTED
from jobs.tables.measure.costs import AUDIENCE_CAMPAIGNS, SPEND_LEDGER

WAVE = date(2026, 1, 5)


def test_campaigns_come_from_reports_and_else_from_conf(rows: Any, conf: Any) -> None:
    channel = next(iter(conf.channels))
    own = conf.channels[channel].model_copy(update={"campaign": "auto-{month}-{audience}"})
    named = conf.model_copy(update={"channels": {**conf.channels, channel: own}})
    assigned = [
        {"prospect_key": f"{channel}-{audience}-{i}", "assigned_day": WAVE, "channel": media, "role": role}
        | {"audience": audience}
        for media, audience, role, count in (
            (channel, "aud-1", "policy", 2),
            ("sms", "aud-2", "policy", 3),
            ("sms", "aud-3", "exploration", 1),
            ("sms", "aud-4", "policy", 1),
            ("none", "held", "holdout", 9),
        )
        for i in range(count)
    ]
    reports = [
        {
            "channel": "sms",
            "audience": audience,
            "reported_day": date(2026, 1, day),
            "campaign": campaign,
            "ad_group": g,
        }
        for audience, day, campaign, g in (
            ("aud-2", 6, "jan", None),
            ("aud-2", 7, "jan", None),
            ("aud-3", 6, "jan", "explore"),
            ("aud-9", 6, "old", None),
            ("aud-4", 6, None, None),
        )
    ]
    spend = [
        {"spend_day": WAVE, "channel": media, "campaign": campaign, "ad_group": g, "cost_minor": cost}
        for media, campaign, g, cost in (
            (channel, "auto-2026-01-aud-1", None, 700),
            ("sms", "jan", "explore", 250),
            ("sms", "jan", None, 1000),
        )
    ]
    found = audience_campaigns(
        rows(DELIVERIES_REPORTED, reports), rows(ASSIGNMENTS, assigned), rows(SPEND_LEDGER, spend), conf=named
    )
    assert found.columns == [c.name for c in AUDIENCE_CAMPAIGNS.columns]
    told = {(row["channel"], row["audience"]): row.asDict() for row in found.collect()}
    figures = ("campaign", "ad_group", "told_by", "assigned", "audiences", "spend", "reason")
    assert {key: tuple(row[name] for name in figures) for key, row in told.items()} == {
        (channel, "aud-1"): ("auto-2026-01-aud-1", None, "conf", 2, 1, 7.0, None),
        ("sms", "aud-2"): ("jan", None, "channel", 3, 2, None, "shared"),
        ("sms", "aud-3"): ("jan", "explore", "channel", 1, 2, None, "shared"),
        ("sms", "aud-4"): (None, None, None, 1, 0, None, "not_told"),
        ("sms", "aud-9"): ("old", None, "channel", 0, 1, 0.0, None),
    }
    both = [reports[0], {**reports[2], "audience": "aud-2"}]
    alone = audience_campaigns(
        rows(DELIVERIES_REPORTED, both), rows(ASSIGNMENTS, []), rows(SPEND_LEDGER, spend), conf=conf
    ).collect()
    assert {row["ad_group"]: row["spend"] for row in alone} == {None: 10.0, "explore": 2.5}, "its own, once"
    shared = audience_campaigns(
        rows(DELIVERIES_REPORTED, [reports[0], {**reports[2], "ad_group": None}]),
        rows(ASSIGNMENTS, assigned[2:6]),
        rows(SPEND_LEDGER, spend),
        conf=conf,
    ).collect()
    assert {(row["audiences"], row["spend"], row["reason"]) for row in shared} == {(2, None, "shared")}


@pytest.mark.parametrize("seed", [1, 2])
def test_random_reports_equal_a_plain_reading_and_no_money_is_told_twice(rows: Any, conf: Any, seed: int) -> None:
    dice = random.Random(seed)
    places = [
        ("sms", campaign, group) for campaign in ("c1", "c2", "c3", "c4", "c5", "c6") for group in (None, "g1", "g2")
    ]
    ran = [(dice.choice(places), f"aud-{i}") for i in range(8) for _ in range(dice.randrange(1, 3))]
    reports = [
        {"channel": channel, "audience": audience, "campaign": campaign, "ad_group": group, "reported_day": WAVE}
        for (channel, campaign, group), audience in ran
    ]
    spend = [
        {
            "spend_day": WAVE,
            "channel": channel,
            "campaign": campaign,
            "ad_group": group,
            "cost_minor": dice.randrange(9**5),
        }
        for channel, campaign, group in places
        for _ in range(2)
    ]
    found = audience_campaigns(
        rows(DELIVERIES_REPORTED, reports), rows(ASSIGNMENTS, []), rows(SPEND_LEDGER, spend), conf=conf
    ).collect()
    meet = lambda a, b: a[:2] == b[:2] and (a[2] == b[2] or None in (a[2], b[2]))  # noqa: E731
    under = {place: {audience for where, audience in ran if meet(where, place)} for place in places}
    assert len(found) == len(set(ran))
    for row in found:
        place = (row["channel"], row["campaign"], row["ad_group"])
        assert row["audiences"] == len(under[place])
        # The row of a whole campaign bears what its ad groups cost too, but for those the audience has rows of.
        own = {where[2] for where, audience in ran if audience == row["audience"] and where[1] == place[1]}
        covered = {
            group for group in (None, "g1", "g2") if group == place[2] or (place[2] is None and group not in own)
        }
        bill = sum(one["cost_minor"] for one in spend if one["campaign"] == place[1] and one["ad_group"] in covered)
        assert row["spend"] == (bill / 100 if len(under[place]) == 1 else None)
        assert row["reason"] == (None if len(under[place]) == 1 else "shared")
    told = sum(round(row["spend"] * 100) for row in found if row["spend"] is not None)
    assert 0 < told <= sum(one["cost_minor"] for one in spend)
