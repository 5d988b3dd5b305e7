"""LightFM's word on who is keen where: the log of a person's factor on the clicks of a channel, from its creatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from jobs.model.affinity.encoder import Encoder, added
from jobs.model.affinity.looks import looks, named, places
from jobs.model.affinity.tastes import Tastes, fit_tastes
from jobs.model.learners import Features
from jobs.runtime.conf import Conf

TASTE = "taste_score"
FOLDS = 2


@dataclass(frozen=True, eq=False)
class TasteScore:
    """A LightFM fit on clicks against each channel's usual rate, so that it knows a person's taste for channels too."""

    tastes: Tastes
    channel: np.ndarray  # of the creatives

    @classmethod
    def of(cls, shown: pd.DataFrame, creatives: pd.DataFrame, features: Features, conf: Conf) -> TasteScore:
        """`shown`: rows as of `exposures`; `creatives`: as `fit_affinity` takes them."""
        creatives = creatives.sort_values(["creative", "channel"], ignore_index=True)
        creative = places(shown, named(creatives))
        shown, creative = shown[creative >= 0].reset_index(drop=True), creative[creative >= 0]
        told = shown.groupby("channel", observed=True)[["clicks", "exposures"]].transform("sum")
        expected = shown["exposures"] * told["clicks"] / told["exposures"].clip(lower=1)
        tastes = fit_tastes(
            shown,
            creative,
            expected.to_numpy(dtype=np.float64),
            looks(creatives, conf.base.creative_features),
            Encoder.of(shown, features),
            np.zeros(len(creatives), dtype=np.int64),
            conf.base.training,
        )
        return cls(tastes, creatives["channel"].to_numpy(dtype=object))

    def told(self, people: pd.DataFrame, channel: str) -> np.ndarray:
        """The log of the mean factor over the channel's creatives, a row a person; 0 where it has none."""
        mine = self.tastes.creatives[self.channel == channel]
        if not len(mine):
            return np.zeros(len(people))
        place = added(self.tastes.encoder.codes(people), self.tastes.levels)
        return np.asarray(np.log(np.exp(place @ mine.T).mean(axis=1)))


def with_taste(assigned: pd.DataFrame, shown: pd.DataFrame, fit: Callable[[pd.DataFrame], TasteScore]) -> pd.DataFrame:
    """Rows with TASTE for their channel, each told by a fit on the other people alone."""
    mine, theirs = fold_of(assigned["prospect_key"]), fold_of(shown["prospect_key"])
    told = np.zeros(len(assigned))
    for fold in range(FOLDS):
        score = fit(shown[theirs != fold].reset_index(drop=True))
        for channel in sorted(set(assigned["channel"].unique())):
            chosen = (mine == fold) & (assigned["channel"] == channel).to_numpy(dtype=bool)
            told[chosen] = score.told(assigned[chosen], str(channel))
    return assigned.assign(**{TASTE: told})


def fold_of(keys: pd.Series) -> np.ndarray:
    """Which fold a person is in, by hash of the key."""
    return pd.util.hash_array(keys.to_numpy(dtype=object)) % FOLDS
