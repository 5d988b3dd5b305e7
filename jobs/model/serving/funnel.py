"""The fitted funnel: from a prospect's features to the probabilities of every stage, channel by channel."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from jobs.model.learners import FittedModel
from jobs.model.learners.features import Floats
from jobs.model.learners.sums import FactorModel

PRIOR_VERSION = "prior"
RESPONSE = ("click", "apply")
LOAD, USUAL = "load", "usual"  # stages whose scale is a channel's price elasticity, and its usual number of people
POOLED, CLICK_SCORE, INTENT = "pooled_score", "click_score", "intent_score"
ASKED, CLICKS_TOLD = "asked_score", "clicks_score"


@dataclass(frozen=True)
class Part:
    """One row of the table stage_models, as it travels to a worker."""

    stage: str
    channel: str
    scale: float
    payload: bytes


@lru_cache(maxsize=256)
def _model(payload: bytes) -> FittedModel:
    return FittedModel.from_bytes(payload)


@lru_cache(maxsize=256)
def _factors(payload: bytes) -> FactorModel:
    return FactorModel.from_bytes(payload)


def version_of(parts: Iterable[Part], fitted: Iterable[str]) -> str:
    """A digest of every payload and scale; PRIOR_VERSION when neither click nor apply is among the `fitted` stages."""
    if not set(RESPONSE) & set(fitted):
        return PRIOR_VERSION
    digest = hashlib.sha256()
    for part in sorted(parts, key=lambda p: (p.stage, p.channel)):
        digest.update(f"{part.stage}|{part.channel}|{part.scale!r}|".encode() + hashlib.sha256(part.payload).digest())
    return digest.hexdigest()[:12]


@dataclass(frozen=True, eq=False)
class Funnel:
    """Every stage's models; `parts` by (stage, channel), `*` standing in for a channel without a row of its own.

    Frames hold a prospect's features, and where a method takes a channel its name in a column `channel`.
    """

    parts: Mapping[tuple[str, str], Part]
    version: str

    @classmethod
    def of(cls, parts: Iterable[Part], version: str) -> Funnel:
        """The funnel of a table's rows."""
        return cls({(part.stage, part.channel): part for part in parts}, version)

    def model(self, stage: str, channel: str) -> FittedModel:
        """The model of a stage's row."""
        return _model(self.parts[(stage, channel)].payload)

    def level(self, stage: str, channel: str) -> float | None:
        """The factor of a stage's row, when it is the same for everybody."""
        return _factors(self.parts[(stage, channel)].payload).level

    def click(self, frame: pd.DataFrame, channel: str) -> Floats:
        """P(at least one click within 14 days | on the channel's audience)."""
        own = self.parts.get(("click", channel))
        pooled = self._predict("click", "*", frame)
        if own is None:
            return pooled
        return _model(own.payload).predict(frame.assign(**{POOLED: log_odds(pooled)}))

    def clicks(self, frame: pd.DataFrame, channel: str) -> Floats:
        """Expected clicks within 14 days; where they were not counted, of a Poisson with the click stage's chance."""
        part = self.parts.get(("clicks", channel))
        if part is not None:
            return _factors(part.payload).factor(frame)
        return np.asarray(-np.log1p(-np.minimum(self.click(frame, channel), 0.999)))

    def units(self, frame: pd.DataFrame, channel: str) -> Floats:
        """Expected units the channel bills for within 14 days."""
        part = self.parts.get(("units", channel))
        if part is None:
            return np.ones(len(frame))
        if not part.payload:
            return part.scale * self.clicks(frame, channel)
        return part.scale * _factors(part.payload).factor(frame)

    def price(self, frame: pd.DataFrame, channel: str) -> Floats:
        """What a unit of the channel costs at each prospect, against its mean unit price."""
        part = self.parts.get(("price", channel))
        return np.ones(len(frame)) if part is None else _factors(part.payload).factor(frame)

    def apply_given_click(self, frame: pd.DataFrame, click: Floats, channel: str) -> Floats:
        """P(applies within 14 days | clicked)."""
        return self._predict("apply", "*", frame.assign(channel=channel, **{CLICK_SCORE: log_odds(click)}))

    def intent(self, frame: pd.DataFrame) -> Floats:
        """The apply stage's log-odds at no particular channel: what is known of a prospect's wish for credit."""
        part = self.parts[("apply", "*")]
        nowhere = frame.assign(channel=None, **{CLICK_SCORE: np.nan})
        return _model(part.payload).log_odds(nowhere)

    def organic(self, frame: pd.DataFrame) -> Floats:
        """P(applies within 14 days | not sent)."""
        return self._predict("organic", "*", frame.assign(**{INTENT: self.intent(frame)}))

    def credit(self, stage: str, frame: pd.DataFrame) -> Floats:
        """approve, fund, late or fraud: the probability given the stage before."""
        return self._predict(stage, "*", frame)

    def added(self, frame: pd.DataFrame, organic: Floats, channel: str) -> Floats:
        """Applications the channel's clicks are expected to add."""
        part = self.parts.get(("wins", channel))
        if part is None:
            click = self.click(frame, channel)
            return click * np.maximum(self.apply_given_click(frame, click, channel) - organic, 0.0)
        told = self.with_scores(frame, channel)
        won = np.exp(told[CLICKS_TOLD].to_numpy()) * _factors(part.payload).factor(told)
        return np.asarray(-np.expm1(-won) * (1.0 - organic))

    def with_scores(self, frame: pd.DataFrame, channel: str) -> pd.DataFrame:
        """The frame with what other stages tell of applications: log-odds of asking unasked, log of expected clicks."""
        scores = {CLICKS_TOLD: np.log(np.maximum(self.clicks(frame, channel), 1e-12))}
        if ASKED not in frame:
            scores[ASKED] = self.asked(frame)
        return frame.assign(**scores)

    def asked(self, frame: pd.DataFrame) -> Floats:
        """Log-odds that a prospect ever applies of its own accord; 0 where no such model was fitted."""
        part = self.parts.get(("asked", "*"))
        return np.zeros(len(frame)) if part is None else _model(part.payload).log_odds(frame)

    def p_apply(self, added: Floats, organic: Floats, channel: str) -> Floats:
        """P(applies within 14 days | on the audience): organic, and what clicks add to it.

        The addition carries the channel's factor observed / expected (stage `lift`): what the product of stages
        gets wrong as a whole, such as organic demand that only takes the way through the ad.
        """
        lift = self.parts.get(("lift", channel)) or self.parts.get(("lift", "*"))
        factor = 1.0 if lift is None else lift.scale
        return np.minimum(1.0, organic + factor * added)

    def p_good(self, late: Floats, fraud: Floats) -> Floats:
        """P(good | funded): neither late nor fraud; the scale of `fraud` is the share of frauds that are not late."""
        return 1.0 - np.minimum(1.0, late + self.parts[("fraud", "*")].scale * fraud)

    def _predict(self, stage: str, channel: str, frame: pd.DataFrame) -> Floats:
        return _model(self.parts[(stage, channel)].payload).predict(frame)


def log_odds(probability: Floats) -> Floats:
    """ln(p / (1 - p)), p held within 1e-9 of 0 and 1."""
    p = np.clip(probability, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(p) - np.log1p(-p))
