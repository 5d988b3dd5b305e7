"""What an audience is: its opaque name, the partner and the bid of each of its people. Pure column logic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from segments.gates import uniform

if TYPE_CHECKING:
    from pyspark.sql import Column

    from jobs.runtime.settings import PartnerConf

LOWEST_BID, HIGHEST_BID = 0.2, 5.0
UNBANDED = "(none)"


def audience_name(salt: str, channel: Column, role: Column, band: Column) -> Column:
    """`aud-` and eight digits or letters: the same for a channel, role and band every day, and telling nothing of them.

    Platforms refuse audiences whose name hints at somebody's finances.
    """
    parts = F.concat_ws(":", F.lit(salt), F.lit("audience"), channel, role, F.coalesce(band, F.lit(UNBANDED)))
    number = F.conv(F.substring(F.sha2(parts, 256), 1, 12), 16, 36)
    return F.concat(F.lit("aud-"), F.lower(F.lpad(F.substring(number, -8, 8), 8, "0")))


def bid_multiplier(good: Column, cost: Column, good_per_cost: Column) -> Column:
    """What a person's spend brings beside the channel's own average, 0.2 to 5; 1 where there is nothing to compare."""
    ratio = F.try_divide(F.try_divide(good, cost), good_per_cost)
    return F.coalesce(F.least(F.greatest(ratio, F.lit(LOWEST_BID)), F.lit(HIGHEST_BID)), F.lit(1.0))


def partner_of(partners: Mapping[str, PartnerConf], salt: str, person: Column, region: Column, band: Column) -> Column:
    """One partner a person among those that take its region and band, the same every day; null where none does.

    People are split in proportion to appetite x quota (a partner without a quota counts as the largest one given),
    by weighted rendezvous hashing: a change of one partner moves only the people it wins or loses.
    """
    largest = max((p.quota for p in partners.values() if p.quota), default=1)
    bids = []
    for name, partner in sorted(partners.items()):
        quota = largest if partner.quota is None else partner.quota
        weight = _appetite(partner, band) * F.lit(float(quota))
        takes = (weight > 0) & _takes_region(partner, region)
        luck = F.greatest(uniform(salt, "partner", name, person), F.lit(1e-15))
        bids.append(F.when(takes, F.struct((-F.log(luck) / weight).alias("rank"), F.lit(name).alias("partner"))))
    if not bids:
        return F.lit(None).cast("string")
    return F.array_min(F.array(*bids)).getField("partner")


def _appetite(partner: PartnerConf, band: Column) -> Column:
    if not partner.appetite:
        return F.lit(1.0)
    result = F.lit(partner.appetite.get("*", 0.0))
    for name, appetite in sorted(partner.appetite.items()):
        result = F.when(band == F.lit(name), F.lit(float(appetite))).otherwise(result)
    return result


def _takes_region(partner: PartnerConf, region: Column) -> Column:
    if not partner.regions:
        return F.lit(True)
    return F.coalesce(region.isin(*partner.regions), F.lit(False))
