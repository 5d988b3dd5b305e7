"""What the lender can see of its prospects: noisy views of hidden traits, with gaps."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from scipy.special import ndtri

from jobs.market.columns import labels
from jobs.market.conf import FeatureConf
from jobs.market.dice import Ints
from jobs.market.world import World


def feature_column(world: World, feature: FeatureConf, person: Ints) -> pa.Array:
    """One feature for arrays of person indices: int64 for counts, doubles, or category names."""
    dice = world.dice
    view = feature.noise * dice.normal("feature_" + feature.name, person)
    for trait, weight in feature.of.items():
        view = view + weight * world.people.trait(world.conf, trait)[person]
    is_null = dice.uniform("gap_" + feature.name, person) < feature.nulls
    if feature.levels:
        spread = np.sqrt(feature.noise**2 + sum(weight**2 for weight in feature.of.values()))
        cuts = ndtri(np.arange(1, len(feature.levels)) / len(feature.levels)) * spread
        return labels(feature.levels, np.where(is_null, -1, np.searchsorted(cuts, view)))
    value = feature.mean + feature.scale * view
    if feature.form == "count":
        return pa.array(np.rint(np.exp(np.minimum(value, 12.0))).astype(np.int64), mask=is_null)
    shown = np.round(np.exp(np.minimum(value, 30.0)) if feature.form == "exp" else value, 4)
    return pa.array(shown, mask=is_null)
