"""Creatives as LightFM sees them: each as itself and by what it looks like."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from jobs.model.affinity.encoder import Encoder, one_hot
from jobs.model.learners.features import Features

OWN = 2.0  # how much faster a creative's own place is learned than one of its looks'
STANDING = ("channel", "placement", "format")


def looks(creatives: pd.DataFrame, kinds: Mapping[str, str]) -> sparse.csr_matrix:
    """Creatives x (each itself, then levels of channel, placement, format and the declared features).

    The looks of a row have length 1 together, so that a declared feature more does not change how fast all learn.
    """
    told = [json.loads(text) if isinstance(text, str) and text else {} for text in creatives["features"]]
    seen = pd.DataFrame({name: creatives[name].astype(object) for name in STANDING})
    for name in sorted(kinds):
        seen[name] = [one.get(name) for one in told]
    numeric = tuple(sorted(name for name, kind in kinds.items() if kind == "numeric"))
    features = Features(numeric, tuple(str(name) for name in seen if name not in numeric))
    encoder = Encoder.of(seen, features, parts=3, min_level=2)
    shown = one_hot(encoder.codes(seen), len(encoder.names))
    own = OWN * len(features.names) ** -0.5 * sparse.identity(len(creatives), format="csr")
    return sparse.csr_matrix(sparse.hstack([own, shown], format="csr"), dtype=np.float32)


def named(frame: pd.DataFrame) -> list[str]:
    """creative@channel, a row."""
    return (frame["creative"].astype(str) + "@" + frame["channel"].astype(str)).tolist()


def places(frame: pd.DataFrame, names: list[str]) -> NDArray[np.int64]:
    """Where each row's creative is in `names`; -1 for one unknown."""
    return np.asarray(pd.Index(names).get_indexer(pd.Index(named(frame))), dtype=np.int64)
