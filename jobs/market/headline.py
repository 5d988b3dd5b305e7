"""A market's headline rates beside published bands and where those come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jobs.market.default import age
from jobs.market.funnel import APPROVED
from jobs.market.ledger import Ledger
from jobs.market.tally import Tally
from jobs.market.world import World

if TYPE_CHECKING:
    from jobs.market.state import MarketSummary


@dataclass(frozen=True)
class HeadlineRate:
    """One rate of the market, its band, and the source of the band; `cases` is the denominator."""

    name: str
    value: float
    cases: int
    low: float
    high: float
    source: str

    @property
    def is_inside(self) -> bool:
        """Whether the rate lies in its band."""
        return self.low <= self.value <= self.high


def headline_rows(world: World, ledger: Ledger, tally: Tally) -> list[HeadlineRate]:
    """Every headline rate of a market's history."""
    return [*_channel_rates(world, tally), *_funnel_rates(world, ledger, tally)]


def _channel_rates(world: World, tally: Tally) -> list[HeadlineRate]:
    """Rates by channel, for the bands the conf gives."""
    rows = []
    for k, media in enumerate(world.conf.channels):
        clicks, shown = max(tally.clicks[k], 1.0), max(tally.impressions[k], 1.0)
        rates = (
            ("CTR", tally.clicks[k] / shown, shown, media.ctr_band),
            ("click to apply", tally.applies[k] / clicks, clicks, media.click_to_apply_band),
            ("cost per click", tally.cost[k] / clicks, clicks, media.price_band),
        )
        rows += [
            HeadlineRate(f"{name}, {media.name}", float(value), int(cases), *band, media.band_source)
            for name, value, cases, band in rates
            if band is not None
        ]
    return rows


def _funnel_rates(world: World, ledger: Ledger, tally: Tally) -> list[HeadlineRate]:
    approved = ledger.decision == APPROVED
    funded = ledger.funded_us >= 0
    person = ledger.person[funded]
    ageing = age(world, person, ledger.funded_us[funded])
    came = ledger.click != 0
    spent = float(tally.cost.sum())
    bought = int((came & approved).sum())
    matched = float(np.average([c.match_rate for c in world.conf.channels], weights=tally.sent + 1e-9))
    late = ageing.late_month > 0
    bands = world.conf.bands

    def rate(name: str, part: float, of: int, low: float, high: float, source: str) -> HeadlineRate:
        return HeadlineRate(name, part / max(of, 1), of, low, high, source)

    return [
        rate("approved / applied", approved.sum(), len(ledger), 0.10, 0.216,
             "LendingClub about 10 % of applicants; Qifu 2023 Q3 49.2M / 227.9M registered = 21.6 %"),
        rate("drawn / approved", funded.sum(), int(approved.sum()), 0.598, 0.645,
             "Qifu 2023 Q3 29.4M borrowers / 49.2M approved = 59.8 %; 64.5 % in the small study"),
        rate("late (over 90 days by month 12) / funded", late.sum(), int(funded.sum()),
             bands.late.low, bands.late.high, bands.late.source),
        rate("fraud / funded", ageing.is_fraud.sum(), int(funded.sum()),
             bands.fraud.low, bands.fraud.high, bands.fraud.source),
        rate("cost per approved, campaigns", spent, bought, 265.0, 384.0,
             "Qifu RMB 265 to 384 per approved user, quarters of 2024 Q1 to 2025 Q2"),
        rate("matched / uploaded", matched, 1, 0.30, 0.80, "Meta 30-50 to 60-80 %, Google 40-70 % (vendor pages)"),
        rate("organic applications / person and month", float(world.organic.sum()), world.people.count, 0.0015,
             0.0030, "small study: 0.20 %"),
    ]  # fmt: skip


def headline_text(rows: list[HeadlineRate]) -> str:
    """The rates as a table in text, one line each, with a mark where one leaves its band."""
    width = max(len(row.name) for row in rows)
    lines = [f"{'rate':<{width}}  {'value':>9}  {'low':>9}  {'high':>9}      source"]
    for row in rows:
        mark = "  " if row.is_inside else "!!"
        lines.append(f"{row.name:<{width}}  {row.value:9.4g}  {row.low:9.4g}  {row.high:9.4g}  {mark}  {row.source}")
    return "\n".join(lines)


def render(summary: MarketSummary) -> str:
    """A market's summary as text: rows written, headline rates, and what could be saved at equal volume."""
    ladder = summary.ladder
    lines = [
        "the market is there already" if summary.is_reused else "a new market",
        f"history until {summary.history_end}; rows landed: "
        + ", ".join(f"{name} {count:,}" for name, count in sorted(summary.rows.items())),
        "",
        headline_text(summary.headline),
        "",
        f"reachable volume: {ladder.reachable:,.1f} incremental good customers a wave (true expectation)",
        f"{'share of it':>12}  {'random':>8}  {'best channel first':>18}  {'oracle':>8}  {'oracle saves':>12}",
    ]
    for place, share in enumerate(ladder.shares):
        lines.append(
            f"{share:>12.0%}  {ladder.random[place]:8.1f}  {ladder.best_channel[place]:18.1f}  "
            f"{ladder.oracle[place]:8.1f}  {ladder.saving[place]:12.0%}"
        )
    return "\n".join(lines)
