"""What each channel is credited with under a model, and how far chance may move it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jobs.measure.attribution.markov import chain, removal
from jobs.measure.attribution.paths import UNATTRIBUTED, Floats, Paths
from jobs.measure.attribution.rules import RULES
from jobs.measure.attribution.shapley import shapley
from jobs.runtime.errors import UsageError

MARKOV = "markov"
WEIGHTED = RULES | {"shapley_set": RULES["linear_unique"], "shapley_model": shapley}
MODELS = (*WEIGHTED, MARKOV)
ORDERS = (1, 2, 3)
TAIL = 2.5  # percent cut off at either end of a bootstrap


@dataclass(frozen=True)
class Credit:
    """One channel's part: conversions and value, and its removal effect where the model has one."""

    channel: str
    conversions: float
    value: float
    removal_effect: float | None = None
    conversions_lo: float | None = None
    conversions_hi: float | None = None


@dataclass(frozen=True)
class Attribution:
    """`base_conversion`: conversions a journey with a touch; credits by channel name, the unattributed last."""

    model: str
    base_conversion: float
    credits: tuple[Credit, ...]


def attribute(paths: Paths, model: str, order: int = 1, replicates: int = 0, seed: int = 0) -> Attribution:
    """Credits of `model`, with 95 % Poisson bootstrap intervals over paths where `replicates` are asked for.

    Credits add up to the conversions and values of the paths. UsageError on an unknown model or order.
    """
    if model not in MODELS or order not in ORDERS:
        raise UsageError(f"model {model} of order {order} is unknown; models: {', '.join(MODELS)}; orders: 1, 2, 3")
    conversions, values, effects = _credited(paths, model, order)
    bounds = _bounds(paths, model, order, replicates, seed) if replicates else None
    found = [
        Credit(
            name,
            float(conversions[i]),
            float(values[i]),
            None if effects is None else float(effects[i]),
            None if bounds is None else float(bounds[0, i]),
            None if bounds is None else float(bounds[1, i]),
        )
        for i, name in enumerate(paths.channels)
    ]
    count, worth = paths.unattributed
    if count or worth:
        found.append(Credit(UNATTRIBUTED, count, worth))
    return Attribution(model, base_conversion(paths), tuple(found))


def base_conversion(paths: Paths) -> float:
    """Conversions a journey, of journeys with a touch; a chain of any order says the same."""
    met = paths.lengths > 0
    journeys = (paths.conversions + paths.nulls)[met].sum()
    return float(paths.conversions[met].sum() / journeys) if journeys else 0.0


def by_channel(paths: Paths, weights: Floats, worth: Floats) -> Floats:
    """`worth` of each path, split by touch weights and summed by channel."""
    split = np.bincount(paths.codes, weights * worth[paths.owners], minlength=len(paths.channels))
    return split.astype(np.float64)


def _credited(paths: Paths, model: str, order: int) -> tuple[Floats, Floats, Floats | None]:
    if model != MARKOV:
        weights = WEIGHTED[model](paths)
        return by_channel(paths, weights, paths.conversions), by_channel(paths, weights, paths.values), None
    met = paths.lengths > 0
    lost = removal(chain(paths, order))
    counts, worths = paths.conversions[met].sum(), paths.values[met].sum()
    return shared(counts, lost.of_conversions), shared(worths, lost.of_value), lost.of_conversions


def shared(total: float, effects: Floats) -> Floats:
    """A total split in proportion to removal effects; by nothing else is a channel worth anything."""
    whole = effects.sum()
    return effects * (total / whole) if whole else np.zeros_like(effects)


def _bounds(paths: Paths, model: str, order: int, replicates: int, seed: int) -> Floats:
    """(2, channels): lower and upper ends, every journey counted Poisson(1) times a replicate."""
    rng = np.random.default_rng(seed)
    weights = None if model == MARKOV else WEIGHTED[model](paths)
    told = np.empty((replicates, len(paths.channels)))
    for one in range(replicates):
        drawn = replace(paths, conversions=_drawn(rng, paths.conversions), nulls=_drawn(rng, paths.nulls))
        if weights is None:
            told[one] = _credited(drawn, model, order)[0]
        else:
            told[one] = by_channel(paths, weights, drawn.conversions)
    return np.percentile(told, [TAIL, 100 - TAIL], axis=0)


def _drawn(rng: np.random.Generator, counts: Floats) -> Floats:
    return rng.poisson(counts).astype(np.float64)
