"""What the referee knows: every person's true chances, every arm's true cost and effect, the channels' capacity."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.market.columns import digit_bytes, labels, text
from jobs.market.creatives import pull
from jobs.market.default import late_chance
from jobs.market.dice import Floats, Ints
from jobs.market.response import expected_cost, organic_window, respond
from jobs.market.world import World

CHUNK = 200_000


def prospect_ids(rows: Ints) -> pa.Array:
    """The ids of prospect records by row number; scrambled, so that an id tells nothing about its person."""
    return text(len(rows), "p", digit_bytes((rows * 48_271 + 11) % 100_000_007, 9))


def arm(world: World, person: Ints, channel: int) -> tuple[Floats, Floats, Floats]:
    """Expected cost, incremental expected funded customers and reach of `person` on a channel, creatives in rotation.

    Being sent adds applications only where the person would not have applied anyway: reach x P(apply by the ad) x
    (1 - P(organic)), then approval and drawdown.
    """
    per = world.creatives.per_channel
    answer = respond(world.conf, world.people, person, channel)
    mean_pull, applies = np.zeros(len(person)), np.zeros(len(person))
    for place in range(per):
        creative = np.full(len(person), channel * per + place)
        clicks = pull(world.people, world.creatives, person, creative)
        mean_pull += clicks / per
        applies += -np.expm1(-clicks * answer.clicks * answer.apply) / per
    organic = organic_window(world.organic[person])
    cost = expected_cost(world.conf.channels[channel], answer, mean_pull, organic)
    won = answer.reach * applies * (1.0 - organic) * world.funded_given_apply[person]
    return cost, won, answer.reach


@dataclass(frozen=True)
class Arms:
    """People x channels: expected cost, incremental expected funded customers, reach."""

    cost: Floats
    funded: Floats
    reach: Floats


def all_arms(world: World) -> Arms:
    """Every person on every channel, as if nobody were a customer yet."""
    shape = (world.people.count, len(world.conf.channels))
    arms = Arms(np.empty(shape), np.empty(shape), np.empty(shape))
    for channel in range(shape[1]):
        for start in range(0, shape[0], CHUNK):
            rows = np.arange(start, min(start + CHUNK, shape[0]))
            cell = (slice(start, start + len(rows)), channel)
            arms.cost[cell], arms.funded[cell], arms.reach[cell] = arm(world, rows, channel)
    return arms


def write_truth(world: World, truth: Path, arms: Arms) -> None:
    """Write people.parquet, arms.parquet and channels.json (capacity in people on the audience per wave)."""
    person = world.prospects
    ids = prospect_ids(np.arange(len(person)))
    people = {
        "prospect_id": ids,
        "person_id": text(len(person), "n", digit_bytes(person, 8)),
        "p_organic": organic_window(world.organic)[person],
        "p_late": late_chance(world.conf, world.people)[person],
        "is_fraud_ring": world.people.is_ring[person],
    }
    pq.write_table(pa.table(people), truth / "people.parquet")
    names = [channel.name for channel in world.conf.channels]
    count = len(names)
    table = {
        "prospect_id": ids.take(pa.array(np.repeat(np.arange(len(person)), count))),
        "channel": labels(names, np.tile(np.arange(count), len(person))),
        "expected_cost": arms.cost[person].ravel(),
        "inc_funded": arms.funded[person].ravel(),
        "reach": arms.reach[person].ravel(),
    }
    pq.write_table(pa.table(table), truth / "arms.parquet", compression="zstd", compression_level=1)
    capacity = {channel.name: round(channel.capacity * world.people.count) for channel in world.conf.channels}
    (truth / "channels.json").write_text(json.dumps(capacity, indent=1) + "\n", encoding="utf-8")
