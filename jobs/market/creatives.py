"""The creatives on each channel: what they look like and whose taste they meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.market.calendar import Calendar
from jobs.market.conf import MarketConf
from jobs.market.dice import Dice, Floats, Ints
from jobs.market.people import People

TONES = ("plain", "vivid", "playful")
TOPICS = ("games", "news", "sport", "shopping", "travel")
FORMATS = ("image", "video", "text")


@dataclass(frozen=True)
class Creatives:
    """All creatives, channel by channel, `per_channel` each; number = channel * per_channel + place."""

    per_channel: int
    channel: Ints
    name: list[str]
    placement: Ints  # index into the channel's placements
    topic: Ints
    tone: Ints
    format: Ints
    has_rate: Ints
    words: Ints
    vector: Floats  # creatives x 2, what taste is multiplied with
    first_month: Ints  # since 1970-01; the channel's oldest first

    def active(self, month: int) -> Ints:
        """By channel: how many of its creatives run in a month, which are its first ones."""
        running: Ints = (self.first_month <= month).reshape(-1, self.per_channel).sum(axis=1)
        return running

    def norm(self) -> Floats:
        """Log of the mean pull over a standard normal taste, by creative."""
        half: Floats = 0.5 * (self.vector**2).sum(axis=1)
        return half


def draw_creatives(conf: MarketConf, dice: Dice, calendar: Calendar) -> Creatives:
    """Creatives whose pull follows topic and tone, with a part of its own; some begin later than the first wave."""
    per = conf.creative_count
    number = np.arange(per * len(conf.channels))
    channel = number // per
    topic = dice.pick("topic", len(TOPICS), number)
    tone = dice.pick("tone", len(TONES), number)
    placements = np.array([len(c.placements) for c in conf.channels])[channel]
    steps = np.stack([(topic - 2) / 1.41, (tone - 1) / 0.82], axis=1)
    own = dice.normal("creative_own", number[:, None], np.arange(2)[None, :])
    is_later = dice.uniform("later_creative", number) < conf.new_creative_share
    is_later[::per] = False  # every channel has one from the start
    begins = calendar.first_month + is_later * (1 + dice.pick("creative_month", conf.months, number))
    return Creatives(
        per_channel=per,
        channel=channel,
        name=[f"{conf.channels[c].name}-cr{place:03d}" for c, place in zip(channel, number % per, strict=True)],
        placement=(dice.uniform("placement", number) * placements).astype(np.int64),
        topic=topic,
        tone=tone,
        format=dice.pick("format", len(FORMATS), number),
        has_rate=dice.pick("has_rate", 2, number),
        words=5 + dice.pick("words", 20, number),
        vector=conf.response.click_taste * (0.9 * steps + 0.44 * own),
        first_month=np.sort(begins.reshape(-1, per), axis=1).ravel(),
    )


def pull(
    conf: MarketConf, people: People, creatives: Creatives, person: Ints, creative: Ints, month: Ints | int
) -> Floats:
    """By how much a creative multiplies a person's clicks; mean 1 over people for every new creative."""
    taste, vector = people.taste[person], creatives.vector[creative]
    log_pull = taste[:, 0] * vector[:, 0] + taste[:, 1] * vector[:, 1] - creatives.norm()[creative]
    if conf.drift.creative_decay:
        log_pull = log_pull + np.log1p(-conf.drift.creative_decay) * (month - creatives.first_month[creative])
    result: Floats = np.exp(log_pull)
    return result
