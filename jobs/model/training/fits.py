"""The stages fitted so far, and the rows a stage may take."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.model.serving.funnel import Funnel, Part
from jobs.model.training.stage import Fitted

RANDOMISED = ("exploration", "holdout")


class Fits:
    """The stages fitted so far, usable as a funnel by the next one."""

    def __init__(self) -> None:
        self.all: list[Fitted] = []

    def add(self, fitted: Fitted) -> Fitted:
        """Keep a stage."""
        self.all.append(fitted)
        return fitted

    def parts(self) -> list[Part]:
        """The rows of stage_models they become."""
        return [Part(f.stage, f.channel, f.scale, f.payload) for f in self.all]

    def funnel(self) -> Funnel:
        """What they predict so far."""
        return Funnel.of(self.parts(), "")


def of_channel(rows: pd.DataFrame, channel: str) -> NDArray[np.bool_]:
    """The rows of one channel."""
    return np.asarray(rows["channel"] == channel, dtype=bool)
