"""An audience's campaigns are as its channel reports them, else as conf says; money is told where it is its alone."""

from __future__ import annotations

from datetime import date
from typing import Any

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
        ("sms", "aud-2"): ("jan", None, "channel", 3, 1, 12.5, None),
        ("sms", "aud-3"): ("jan", "explore", "channel", 1, 1, 2.5, None),
        ("sms", "aud-4"): (None, None, None, 1, 0, None, "not_told"),
        ("sms", "aud-9"): ("old", None, "channel", 0, 1, 0.0, None),
    }
    shared = audience_campaigns(
        rows(DELIVERIES_REPORTED, [reports[0], {**reports[2], "ad_group": None}]),
        rows(ASSIGNMENTS, assigned[2:6]),
        rows(SPEND_LEDGER, spend),
        conf=conf,
    ).collect()
    assert {(row["audiences"], row["spend"], row["reason"]) for row in shared} == {(2, None, "shared")}
