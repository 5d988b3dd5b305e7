"""One market played without landing files: who was shown which creative and clicked, and what each truly brings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from creative_people import Known
from numpy.typing import NDArray

from jobs.market import media_rows
from jobs.market.calendar import as_date
from jobs.market.conf import read_market_conf
from jobs.market.creatives import pull
from jobs.market.dice import Floats, Ints
from jobs.market.history import candidates
from jobs.market.incumbent import HOLDOUT, assign
from jobs.market.ledger import ORGANIC, REGISTRATION, empty_ledger, standing
from jobs.market.life import organic_moments, registration_moments, settle
from jobs.market.response import respond
from jobs.market.state import SETTLE_DAYS
from jobs.market.wave import Audience, WaveEvents, join_events, play_wave
from jobs.market.world import World
from jobs.model.affinity.expected import expected_clicks
from jobs.model.learners.features import Features
from jobs.model.person_features import person_features
from jobs.model.training.cohorts import typed
from jobs.model.training.counts import count_clicks
from jobs.model.training.fits import Fits
from jobs.runtime.conf import Conf, load_conf

ROOT = Path(__file__).resolve().parents[2]
JUDGED = 0.2  # of people: whom creatives are chosen for
HIDDEN = 0.2  # of people, and of creatives, from learning
HELD = 0.2  # of people, for LightFM's trust
Mask = NDArray[np.bool_]
Wave = tuple[int, Audience, WaveEvents]


@dataclass(frozen=True, eq=False)
class Shown:
    """What may be learned from, and the people to choose for, one wave after history."""

    world: World
    conf: Conf
    features: Features
    creatives: pd.DataFrame  # by number
    is_hidden_creative: Mask
    is_running: Mask
    rows: pd.DataFrame  # an exposure of a known person to a known creative each, and its clicks
    expected: Floats  # clicks expected of each row whatever the creative
    day: date  # of the wave to choose for
    person: Ints  # judged
    prospects: pd.DataFrame  # the judged as the newest snapshot knows them
    other: Ints  # people not judged, of whom the limit is told their taste
    others: pd.DataFrame
    is_hidden_person: Mask
    clicks: Floats  # judged x creatives: expected clicks, by the truth


def shown_world(family: str, seed: int, people: int) -> Shown:
    """Play a world's history and keep what the affinity model learns from, hidden people and creatives left out."""
    path = ROOT / "conf" / "families" / f"{family}.yaml"
    world = World(read_market_conf(ROOT / "conf" / "market.yaml", path, people=people, seed=seed))
    known = Known(world)
    conf = _conf(world, known)
    features = person_features(conf)
    everybody = np.arange(world.people.count)
    is_hidden_person = world.dice.uniform("hidden person", everybody) < HIDDEN
    creatives = media_rows.creatives(world)[0].to_pandas()
    is_hidden_creative = world.dice.uniform("hidden creative", np.arange(len(creatives))) < HIDDEN
    declared = creatives[list(conf.base.creative_features)]
    creatives["features"] = [json.dumps(told) for told in declared.to_dict("records")]

    waves = _played(world)
    funnel = Fits()
    sent = pd.concat([_sent(world, known, *wave) for wave in waves], ignore_index=True)
    count_clicks(funnel, typed(sent[~is_hidden_person[sent["person"]]].reset_index(drop=True), features), conf)
    rows = pd.concat([_exposed(world, known, day, events) for day, _, events in waves], ignore_index=True)
    rows = rows[~is_hidden_person[rows["person"]] & ~is_hidden_creative[rows["number"]]]
    rows = rows.sort_values(["prospect_key", "channel", "creative", "seen_day"], ignore_index=True)
    rows["is_held"] = world.dice.uniform("held person", rows["person"].to_numpy()) < HELD
    rows = typed(rows, features)

    day, month = world.calendar.wave_day(world.campaign_month), world.campaign_month
    everybody = known.registered(day)
    is_judged = world.dice.uniform("judged", everybody) < JUDGED
    person, other = everybody[is_judged], everybody[~is_judged]
    place = np.arange(len(creatives)) % world.creatives.per_channel
    return Shown(
        world=world,
        conf=conf,
        features=features,
        creatives=creatives,
        is_hidden_creative=is_hidden_creative,
        is_running=place < world.creatives.active(month)[world.creatives.channel],
        rows=rows,
        expected=expected_clicks(rows, funnel.funnel()),
        day=as_date(day),
        person=person,
        prospects=known.frame(person, day),
        other=other,
        others=known.frame(other, day),
        is_hidden_person=is_hidden_person[person],
        clicks=_true_clicks(world, person, month),
    )


