"""What the referee knows: every person's true chances, every arm's true cost and effect, the channels' capacity."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.market.columns import digit_bytes, labels, text
from jobs.market.creatives import pull
from jobs.market.default import late_chance
from jobs.market.dice import Floats, Ints
from jobs.market.response import expected_cost, expected_price, organic_window, respond
from jobs.market.world import World

CHUNK = 200_000


def prospect_ids(rows: Ints) -> pa.Array:
    """The ids of prospect records by row number; scrambled, so that an id tells nothing about its person."""
    return text(len(rows), "p", digit_bytes((rows * 48_271 + 11) % 100_000_007, 9))


def arm(world: World, person: Ints, channel: int, month: int) -> tuple[Floats, Floats, Floats]:
    """Expected cost, incremental applications and reach of `person` on a channel in a month, creatives in rotation.

    Being sent adds applications only where the person would not have applied anyway: reach x P(apply by the ad) x
    (1 - P(organic)); a sleeping dog loses a share of P(organic) instead. Prices are those of the usual load; a click
    on the way through another channel is paid for as well.
    """
    conf, per = world.conf, world.creatives.per_channel
    running = int(world.creatives.active(month)[channel])
    answer = respond(world.conf, world.people, person, channel)
    mean_pull, applies = np.zeros(len(person)), np.zeros(len(person))
    for place in range(running):
        creative = np.full(len(person), channel * per + place)
        clicks = pull(conf, world.people, world.creatives, person, creative, month)
        mean_pull += clicks / running
        applies += -np.expm1(-clicks * answer.clicks * answer.apply) / running
    organic = organic_window(world.organic[person])
    is_annoyed = world.people.is_annoyed[person]
    cost = expected_cost(conf.channels[channel], answer, mean_pull, organic) + _detour_cost(
        world, person, channel, answer.reach * answer.clicks * mean_pull * np.where(is_annoyed, 0.0, answer.apply)
    )
    won = answer.reach * np.where(is_annoyed, -conf.response.annoyance * organic, applies * (1.0 - organic))
    return cost * world.drift.price(month), won, answer.reach


def _detour_cost(world: World, person: Ints, channel: int, converting: Floats) -> Floats:
    """What second clicks cost, given the expected number of converting first ones."""
    names = [media.name for media in world.conf.channels]
    if world.conf.detour_channel in (None, names[channel]):
        return np.zeros(len(person))
    price = expected_price(world.conf, world.people, person, names.index(str(world.conf.detour_channel)))
    cost: Floats = converting * world.conf.detour_share * price
    return cost


@dataclass(frozen=True)
class Arms:
    """People x channels: expected cost at the usual load, incremental applications and funded customers, reach."""

    cost: Floats
    applied: Floats
    funded: Floats
    reach: Floats


def all_arms(world: World, person: Ints | None = None) -> Arms:
    """Every person (or those of `person`) on every channel in the month after history, as if nobody were a customer."""
    who = np.arange(world.people.count) if person is None else person
    shape = (len(who), len(world.conf.channels))
    arms = Arms(*(np.empty(shape) for _ in fields(Arms)))
    for channel in range(shape[1]):
        for start in range(0, shape[0], CHUNK):
            rows = who[start : start + CHUNK]
            cell = (slice(start, start + len(rows)), channel)
            arms.cost[cell], arms.applied[cell], arms.reach[cell] = arm(world, rows, channel, world.campaign_month)
            arms.funded[cell] = arms.applied[cell] * world.funded_given_apply[rows]
    return arms


def write_truth(world: World, truth: Path, arms: Arms) -> None:
    """Write people.parquet, arms.parquet and channels.json (capacity in people on the audience per wave)."""
    person = world.prospects
    ids = prospect_ids(np.arange(len(person)))
    people = {
        "prospect_id": ids,
        "person_id": text(len(person), "n", digit_bytes(person, 8)),
        "p_organic": organic_window(world.organic)[person],
        "p_late": late_chance(world, person, world.campaign_month),
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
