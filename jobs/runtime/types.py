"""The declared column types as Arrow types."""

from __future__ import annotations

import re

import pyarrow as pa

FLOATS = ("double", "float")
MOST_STEPS = 2.0**52  # beyond so many steps of its scale a double has no digits after them
PLAIN: dict[str, pa.DataType] = {
    "string": pa.string(),
    "double": pa.float64(),
    "bigint": pa.int64(),
    "int": pa.int32(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "binary": pa.binary(),
}


def arrow_type(declared: str) -> pa.DataType:
    """The Arrow type of a declared type; ValueError for one that no table uses."""
    if declared in PLAIN:
        return PLAIN[declared]
    if found := re.fullmatch(r"decimal\((\d+),(\d+)\)", declared):
        return pa.decimal128(int(found[1]), int(found[2]))
    if found := re.fullmatch(r"array<(\w+)>", declared):
        return pa.list_(PLAIN[found[1]])
    raise ValueError(f"type {declared!r} has no Arrow type; declare one of {sorted(PLAIN)}, decimal(p,s) or array<…>")
