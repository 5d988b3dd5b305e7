"""What each prospect and channel is expected to bring and cost, and the prospect's band: numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.learners import Features
from jobs.model.learners.features import Floats
from jobs.model.serving.funnel import ASKED, Funnel
from jobs.model.serving.prices import Price

PROBABILITIES = ("p_apply", "p_organic", "p_approve", "p_fund", "p_good", "p_late", "p_fraud")
MEASURES = (*PROBABILITIES, "expected_cost", "expected_value")


@dataclass(frozen=True, eq=False)
class Scorer:
    """All that is needed to score a batch of prospects; travels to the workers as one object."""

    funnel: Funnel
    features: Features
    channels: tuple[str, ...]
    prices: dict[str, Price]
    value_of_good: float
    cuts: tuple[tuple[str, float], ...]  # band and lower cut, best first

    def people(self, frame: pd.DataFrame) -> dict[str, Floats]:
        """What does not depend on the channel."""
        late, fraud = self.funnel.credit("late", frame), self.funnel.credit("fraud", frame)
        return {
            "p_organic": self.funnel.organic(frame),
            "p_approve": self.funnel.credit("approve", frame),
            "p_fund": self.funnel.credit("fund", frame),
            "p_good": self.funnel.p_good(late, fraud),
            "p_late": late,
            "p_fraud": fraud,
        }

    def score(self, frame: pd.DataFrame) -> tuple[dict[str, dict[str, Floats]], Floats]:
        """Measures by channel, and each row's band score: incremental good customers on its best channel."""
        person = self.people(frame)
        frame = frame.assign(**{ASKED: self.funnel.asked(frame)})
        kept = person["p_approve"] * person["p_fund"] * person["p_good"]
        found: dict[str, dict[str, Floats]] = {}
        best = np.full(len(frame), -np.inf)
        for channel in self.channels:
            told = frame.assign(channel=channel)
            added = self.funnel.added(told, person["p_organic"], channel)
            apply = self.funnel.p_apply(added, person["p_organic"], channel)
            price = self.prices.get(channel, Price(0.0, 0.0))
            cost = np.full(len(frame), price.a_person)
            if price.a_unit:
                cost += price.a_unit * self.funnel.units(told, channel) * self.funnel.price(told, channel)
            good = (apply - person["p_organic"]) * kept
            measures = {**person, "p_apply": apply, "expected_cost": cost}
            measures["expected_value"] = self.value_of_good * good - cost
            found[channel] = measures
            best = np.maximum(best, good)
        return found, best

    def bands(self, score: Floats) -> NDArray[np.object_]:
        """The first band whose lower cut the score reaches; the last one below all cuts."""
        names = [name for name, _ in self.cuts]
        if len(names) == 1:
            return np.full(len(score), names[0], dtype=object)
        lower = np.array([cut for _, cut in self.cuts[:-1]])
        place = (np.round(score, 9)[:, None] < lower[None, :]).sum(axis=1)
        return np.asarray(np.array(names, dtype=object)[place])
