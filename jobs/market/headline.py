"""A market's headline rates beside published bands and where those come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.market.default import age
from jobs.market.funnel import APPROVED
from jobs.market.ledger import Ledger
from jobs.market.tally import Tally
from jobs.market.world import World

HOUR_US = 3_600_000_000
STUDY = "small study of a lending market (8 channels); no public figure for this channel, price level assumed"


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
    rows = []
    for k, media in enumerate(world.conf.channels):
        source = media.band_source or STUDY
        clicks, shown = max(tally.clicks[k], 1.0), max(tally.impressions[k], 1.0)
        low, high = media.ctr_band or (media.ctr * 0.6, media.ctr * 1.67)
        rows.append(HeadlineRate(f"CTR {media.name}", tally.clicks[k] / shown, int(shown), low, high, source))
        low, high = media.click_to_apply_band or (media.click_to_apply * 0.5, media.click_to_apply * 2.0)
        rows.append(
            HeadlineRate(f"click to apply {media.name}", tally.applies[k] / clicks, int(clicks), low, high, source)
        )
        if media.cost_model == "cpc":
            rate = world.conf.fx.get(media.currency or "", 1.0)
            low, high = media.price_band or (media.price * rate * 0.7, media.price * rate * 1.4)
            rows.append(HeadlineRate(f"CPC {media.name}", tally.cost[k] / clicks, int(clicks), low, high, STUDY))
    return rows


def _funnel_rates(world: World, ledger: Ledger, tally: Tally) -> list[HeadlineRate]:
    approved = ledger.decision == APPROVED
    funded = ledger.funded_us >= 0
    person = ledger.person[funded]
    ageing = age(world.conf, world.dice, world.people, person, ledger.funded_us[funded])
    came = ledger.click != 0
    spent = float(tally.cost.sum())
    bought = int((came & approved).sum())
    matched = float(np.average([c.match_rate for c in world.conf.channels], weights=tally.sent + 1e-9))
    late = ageing.late_month > 0

    def rate(name: str, part: float, of: int, low: float, high: float, source: str) -> HeadlineRate:
        return HeadlineRate(name, part / max(of, 1), of, low, high, source)

    return [
        rate("approved / applied", approved.sum(), len(ledger), 0.10, 0.24,
             "LendingClub about 10 % of applicants; Qifu 2023 Q3 49.2M / 227.9M registered = 21.6 %"),
        rate("drawn / approved", funded.sum(), int(approved.sum()), 0.55, 0.66,
             "Qifu 2023 Q3 29.4M borrowers / 49.2M approved = 59.8 %"),
        rate("late (over 90 days by month 12) / funded", late.sum(), int(funded.sum()), 0.0235, 0.0668,
             "Qifu 90 days 2.35 % of balance (2023 Q4); Give Me Some Credit 6.68 % of borrowers in two years"),
        rate("fraud / funded", ageing.is_fraud.sum(), int(funded.sum()), 0.002, 0.016,
             "0.2 % claimed by lenders; 1.6 % in the small study"),
        rate("cost per approved, campaigns", spent, bought, 200.0, 420.0,
             "Qifu RMB 265 to 384 per approved user, 2024 Q1 to 2025 Q2, with its quarterly spread around it"),
        rate("matched / uploaded", matched, 1, 0.30, 0.80, "Meta 30-50 to 60-80 %, Google 40-70 % (vendor pages)"),
        rate("organic applications / person and month", float(world.organic.sum()), world.people.count, 0.0015,
             0.0030, "small study: 0.20 %"),
    ]  # fmt: skip
