"""Numpy arrays as the Arrow columns the landing contract asks for, without a Python loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from jobs.market.dice import Ints, Words

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
Mask = NDArray[np.bool_]


def moments(at_us: Ints, is_known: Mask | None = None) -> pa.Array:
    """Microseconds UTC as timestamp[us, UTC], null where not known."""
    return pa.array(at_us, mask=None if is_known is None else ~is_known).cast(pa.timestamp("us", tz="UTC"))


def days(number: Ints, is_known: Mask | None = None) -> pa.Array:
    """Day numbers as date32, null where not known."""
    return pa.array(number.astype(np.int32), mask=None if is_known is None else ~is_known).cast(pa.date32())


def money(minor: Ints, is_known: Mask | None = None) -> pa.Array:
    """Minor units as decimal(18, 2), null where not known."""
    pair = np.empty((len(minor), 2), dtype=np.int64)
    pair[:, 0] = minor
    pair[:, 1] = np.where(minor < 0, -1, 0)
    array = pa.Array.from_buffers(pa.decimal128(18, 2), len(minor), [None, pa.py_buffer(pair.tobytes())])
    return array if is_known is None else where(is_known, array)


def labels(names: Any, index: Ints) -> pa.Array:
    """Names taken by index; a negative index gives null."""
    keys = pa.array(np.maximum(index, 0), mask=index < 0)
    return pa.array(list(names), type=pa.string()).take(keys)


def constant(value: str | None, count: int) -> pa.Array:
    """One string, or null, `count` times."""
    return pa.nulls(count, pa.string()) if value is None else pa.repeat(pa.scalar(value, pa.string()), count)


def where(is_kept: Mask, array: pa.Array) -> pa.Array:
    """The array, null where not kept."""
    return pc.if_else(pa.array(is_kept), array, pa.scalar(None, array.type))


def hex_bytes(words: Words) -> NDArray[np.uint8]:
    """64-bit words as rows of 16 lower-case hexadecimal characters."""
    raw = words.astype(">u8").view(np.uint8).reshape(-1, 8)
    out = np.empty((len(words), 16), dtype=np.uint8)
    out[:, 0::2] = _HEX[raw >> 4]
    out[:, 1::2] = _HEX[raw & 15]
    return out


def digit_bytes(number: Ints, width: int) -> NDArray[np.uint8]:
    """Non-negative integers as rows of `width` decimal digits, zeros in front."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    digits: NDArray[np.uint8] = ((number[:, None] // powers) % 10 + 48).astype(np.uint8)
    return digits


def text(count: int, *parts: str | NDArray[np.uint8]) -> pa.Array:
    """Fixed-width strings: literals and byte matrices side by side."""
    blocks = [
        np.tile(np.frombuffer(part.encode(), dtype=np.uint8), (count, 1)) if isinstance(part, str) else part
        for part in parts
    ]
    matrix = np.ascontiguousarray(np.concatenate(blocks, axis=1))
    width = matrix.shape[1]
    offsets = (np.arange(count + 1, dtype=np.int64) * width).astype(np.int32)
    return pa.Array.from_buffers(
        pa.string(), count, [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(matrix.tobytes())]
    )
