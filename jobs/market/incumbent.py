"""The policy that ran before: a mis-specified score, salesmen's rules, an exploration slice and a holdout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.market.calendar import DAY_US, month_of
from jobs.market.dice import Floats, Ints, logit, sigmoid
from jobs.market.wave import ANYONE, Audience
from jobs.market.world import World

POLICY, EXPLORATION, HOLDOUT = 0, 1, 2
ROLES = ("policy", "exploration", "holdout")
NO_CHANNEL = -1
SHARPNESS = 0.8


@dataclass(frozen=True)
class Assigned:
    """One wave's assignments; propensity is P(this channel and role) under the whole policy, nan where unknown."""

    audience: Audience
    role: Ints
    propensity: Floats


def assign(world: World, day: int, candidates: Ints) -> Assigned:
    """Who the incumbent puts where on `day`, among `candidates` (person indices, sorted)."""
    conf, dice = world.conf, world.dice
    lot = dice.uniform("role", candidates, day // 92)  # roles rotate by quarter
    holdout_to = conf.holdout_share
    explore_to = holdout_to + conf.exploration_share
    score = _score(world, candidates, day)
    unknown = dice.uniform("unknown", candidates, day) < conf.unknown_share / max(1e-9, 1.0 - explore_to)
    listed_chance = sigmoid(logit(conf.wave_share) + 0.3 * (score[:, 0] - score[:, 0].mean()))
    listed = dice.uniform("listed", candidates, day) < listed_chance
    role = np.where(lot < holdout_to, HOLDOUT, np.where(lot < explore_to, EXPLORATION, POLICY))
    keep = np.flatnonzero((role != POLICY) | listed)
    role, candidates, unknown = role[keep], candidates[keep], unknown[keep]

    chance = _softmax(score[keep] + _sizes(world, day))
    turned = world.people.hidden[candidates, None] * np.linspace(1.0, -1.0, len(conf.channels))[None, :]
    salesman = _softmax(np.log(chance) + 1.5 * turned)
    drawn = _draw(np.where(unknown[:, None], salesman, chance), dice.uniform("channel", candidates, day))
    even = dice.pick("even_channel", len(conf.channels), candidates, day)
    channel = np.where(role == HOLDOUT, NO_CHANNEL, np.where(role == EXPLORATION, even, drawn))

    known_share = (1.0 - explore_to) * listed_chance[keep] * (1.0 - conf.unknown_share / (1.0 - explore_to))
    of_policy = np.where(unknown, np.nan, known_share * chance[np.arange(len(drawn)), drawn])
    propensity = np.where(
        role == HOLDOUT,
        conf.holdout_share,
        np.where(role == EXPLORATION, conf.exploration_share / len(conf.channels), of_policy),
    )
    creative = np.where(channel < 0, -1, rotated(world, candidates, np.maximum(channel, 0), day))
    anyone = np.full(len(candidates), ANYONE)
    return Assigned(Audience(candidates, channel, creative, np.full(len(candidates), day), anyone), role, propensity)


def rotated(world: World, person: Ints, channel: Ints, day: Ints | int) -> Ints:
    """The creative each person is shown when nobody chooses: any of those that run that month."""
    running = np.zeros((len(person),), dtype=np.int64)
    months = month_of(np.broadcast_to(np.asarray(day) + 1, (len(person),)))
    for month in np.unique(months):
        rows = months == month
        running[rows] = world.creatives.active(int(month))[channel[rows]]
    pick = (world.dice.uniform("creative", person, day) * running).astype(np.int64)
    creative: Ints = channel * world.creatives.per_channel + pick
    return creative


def _sizes(world: World, day: int) -> Floats:
    """Log of each channel's usual share of a wave, which swings from wave to wave."""
    conf = world.conf
    swing = world.dice.normal("load", np.arange(len(conf.channels)), day)
    sizes: Floats = np.log([c.capacity for c in conf.channels]) + conf.load_swing * swing
    return sizes


def _score(world: World, person: Ints, day: int) -> Floats:
    """What the incumbent believes: income and recency matter everywhere, affinities are seen badly, risk not at all."""
    people, dice = world.people, world.dice
    recency = 1.0 - np.clip((day - people.registered_us[person] / DAY_US) / 700.0, 0.0, 1.0)
    seen = 0.35 * people.affinity[person] + 0.9 * dice.normal(
        "seen", person[:, None], np.arange(people.affinity.shape[1])[None, :]
    )
    wrong = 0.4 * people.income[person] + 0.8 * recency + 0.3 * people.hidden[person]
    score: Floats = SHARPNESS * seen * (1.0 + 0.2 * np.tanh(wrong))[:, None] + 0.2 * wrong[:, None]
    return score


def _softmax(score: Floats) -> Floats:
    raised = np.exp(score - score.max(axis=1, keepdims=True))
    chance: Floats = raised / raised.sum(axis=1, keepdims=True)
    return chance


def _draw(chance: Floats, u: Floats) -> Ints:
    """A column for each row by inversion."""
    drawn: Ints = np.minimum((np.cumsum(chance, axis=1) < u[:, None]).sum(axis=1), chance.shape[1] - 1)
    return drawn
