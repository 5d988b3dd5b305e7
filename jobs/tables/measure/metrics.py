"""Every metric of conf/metrics.yaml at every grain that is shown."""

from __future__ import annotations

from jobs.contract import Column, Table
from jobs.tables.ingest import key

METRIC_STORE = Table(
    "metric_store",
    "measure",
    "Every metric of conf/metrics.yaml by month, channel, campaign or band, each with its interval or its reason",
    ("metric", "period", "channel", "campaign", "band"),
    (
        key("metric", "string", "name in metrics.yaml"),
        key(
            "period",
            "string",
            "month, YYYY-MM: of spend and touch, of funding (vintages), of the report (deliveries); of lift: "
            "history or campaign",
        ),
        key(
            "channel",
            "string",
            "channel; (all) for every paid channel; (unattributed) for outcomes without a touch, (total) for both",
        ),
        key("campaign", "string", "campaign; (all) for every campaign"),
        key("band", "string", "band when sent; (none) when unknown, (all) for every band"),
        key("unit", "string", "currency, count or ratio"),
        Column("num", "double", "numerator, summed to this grain", scale=6),
        Column("den", "double", "denominator, summed to this grain; null where the metric has none", scale=6),
        Column(
            "value", "double", "num / den; null with a reason, never 0 or infinite for want of a denominator", scale=9
        ),
        Column("lo", "double", "lower end, 95 %"),
        Column("hi", "double", "upper end, 95 %; null where there is none"),
        Column("developed", "double", "what an immature value will come to; never in `value`", scale=9),
        Column("developed_lo", "double", "lower end, 95 %"),
        Column("developed_hi", "double", "upper end, 95 %"),
        key("maturity", "string", "final, or open while what is credited may still turn"),
        Column("reason", "string", "why value is null: not_told, immature, no_outcome, not_identified or too_few"),
    ),
)
