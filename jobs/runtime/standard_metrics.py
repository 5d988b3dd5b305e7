"""The metrics a deployment has without a metrics.yaml of its own."""

from __future__ import annotations

from jobs.runtime.settings import MetricConf

# The landing contract's own words, so that its columns exist in a deployment without a metrics.yaml.
_GRAIN = ("period", "channel", "campaign", "ad_group", "band")
_PAID = "channel <> '(unattributed)'"
STANDARD = {
    "cost_per_application": MetricConf(
        num="spend",
        den="applications",
        where=_PAID,
        unit="currency",
        grain=_GRAIN,
        label={"en": "Cost per application", "zh": "进件成本"},
        interval="poisson",
    ),
    "cost_per_approval": MetricConf(
        num="spend",
        den="approvals",
        where=_PAID,
        unit="currency",
        grain=_GRAIN,
        label={"en": "Cost per approval", "zh": "授信成本"},
        interval="poisson",
    ),
    "cost_per_funded": MetricConf(
        num="spend",
        den="funded",
        where=_PAID,
        unit="currency",
        grain=_GRAIN,
        label={"en": "Cost per funded customer", "zh": "动支成本"},
        interval="poisson",
    ),
    "cost_per_good": MetricConf(
        num="spend",
        den="good",
        where=_PAID,
        unit="currency",
        grain=_GRAIN,
        label={"en": "Cost per good customer", "zh": "优质户成本"},
        interval="poisson",
        decided="good",
    ),
    "contribution_per_funded": MetricConf(
        num="interest - 0.004 * balance_months - lost",
        den="funded",
        unit="currency",
        grain=("period", "channel", "campaign", "band"),
        label={"en": "Interest less funding and losses per funded customer so far", "zh": "户均贡献"},
    ),
}
