"""The measure stage: spend in one currency, cost per customer by channel and band, lift."""

from __future__ import annotations

from jobs.contract import Column, Table
from jobs.tables.ingest import key

SPEND_LEDGER = Table(
    "spend_ledger",
    "measure",
    "Spend in the base currency by dated rates, the latest restatement in force",
    ("spend_day", "channel", "campaign", "ad_group", "creative"),
    (
        key("spend_day", "date", "day the money was spent"),
        key("channel", "string", "channel"),
        key("campaign", "string", "campaign"),
        Column("ad_group", "string", "ad group; null means not at that level"),
        Column("creative", "string", "creative; null means not at that level"),
        key("cost_raw", "decimal(18,2)", "as billed, major units of `currency_raw`"),
        key("currency_raw", "string", "as billed, ISO 4217"),
        key("rate", "decimal(18,8)", "rate used: base currency a unit"),
        key("rate_day", "date", "day of the rate used"),
        key("cost_minor", "bigint", "base currency, minor units"),
        Column("impressions", "bigint", "impressions billed"),
        Column("clicks", "bigint", "clicks billed"),
    ),
)
PERIOD = key("period", "string", "history: up to the day of the first audience this product sent; campaign: after")
COUNTS = (
    key("clicks", "bigint", "clicks, visits and calls"),
    key("applications", "bigint", "applications credited"),
    key("approvals", "bigint", "approvals credited"),
    key("funded", "bigint", "funded customers credited"),
    key("matured", "bigint", "funded customers whose outcome is decided"),
    key("good", "bigint", "good customers credited"),
    key("late", "bigint", "late customers, of those matured"),
    key("fraud", "bigint", "confirmed fraud, of the funded"),
    key("undecided", "bigint", "applications credited whose outcome is still open"),
)
DAILY_COSTS = Table(
    "daily_costs",
    "measure",
    "Spend and the customers credited to it, by day of spend and touch, channel, campaign, ad group and band",
    ("cost_day", "channel", "campaign", "ad_group", "band"),
    (
        key("cost_day", "date", "day of the spend and of the touch; unattributed: day of the application"),
        PERIOD,
        key("channel", "string", "channel; (unattributed) for applications without a touch"),
        Column("campaign", "string", "campaign; null on (unattributed)"),
        Column("ad_group", "string", "ad group; null means not at that level"),
        key("band", "string", "band the person had when sent; (none) when unknown"),
        key("spend_minor", "bigint", "spend, minor units of the base currency"),
        key("is_allocated", "boolean", "spend was split over bands by clicks, not billed at this grain"),
        *COUNTS,
    ),
    rules=("approvals <= applications", "funded <= approvals", "matured <= funded", "good <= matured"),
)
CHANNEL_COSTS = Table(
    "channel_costs",
    "measure",
    "What each customer cost, by channel, campaign, ad group and band; spend follows the clicks",
    ("period", "channel", "campaign", "ad_group", "band"),
    (
        key("period", "string", "month of the spend and of the touch, YYYY-MM; unattributed: month of the application"),
        key("channel", "string", "channel; (unattributed) for outcomes without a touch"),
        Column("campaign", "string", "campaign; null on (unattributed)"),
        Column("ad_group", "string", "ad group; null means not at that level"),
        key("band", "string", "band the person had when sent; (none) when unknown"),
        key("currency", "string", "base currency"),
        key("spend_minor", "bigint", "spend, minor units"),
        key("spend", "double", "spend, major units", scale=2),
        key("is_allocated", "boolean", "spend was split over bands by clicks, not billed at this grain"),
        *COUNTS,
        key("is_mature", "boolean", "no application can be credited any more, and none is undecided"),
        Column("cost_per_application", "double", "spend / applications; null when there is none", scale=6),
        Column("cost_per_approval", "double", "spend / approvals; null when there is none", scale=6),
        Column("cost_per_funded", "double", "spend / funded; null when there is none", scale=6),
        Column("cost_per_good", "double", "spend / good; null when there is none or the row is not mature", scale=6),
        Column("reason", "string", "why cost_per_good is null: unattributed, immature or no_outcome"),
    ),
    rules=("approvals <= applications", "funded <= approvals", "matured <= funded", "good <= matured"),
)
CAMPAIGN_COSTS = Table(
    "campaign_costs",
    "measure",
    "What a customer cost in the history and in the campaign, by channel and band, with 95 % intervals",
    ("period", "channel", "band"),
    (
        PERIOD,
        key(
            "channel",
            "string",
            "channel; (all) for every paid channel; (unattributed) for applications without a touch",
        ),
        key("band", "string", "band when sent; (none) when unknown, (all) for every band"),
        key("currency", "string", "base currency"),
        key("spend_minor", "bigint", "spend, minor units"),
        key("spend", "double", "spend, major units", scale=2),
        *COUNTS,
        Column("cost_per_funded", "double", "spend / funded; null when there is none", scale=6),
        Column("cost_per_funded_lo", "double", "lower end, 95 %, funded as a Poisson count", scale=6),
        Column("cost_per_funded_hi", "double", "upper end, 95 %; null when funded may be none", scale=6),
        key("spend_mature", "double", "spend of the months whose outcomes are all decided, major units", scale=2),
        key("funded_mature", "bigint", "funded customers of those months"),
        key("good_mature", "bigint", "good customers of those months"),
        Column("cost_per_good", "double", "spend_mature / good_mature; null when there is none", scale=6),
        Column("cost_per_good_lo", "double", "lower end, 95 %, good as a Poisson count", scale=6),
        Column("cost_per_good_hi", "double", "upper end, 95 %; null when good may be none", scale=6),
        Column("late_rate", "double", "late / funded, of the decided months"),
        Column("late_rate_lo", "double", "lower end, 95 % (Wilson)"),
        Column("late_rate_hi", "double", "upper end, 95 % (Wilson)"),
        Column("fraud_rate", "double", "fraud / funded, of the decided months"),
        Column("fraud_rate_lo", "double", "lower end, 95 % (Wilson)"),
        Column("fraud_rate_hi", "double", "upper end, 95 % (Wilson)"),
        key("is_mature", "boolean", "every month is decided"),
        Column("reason", "string", "why cost_per_good is null: unattributed, immature or no_outcome"),
    ),
)
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
        key("currency", "string", "base currency"),
        Column(
            "spend", "double", "spend of the channel while these assignments ran, their share of its clicks", scale=2
        ),
        Column("incremental_cost", "double", "spend an incremental outcome; null where not identified", scale=6),
        Column("incremental_cost_lo", "double", "lower end, 95 %", scale=6),
        Column("incremental_cost_hi", "double", "upper end, 95 %; null where not identified", scale=6),
        Column(
            "reason", "string", "no_holdout, no_variance, not_identified (the interval of the lift touches 0), no_spend"
        ),
    ),
)
