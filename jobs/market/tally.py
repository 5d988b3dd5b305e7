"""Running totals of history: what each channel showed, won and cost, realised and expected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.market.calendar import month_of
from jobs.market.columns import days, labels
from jobs.market.default import late_chance
from jobs.market.dice import Floats
from jobs.market.incumbent import ROLES, Assigned
from jobs.market.response import load_factor
from jobs.market.truth import Arms, arm
from jobs.market.wave import Audience, WaveEvents
from jobs.market.world import World


class Tally:
    """Counts by channel over all waves, and true expectations by wave, channel and role."""

    def __init__(self, world: World) -> None:
        self._world = world
        count = len(world.conf.channels)
        self.sent, self.impressions, self.clicks, self.cost, self.applies = (np.zeros(count) for _ in range(5))
        self._history: list[dict[str, object]] = []

    def add(self, assigned: Assigned, events: WaveEvents, arms: Arms) -> None:
        """Add one wave."""
        count = len(self.sent)
        rows = assigned.audience.take(np.flatnonzero(assigned.audience.channel >= 0))
        role = assigned.role[assigned.audience.channel >= 0]
        self.sent += np.bincount(rows.channel, minlength=count)
        self.impressions += np.bincount(events.exposure.channel, events.exposure_count, minlength=count)
        self.clicks += np.bincount(events.click.channel, minlength=count)
        self.applies += np.bincount(events.apply.channel, minlength=count)
        self.cost += np.bincount(events.exposure.channel, events.exposure_cost, minlength=count)
        self.cost += np.bincount(events.click.channel, events.click_cost, minlength=count)
        cost, won = self._expected(rows, arms)
        month = int(month_of([rows.day[0] + 1])[0]) if len(rows.day) else 0
        good = won * (1.0 - late_chance(self._world, rows.person, month))
        fraud = won * self._world.people.is_ring[rows.person]
        cell = rows.channel * len(ROLES) + role
        sums = [np.bincount(cell, w, minlength=count * len(ROLES)) for w in (cost, won, good, fraud)]
        people = np.bincount(cell, minlength=count * len(ROLES))
        for number in np.flatnonzero(people):
            self._history.append(
                {
                    "day": int(rows.day[0]),
                    "channel": int(number) // len(ROLES),
                    "role": int(number) % len(ROLES),
                    "people": int(people[number]),
                    **{
                        name: float(values[number])
                        for name, values in zip(("spend", "funded", "good", "fraud"), sums, strict=True)
                    },
                }
            )

    def _expected(self, rows: Audience, arms: Arms) -> tuple[Floats, Floats]:
        """Cost and funded customers expected of a wave as it was: its month's creatives, prices and load."""
        world, conf = self._world, self._world.conf
        cost, won = arms.cost[rows.person, rows.channel], arms.funded[rows.person, rows.channel]
        changes = bool(conf.new_creative_share or conf.drift.creative_decay or conf.drift.price_inflation)
        for channel in range(len(conf.channels)):
            mine = np.flatnonzero(rows.channel == channel)
            if not len(mine):
                continue
            if changes:
                month = int(month_of([rows.day[mine[0]] + 1])[0])
                cost[mine], applied, _ = arm(world, rows.person[mine], channel, month)
                won[mine] = applied * world.funded_given_apply[rows.person[mine]]
            cost[mine] *= load_factor(conf, channel, len(mine))
        return cost, won

    def write_history(self, path: Path) -> None:
        """Write the true expectations of the waves: one row per day, channel and role."""
        rows = self._history

        def column(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
            return np.array([row[name] for row in rows])

        names = [channel.name for channel in self._world.conf.channels]
        table = {
            "day": days(column("day").astype(np.int64)),
            "channel": labels(names, column("channel").astype(np.int64)),
            "role": labels(ROLES, column("role").astype(np.int64)),
            "people": pa.array(column("people").astype(np.int64)),
            **{name: pa.array(column(name)) for name in ("spend", "funded", "good", "fraud")},
        }
        pq.write_table(pa.table(table), path)
