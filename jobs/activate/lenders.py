"""Which partner funds whom, as a plan takes it: what was learned, under what conf says of regions and bands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jobs.activate.allocation.partners import Partners
from jobs.model.serving.funnel import PRIOR_VERSION
from segments.kinds import Kinds

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from pyspark.sql import Column, DataFrame

    from jobs.runtime.conf import Conf
    from jobs.runtime.settings import PartnerConf
    from jobs.runtime.shell import Shell

MAX_PASSES = 500_000  # rows of partner_passes: about a thousand classes of a few hundred partners


@dataclass(frozen=True, eq=False)
class Lenders:
    """Conf's partners by name, and how often each funds each class of people against the usual one; 0: not at all.

    `pass_rate`: classes x partners. A class is one of `kinds` x one of `bands`, the last band standing for all others.
    """

    names: tuple[str, ...]
    pass_rate: NDArray[np.float64]
    kinds: Kinds
    bands: tuple[str, ...]

    @classmethod
    def of(cls, passes: pd.DataFrame, partners: Mapping[str, PartnerConf]) -> Lenders:
        """From the rows of `partner_passes` (none: all alike) and conf; whom the rows do not know counts as usual."""
        names = tuple(sorted(partners))
        named = tuple(sorted({region for partner in partners.values() for region in partner.regions}))
        kinds = Kinds.of(passes) if len(passes) else Kinds(named, ())
        told = passes.pivot(index="kind", columns="partner", values="pass_rate").reindex(columns=list(names))
        rate = told.reindex(range(kinds.count)).fillna(1.0).to_numpy(dtype=np.float64)
        region = np.arange(kinds.count) // (kinds.count // kinds.shape[0])
        bands = tuple(sorted({band for partner in partners.values() for band in partner.appetite if band != "*"}))
        takes_band = np.ones((len(bands) + 1, len(names)))
        for at, name in enumerate(names):
            own, appetite = partners[name].regions, partners[name].appetite
            if own:
                rate[:, at] *= np.array([place in own for place in (*kinds.regions, None)])[region]
            if appetite:
                rest = appetite.get("*", 0.0)
                takes_band[:, at] = [appetite.get(band, rest) > 0 for band in bands] + [rest > 0]
        whole = (rate[:, None, :] * takes_band[None, :, :]).reshape(kinds.count * (len(bands) + 1), len(names))
        return cls(names, whole, kinds, bands)

    def partners(self, conf: Conf) -> Partners:
        """The same with what conf asks of each."""
        told = [conf.partners[name] for name in self.names]
        return Partners(
            names=self.names,
            pass_rate=self.pass_rate,
            quota=tuple(None if one.quota is None else float(one.quota) for one in told),
            price=tuple(float(one.price) for one in told),
            max_late=tuple(one.max_late_rate for one in told),
            max_fraud=tuple(one.max_fraud_rate for one in told),
        )

    def with_kind(self, scored: DataFrame, prospects: DataFrame) -> DataFrame:
        """Rows of scores with each person's class, `kind`."""
        from pyspark.sql import functions as F

        named = prospects.select("prospect_key", *[F.col(f"`{name}`") for name in self.columns])
        told = scored.join(named, "prospect_key", "left").withColumn("kind", self.kind(F.col("band")))
        return told.drop(*self.columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """What of a prospect tells its class, beside p_approve and the band."""
        return ("region", *([self.kinds.feature] if self.kinds.feature not in (None, "region") else []))

    def kind(self, band: Column) -> Column:
        """The class of a person, from the columns region, p_approve, the feature that tells fit, and a band."""
        from pyspark.sql import functions as F

        fit = F.col(f"`{self.kinds.feature}`").cast("string") if self.kinds.feature else None
        place = F.lit(len(self.bands))
        for at, name in enumerate(self.bands):
            place = F.when(band == F.lit(name), F.lit(at)).otherwise(place)
        people = self.kinds.column(F.col("region"), F.col("p_approve"), fit)
        return (people * F.lit(len(self.bands) + 1) + place).cast("int")


def read_lenders(passes: DataFrame, conf: Conf, shell: Shell) -> Lenders | None:
    """Whom a plan chooses among; None where it chooses none: conf says so or names nobody, or nothing was learned."""
    if conf.base.plan.partners == "off" or not conf.partners:
        return None
    rows = shell.small(passes.drop("day"), MAX_PASSES, ["kind", "partner"])
    is_learned = len(rows) > 0 and rows["model_version"].iloc[0] != PRIOR_VERSION
    return Lenders.of(rows, conf.partners) if is_learned else None
