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
        key("rate", "decimal(18,8)", "rate used"),
        key("rate_day", "date", "day of the rate used"),
        key("cost_minor", "bigint", "base currency, minor units"),
        Column("impressions", "bigint", "impressions billed"),
        Column("clicks", "bigint", "clicks billed"),
    ),
)
CHANNEL_COSTS = Table(
    "channel_costs",
    "measure",
    "What each customer cost, by channel, campaign, ad group and band; spend follows the clicks",
    ("period", "channel", "campaign", "ad_group", "band"),
    (
        key("period", "string", "month of the spend and of the touch, YYYY-MM"),
        key("channel", "string", "channel; (unattributed) for outcomes without a touch"),
        Column("campaign", "string", "campaign"),
        Column("ad_group", "string", "ad group; null means not at that level"),
        key("band", "string", "band the person had when sent; (none) when unknown"),
        key("currency", "string", "base currency"),
        key("spend_minor", "bigint", "spend, minor units"),
        key("spend", "double", "spend, major units", scale=2),
        key("is_allocated", "boolean", "spend was split over bands by clicks, not billed at this grain"),
        key("clicks", "bigint", "clicks"),
        key("applications", "bigint", "applications credited"),
        key("approvals", "bigint", "approvals credited"),
        key("funded", "bigint", "funded customers credited"),
        key("matured", "bigint", "funded customers whose outcome is decided"),
        key("good", "bigint", "good customers credited, of those matured"),
        key("late", "bigint", "late customers, of those matured"),
        key("fraud", "bigint", "confirmed fraud"),
        Column("cost_per_application", "double", "spend / applications; null when there is none", scale=6),
        Column("cost_per_approval", "double", "spend / approvals; null when there is none", scale=6),
        Column("cost_per_funded", "double", "spend / funded; null when there is none", scale=6),
        Column("cost_per_good", "double", "spend / good; null when there is none or not all funded are matured", scale=6),
        Column("reason", "string", "why a cost is null: no_outcome or immature"),
    ),
)
