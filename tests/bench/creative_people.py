"""What a market's snapshots tell of its people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jobs.market import people_rows
from jobs.market.dice import Ints
from jobs.market.identities import Identities
from jobs.market.truth import prospect_ids
from jobs.market.world import World


class Known:
    """Prospects as the newest snapshot of a day tells them; a person by the first of its records."""

    def __init__(self, world: World) -> None:
        self._world, ids = world, Identities(world)
        self._days = people_rows.snapshot_days(world)
        self._names = [*(feature.name for feature in world.conf.features), "region"]
        records = people_rows.prospect_records(world, ids)
        self._frames = {
            day: people_rows.prospects_snapshot(world, ids, records, day)
            .select(["prospect_id", *self._names])
            .to_pandas()
            .set_index("prospect_id")
            for day in self._days
        }

    def kinds(self) -> dict[str, str]:
        """Each declared feature as numeric or categorical."""
        told = self._frames[self._days[-1]]
        return {n: "numeric" if told[n].dtype.kind in "ifb" else "categorical" for n in self._names if n != "region"}

    def frame(self, person: Ints, day: int) -> pd.DataFrame:
        """A row a person: prospect_key and features."""
        newest = max(snapshot for snapshot in self._days if snapshot <= day)
        keys = prospect_ids(person).to_pylist()
        found = self._frames[newest].reindex(keys).rename_axis("prospect_key").reset_index()
        numeric = [name for name, kind in self.kinds().items() if kind == "numeric"]
        return found.astype(dict.fromkeys(numeric, np.float64))

    def registered(self, day: int) -> Ints:
        """Everybody whom the newest snapshot of a day holds."""
        newest = max(snapshot for snapshot in self._days if snapshot <= day)
        everybody = np.arange(self._world.people.count)
        return everybody[pd.Index(prospect_ids(everybody).to_pylist()).isin(self._frames[newest].index)]
