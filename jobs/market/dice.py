"""Common random numbers: a uniform that depends only on the seed, a stream name and who it is for."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)


def _mix(x: Words) -> Words:
    """The splitmix64 finaliser (Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        x = x + _GOLDEN
        x = (x ^ (x >> np.uint64(30))) * _M1
        x = (x ^ (x >> np.uint64(27))) * _M2
    return x ^ (x >> np.uint64(31))


class Dice:
    """Random draws addressed by stream and keys, so that no draw depends on who else is drawn, nor on the order."""

    def __init__(self, seed: int) -> None:
        self._seed = _mix(np.array([seed % 2**63], dtype=np.uint64))

    def words(self, stream: str, *keys: Any) -> Words:
        """64 random bits for every element of the broadcast integer `keys`."""
        state = _mix(self._seed ^ np.uint64(zlib.crc32(stream.encode())))
        for key in keys:
            state = _mix(state ^ np.asarray(key, dtype=np.int64).astype(np.uint64))
        return state

    def uniform(self, stream: str, *keys: Any) -> Floats:
        """Uniform on the open interval (0, 1)."""
        return ((self.words(stream, *keys) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53

    def normal(self, stream: str, *keys: Any) -> Floats:
        """Standard normal."""
        z: Floats = ndtri(self.uniform(stream, *keys))
        return z

    def pick(self, stream: str, count: int, *keys: Any) -> Ints:
        """Uniform integer in [0, count)."""
        return (self.uniform(stream, *keys) * count).astype(np.int64)

    def poisson(self, stream: str, mean: Floats, *keys: Any) -> Ints:
        """Poisson counts, monotone in `mean` for a fixed draw: by inversion, above 20 by Cornish-Fisher expansion."""
        u = self.uniform(stream, *keys)
        small = np.minimum(mean, 20.0)
        count = np.zeros(u.shape, dtype=np.int64)
        term = np.exp(-small)
        total = term.copy()
        for k in range(1, 61):
            above = u > total
            if not above.any():
                break
            count += above
            term = term * small / k
            total = total + term
        if (mean > 20.0).any():
            z = ndtri(u)
            large = np.rint(mean + np.sqrt(mean) * z + (z**2 - 1.0) / 6.0)
            count = np.where(mean > 20.0, np.maximum(large, 0.0).astype(np.int64), count)
        return count


def sigmoid(x: Any) -> Any:
    """The logistic function."""
    return 1.0 / (1.0 + np.exp(-x))


def logit(p: Any) -> Any:
    """The inverse of the logistic function."""
    return np.log(p) - np.log1p(-p)
