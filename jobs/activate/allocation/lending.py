"""The cheapest partner for each person on each channel: what depends on the partner is one sum a person class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BLOCK = 2048  # people at a time: what is compared stays near the processor


@dataclass(frozen=True)
class Lent:
    """People x channels: the cheapest partner by place (-1: none) and its cost; the next one too, where asked for."""

    cost: Floats
    partner: Ints
    next_cost: Floats | None = None
    next_partner: Ints | None = None


def cheapest_partners(
    kind: Ints, slots: Ints, tables: Sequence[Floats], parts: Sequence[Floats], *, second: bool = False
) -> Lent:
    """Of the partners `slots[kind]`, the one whose sum of `parts` times its factors is least; ties to the first.

    `tables`: classes x partners, the factor on each of `parts` (people x channels). Elementwise steps in a fixed order
    only, so that a person's figure does not depend on its batch. `second`: the next cheapest as well.
    """
    shape = parts[0].shape
    cost, partner = np.full(shape, np.inf), np.full(shape, -1, dtype=np.int16)
    after = (np.full(shape, np.inf), np.full(shape, -1, dtype=np.int16)) if second else None
    number = slots[:, :, None]
    factors = [np.take_along_axis(table[:, :, None], np.maximum(number, 0), axis=1)[:, :, 0].T for table in tables]
    for begin in range(0, shape[0], BLOCK):
        mine = slice(begin, begin + BLOCK)
        here = [part[mine] for part in parts]
        classes = kind[mine]
        told = [np.ascontiguousarray(factor[:, classes]) for factor in factors]
        which = slots.T[:, classes].astype(np.int16)
        low, best = cost[mine], partner[mine]
        total, term = np.empty_like(here[0]), np.empty_like(here[0])
        for nth in range(len(which)):
            np.multiply(here[0], told[0][nth][:, None], out=total)
            for part, factor in zip(here[1:], told[1:], strict=True):
                np.multiply(part, factor[nth][:, None], out=term)
                total += term
            if (which[nth] < 0).any():
                total[which[nth] < 0] = np.inf
            is_less = total < low
            if after is not None:
                _second(after[0][mine], after[1][mine], low, best, total, which[nth], is_less)
            np.minimum(low, total, out=low)
            np.copyto(best, which[nth][:, None], where=is_less)
    if after is None:
        return Lent(cost, partner.astype(np.int64))
    return Lent(cost, partner.astype(np.int64), after[0], after[1].astype(np.int64))


def _second(
    cost: Floats,
    partner: NDArray[np.int16],
    low: Floats,
    best: NDArray[np.int16],
    total: Floats,
    which: NDArray[np.int16],
    is_less: NDArray[np.bool_],
) -> None:
    """Move who was first to second place, or put the newcomer there, in place."""
    is_next = ~is_less & (total < cost)
    np.copyto(cost, low, where=is_less)
    np.copyto(partner, best, where=is_less)
    np.copyto(cost, total, where=is_next)
    np.copyto(partner, which[:, None], where=is_next)
