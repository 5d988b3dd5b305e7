"""What money added over nobody spending it, and whether that can be believed."""

from __future__ import annotations

from jobs.contract import Column, Table
from jobs.tables.ingest import key
from jobs.tables.measure.costs import PERIOD

LIFT_OUTCOMES = ("applied", "funded", "good")
CHANNEL_LIFT = Table(
    "channel_lift",
    "measure",
    "What being put on a channel's audience added over being held out, reached or not (intention to treat)",
    ("period", "channel", "role", "outcome"),
    (
        PERIOD,
        key("channel", "string", "channel; (all) for every channel together"),
        key("role", "string", "exploration: people drawn at random, a fair comparison; all: whoever was chosen"),
        key("outcome", "string", "applied, funded or good"),
        key("is_randomised", "boolean", "the people were not chosen for the channel, so the lift is caused by it"),
        key("assigned", "bigint", "assignments whose outcome is decided"),
        key("successes", "bigint", "outcomes among them"),
        key("held_out", "bigint", "holdout assignments whose outcome is decided"),
        key("held_out_successes", "bigint", "outcomes among them"),
        Column("rate", "double", "successes an assignment; null when there is none"),
        Column("held_out_rate", "double", "the same for the held out"),
        Column("lift", "double", "rate less held_out_rate"),
        Column("lift_lo", "double", "lower end, 95 %, clustered by person"),
        Column("lift_hi", "double", "upper end, 95 %, clustered by person"),
        Column("lift_any_lo", "double", "lower end of a 95 % confidence sequence: it holds at every look at once"),
        Column("lift_any_hi", "double", "upper end of it"),
        key("currency", "string", "base currency"),
        Column(
            "spend", "double", "spend of the channel while these assignments ran, their share of its clicks", scale=2
        ),
        Column("incremental_cost", "double", "spend an incremental outcome; null where not identified", scale=6),
        Column("incremental_cost_lo", "double", "lower end, 95 %", scale=6),
        Column("incremental_cost_hi", "double", "upper end, 95 %; null where not identified", scale=6),
        Column("reason", "string", "not_identified (the interval of the lift touches 0) or no_spend"),
    ),
)
HOLDOUT_BALANCE = Table(
    "holdout_balance",
    "measure",
    "Whether as many people are held out as were to be (sample ratio mismatch)",
    ("basis", "channel"),
    (
        key("basis", "string", "drawn: everybody; reachable: people whom every other gate lets through"),
        key("channel", "string", "channel; (all) for everybody"),
        key("people", "bigint", "people not held out"),
        key("held_out", "bigint", "people held out"),
        key("share", "double", "share that was to be held out"),
        key("p", "double", "chance of counts as far from it by luck"),
        key("is_mismatch", "boolean", "p below 0.001: find out why before believing any lift"),
    ),
)
CALIBRATIONS = Table(
    "calibrations",
    "measure",
    "What attribution says over what experiments say: by what factor its costs must be divided",
    ("period", "channel", "outcome"),
    (
        PERIOD,
        key("channel", "string", "channel; (all) for every channel together"),
        key("outcome", "string", "applied, funded or good"),
        key("attributed", "double", "outcomes attributed a unit of spend"),
        key("incremental", "double", "incremental outcomes a unit of spend, of people drawn at random"),
        Column("factor", "double", "incremental over attributed: multiply attributed outcomes by it"),
        Column("factor_lo", "double", "lower end, 95 %"),
        Column("factor_hi", "double", "upper end, 95 %"),
        Column("reason", "string", "why factor is null: no_outcome, or not_identified: the lift may be 0"),
    ),
)
BAND_LIFTS = Table(
    "band_lifts",
    "measure",
    "How much oftener people of a band came to something than people of all bands, of those put on audiences",
    ("outcome", "band"),
    (
        key("outcome", "string", "applied, funded or good"),
        key("band", "string", "band the person had when put on the audience"),
        key("exposed", "bigint", "assignments to audiences of which the outcome is known"),
        key("successes", "bigint", "outcomes among them"),
        key("rate", "double", "successes / exposed"),
        key("rate_lo", "double", "lower end, 95 % (Wilson)"),
        key("rate_hi", "double", "upper end, 95 % (Wilson)"),
        key("whole_rate", "double", "the same of all bands"),
        Column("lift", "double", "rate / whole_rate"),
        Column("lift_lo", "double", "rate_lo / whole_rate"),
        Column("lift_hi", "double", "rate_hi / whole_rate"),
        key("exposed_share", "double", "share of the exposed in this band and the better ones"),
        Column("gain", "double", "share of the outcomes in this band and the better ones"),
        Column("reason", "string", "why lift is null: no_outcome"),
    ),
)
SWITCHBACK_TURNS = Table(
    "switchback_turns",
    "measure",
    "Which regions a channel with a switchback serves when: what to set up there",
    ("channel", "period", "region"),
    (
        key("channel", "string", "channel"),
        key("period", "bigint", "number of the period, from 0"),
        key("region", "string", "region"),
        key("first_day", "date", "first day of the period"),
        key("counted_from", "date", "first day that counts: those before still feel the period before"),
        key("last_day", "date", "last day of the period"),
        key("is_on", "boolean", "the region is served"),
    ),
)
SWITCHBACK_LIFTS = Table(
    "switchback_lifts",
    "measure",
    "What a channel that cannot leave people out added: regions served and not served in turn",
    ("channel", "outcome"),
    (
        key("channel", "string", "channel"),
        key("outcome", "string", "applied, funded or good"),
        key("regions", "bigint", "regions in turn"),
        key("periods", "bigint", "periods of which the outcome is known of everybody"),
        key("people", "bigint", "people who live there"),
        Column("rate", "double", "outcomes a person and period served"),
        Column("rate_off", "double", "outcomes a person and period not served"),
        Column("lift", "double", "what being served adds, with regions' and periods' own levels taken out"),
        Column("lift_lo", "double", "lower end, 95 %, by region"),
        Column("lift_hi", "double", "upper end, 95 %, by region"),
        key("currency", "string", "base currency"),
        Column("spend", "double", "spend of the channel on the days that count", scale=2),
        Column("incremental_cost", "double", "spend an incremental outcome; null where not identified", scale=6),
        Column("incremental_cost_lo", "double", "lower end, 95 %", scale=6),
        Column("incremental_cost_hi", "double", "upper end, 95 %; null where not identified", scale=6),
        Column("reason", "string", "immature, too_few_regions, no_spend or not_identified"),
    ),
)
