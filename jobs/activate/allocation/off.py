"""How far a plan's sums may be off because of the models, and by how much choosing by them overstates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from jobs.model.learners.features import Floats


@dataclass(frozen=True, eq=False)
class ModelErrors:
    """Log ratios of half models by measure and channel, one each way the people were halved (table model_errors)."""

    ratios: Mapping[tuple[str, str], Floats]

    @classmethod
    def of(cls, rows: pd.DataFrame) -> ModelErrors:
        """From the table's rows: measure, channel, pair, log_ratio."""
        told = rows.sort_values("pair").groupby(["measure", "channel"])["log_ratio"]
        return cls({(str(m), str(c)): each.to_numpy(dtype=np.float64) for (m, c), each in told})

    @property
    def is_known(self) -> bool:
        """Whether any model's error was measured."""
        return bool(self.ratios)

    def chosen(self, measure: str) -> float:
        """How many times too many good customers, or too little spend, the models tell of whom they choose.

        1 or more; 1 where unknown.
        """
        told = self.ratios.get((f"chosen_{measure}", "*"))
        return 1.0 if told is None else float(np.exp(max(0.0, float(np.mean(told)))))

    def half_width(self, measure: str, amounts: Mapping[str, float]) -> float:
        """Half of the 95 % interval of a sum of amounts by channel, relative to it; 0 where no error is known.

        With n halvings, Student's t with n degrees; beside it what the times may bring, which no model knows.
        """
        from scipy.stats import norm, t

        error, degrees = self._error(measure, amounts)
        if not degrees:
            return 0.0
        times = self.ratios.get((f"times_{measure}", "*"))
        of_times = 0.0 if times is None else float(norm.ppf(0.975) * times[0])
        return float(np.hypot(t.ppf(0.975, degrees) * error, of_times))

    def at_most(self, measure: str, amounts: Mapping[str, float], confidence: float) -> float:
        """How many times what the models tell such a sum is at most, said with a confidence (one side).

        Of the models' error alone; 1 where none is known.
        """
        from scipy.stats import t

        error, degrees = self._error(measure, amounts)
        return float(np.exp(t.ppf(confidence, degrees) * error)) if degrees else 1.0

    def _error(self, measure: str, amounts: Mapping[str, float]) -> tuple[float, int]:
        """The relative standard error and its degrees; errors of channels that go together are added up together."""
        known = {c: (amount, self.ratios[(measure, c)]) for c, amount in amounts.items() if (measure, c) in self.ratios}
        total = sum(amount for amount, _ in known.values())
        if total <= 0:
            return 0.0, 0
        ways = np.sum([(amount / total) * ratios for amount, ratios in known.values()], axis=0)
        variance = float(np.mean(np.square(ways))) / 4.0
        if (hidden := self.ratios.get((f"hidden_{measure}", "*"))) is not None:
            variance += float(hidden[0]) ** 2 / 4.0
        return float(np.sqrt(variance)), len(ways)
