"""What touches are credited with under each model of attribution, and what is still on its way."""

from __future__ import annotations

from jobs.contract import Column, Table
from jobs.tables.ingest import key

CHANNEL_CREDITS = Table(
    "channel_credits",
    "measure",
    "What each channel, campaign and ad group is credited with by day of the touch, under every model; not causal",
    ("stage", "model", "cost_day", "channel", "campaign", "ad_group"),
    (
        key("stage", "string", "whose paths: apply, approve or fund"),
        key(
            "model",
            "string",
            "last, first, last_non_direct, linear, linear_unique, time_decay, position, shapley_model, markov_1 to 3",
        ),
        key("cost_day", "date", "day of the touch; unattributed: day of the conversion"),
        key("channel", "string", "channel; (unattributed) for conversions without a touch"),
        Column("campaign", "string", "campaign; null on (unattributed)"),
        Column("ad_group", "string", "ad group; null means not at that level"),
        key("applications", "decimal(18,9)", "applications credited, of the stage apply"),
        key("approvals", "decimal(18,9)", "approvals credited, of the stage approve"),
        key("funded", "decimal(18,9)", "funded customers credited, of the stage fund"),
        key("good", "decimal(18,9)", "good customers among them"),
        key("late", "decimal(18,9)", "late customers among them"),
        key("fraud", "decimal(18,9)", "confirmed fraud among them"),
        key("principal_minor", "bigint", "principal of the funded, minor units of the base currency"),
        key("paths_cut", "bigint", "paths of over 200 touches, of which the first and the last 199 count"),
    ),
)
CHANNEL_ATTRIBUTIONS = Table(
    "channel_attributions",
    "measure",
    "What each channel is credited with over all days, and how far chance moves it, under every model; not causal",
    ("stage", "model", "channel"),
    (
        key("stage", "string", "whose paths: apply, approve or fund"),
        key("model", "string", "as in channel_credits"),
        key("channel", "string", "channel; (unattributed) for conversions without a touch"),
        key(
            "conversions",
            "double",
            "of rules and Shapley values the sum of channel_credits; of a chain the conversions with a touch, by "
            "removal effects (channel_credits shares each path's among its own channels, so that its sums differ)",
            scale=6,
        ),
        Column("conversions_lo", "double", "lower end, 95 %, over people; null beyond 64 channels", scale=3),
        Column("conversions_hi", "double", "upper end, 95 %", scale=3),
        Column("principal", "double", "principal of the funded so credited, major units of the base currency", scale=2),
        Column("effect", "double", "share of conversions lost without it; null but of chains"),
        Column("effect_lo", "double", "lower end, 95 %", scale=6),
        Column("effect_hi", "double", "upper end, 95 %", scale=6),
        Column("value_effect", "double", "share of principal lost without it"),
        Column("base_conversion", "double", "conversions a journey; null but of chains"),
    ),
    rules=("conversions >= 0", "effect is null or effect between 0 and 1"),
)
NOWCASTS = Table(
    "nowcasts",
    "measure",
    "What the last weeks' touches will have brought once all has arrived, beside what has so far",
    ("outcome", "channel", "week"),
    (
        key("outcome", "string", "applications, approvals or funded"),
        key("channel", "string", "channel of the last touch; (all) for every one"),
        key("week", "date", "Monday of the week of the touches"),
        key("observed", "bigint", "arrived so far, by the last whole week"),
        key("arrived", "double", "share of what will come that has, by the lags of older weeks"),
        Column("total", "double", "observed / arrived; null while less than half has arrived"),
        Column("lo", "double", "lower end, 95 %"),
        Column("hi", "double", "upper end, 95 %"),
        Column("ladder", "double", "the same by chain ladder; null where nothing has arrived"),
        Column("ladder_lo", "double", "lower end, 95 % (Mack)"),
        Column("ladder_hi", "double", "upper end, 95 % (Mack)"),
    ),
)