def _conf(world: World, known: Known) -> Conf:
    """The project's conf with the features and channels of this market."""
    conf = load_conf(ROOT / "conf")
    base = conf.base.model_copy(update={"features": known.kinds()})
    some = next(iter(conf.channels.values()))
    channels = {channel.name: conf.channels.get(channel.name, some) for channel in world.conf.channels}
    return conf.model_copy(update={"base": base, "channels": channels})


def _played(world: World) -> list[Wave]:
    """Each wave's day, audience and events, month by month as `new_market` plays them."""
    calendar, waves = world.calendar, list[Wave]()
    now = standing(world.people.count, empty_ledger())
    for month in range(calendar.book_month, calendar.end_month + 1):
        organic, events = organic_moments(world, month), join_events([])
        unasked = {ORGANIC: organic, REGISTRATION: registration_moments(world, month)}
        if month >= calendar.first_month:
            day = calendar.wave_day(month)
            assigned = assign(world, day, candidates(world, day, now))
            sent = assigned.audience.take(np.flatnonzero(assigned.role != HOLDOUT))
            events = play_wave(world, sent, organic)
            organic[events.put_off] = 0
            waves.append((day, sent, events))
        now = now.after(settle(world, unasked, events, now.since, now.last, calendar.end + SETTLE_DAYS))
    return waves


def _sent(world: World, known: Known, day: int, sent: Audience, events: WaveEvents) -> pd.DataFrame:
    """A row a person on a list and its clicks there, as the click stage is trained on."""
    return _with_clicks(world, known, day, sent, sent.channel, events.click.person, events.click.channel)


def _exposed(world: World, known: Known, day: int, events: WaveEvents) -> pd.DataFrame:
    """A row a person reached and its clicks on the creative it was shown."""
    seen, click = events.exposure, events.click
    rows = _with_clicks(world, known, day, seen, seen.creative, click.person, click.creative)
    names = np.array(world.creatives.name, dtype=object)
    return rows.assign(number=seen.creative, creative=names[seen.creative], exposures=1, seen_day=as_date(day))


def _with_clicks(
    world: World, known: Known, day: int, rows: Audience, by: Ints, clicker: Ints, clicked: Ints
) -> pd.DataFrame:
    many = len(world.creatives.name)  # more than there are channels
    clicks = pd.Series(clicker * many + clicked).value_counts().reindex(rows.person * many + by, fill_value=0)
    names = np.array([channel.name for channel in world.conf.channels], dtype=object)
    return known.frame(rows.person, day).assign(
        person=rows.person, channel=names[rows.channel], clicks=clicks.to_numpy(), weight=1.0
    )


def _true_clicks(world: World, person: Ints, month: int) -> Floats:
    found = np.empty((len(person), len(world.creatives.name)))
    answers = [respond(world.conf, world.people, person, c) for c in range(len(world.conf.channels))]
    for number, channel in enumerate(world.creatives.channel):
        creative = np.full(len(person), number)
        pulled = pull(world.conf, world.people, world.creatives, person, creative, month)
        found[:, number] = answers[channel].reach * answers[channel].clicks * pulled
    return found
