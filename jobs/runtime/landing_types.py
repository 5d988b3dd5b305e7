"""From stored values to declared types, a column at a time: what cannot be read is marked, never guessed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

AWARE = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|z|[+-]\d{2}:?\d{2})$"
NAIVE = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?$"
DAY = r"^\d{4}-\d{2}-\d{2}$"
WHOLE = r"^[+-]?\d{1,18}(\.0*)?$"
EXACT = r"^[+-]?\d{1,24}(\.\d*)?$"
REAL = r"^[+-]?(\d{1,300}(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$"
BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
INSTANT = pa.timestamp("us", tz="UTC")
FINE = pa.decimal128(38, 10)
MAX_TEXT = 10_000  # bytes of one value


class Marks:
    """Per row of a batch the first reason it may not be let in, and the column the reason is about."""

    def __init__(self, rows: int) -> None:
        self.found = np.zeros(rows, dtype=np.int32)
        self.reasons: list[tuple[str, str | None]] = [("", None)]

    def mark(self, rows: Any, reason: str, column: str | None) -> None:
        """Mark rows (a boolean Arrow or numpy array; null is false) unless they are marked already."""
        chosen = rows if isinstance(rows, np.ndarray) else pc.fill_null(rows, False).to_numpy(zero_copy_only=False)
        fresh = chosen & (self.found == 0)
        if fresh.any():
            self.reasons.append((reason, column))
            self.found[fresh] = len(self.reasons) - 1

    @property
    def is_bad(self) -> np.ndarray:
        """True for each row that may not be let in."""
        return self.found > 0


def typed(raw: pa.Array, kind: str, name: str, marks: Marks) -> pa.Array:
    """A stored column as the declared type; unreadable values become null and their rows are marked."""
    raw = _plain(raw)
    if pa.types.is_string(raw.type):
        raw = text(raw)
    base, _, rest = kind.partition("(")
    reader = READERS[base]
    if base != "decimal":
        return reader(raw, name, marks)
    precision, scale = (int(part) for part in rest.rstrip(")").split(","))
    return _decimal(raw, name, marks, precision, scale)


def text(raw: pa.Array) -> pa.Array:
    """Strings without the white space and byte order marks around them; what is empty then is null."""
    trimmed = pc.utf8_trim(pc.utf8_trim_whitespace(raw), characters="\ufeff \t\r\n\u00a0")
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def _plain(raw: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(raw.type):
        raw = raw.dictionary_decode()
    if pa.types.is_large_string(raw.type) or pa.types.is_string_view(raw.type):
        return raw.cast(pa.string())
    return raw.cast(pa.float64()) if raw.type in (pa.float16(), pa.float32()) else raw


def _matching(values: pa.Array, pattern: str, reason: str, name: str, marks: Marks) -> pa.Array:
    """The strings that match; the others are marked and become null."""
    fits = pc.match_substring_regex(values, pattern)
    marks.mark(pc.invert(fits), reason, name)
    return pc.if_else(fits, values, pa.scalar(None, pa.string()))


def _cast(values: pa.Array, to: pa.DataType, parse: Callable[[str], Any], name: str, marks: Marks) -> pa.Array:
    """Cast strings; when one of them cannot be cast (a month 13), each by itself."""
    try:
        return values.cast(to)
    except pa.ArrowInvalid:
        parsed = pa.array([_tried(parse, value) for value in values.to_pylist()], to)
        marks.mark(pc.and_(parsed.is_null(), values.is_valid()), "bad_type", name)
        return parsed


def _tried(parse: Callable[[str], Any], value: str | None) -> Any:
    try:
        return None if value is None else parse(value)
    except ValueError:
        return None


def _string(raw: pa.Array, name: str, marks: Marks) -> pa.Array:
    values = raw.cast(pa.string())
    marks.mark(pc.greater(pc.binary_length(values), MAX_TEXT), "bad_value", name)
    return values


def _timestamp(raw: pa.Array, name: str, marks: Marks) -> pa.Array:
    if pa.types.is_string(raw.type):
        marks.mark(pc.match_substring_regex(raw, NAIVE), "naive_timestamp", name)
        fits = _matching(raw, AWARE, "bad_type", name, marks)
        cut = pc.replace_substring_regex(fits, pattern=r"(\.\d{6})\d+", replacement=r"\1")
        values = _cast(cut, INSTANT, _instant, name, marks)
    else:
        values = raw.cast(INSTANT, safe=False)
    odd = pc.or_(pc.less(values, pa.scalar(EARLIEST, INSTANT)), pc.greater(values, pa.scalar(LATEST, INSTANT)))
    marks.mark(odd, "bad_value", name)
    return values


def _instant(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


def _date(raw: pa.Array, name: str, marks: Marks) -> pa.Array:
    if pa.types.is_string(raw.type):
        raw = _cast(_matching(raw, DAY, "bad_type", name, marks), pa.date32(), date.fromisoformat, name, marks)
    values = raw.cast(pa.date32())
    odd = pc.or_(pc.less(values, pa.scalar(EARLIEST.date())), pc.greater(values, pa.scalar(LATEST.date())))
    marks.mark(odd, "bad_value", name)
    return values


def _double(raw: pa.Array, name: str, marks: Marks) -> pa.Array:
    if pa.types.is_string(raw.type):
        fits = pc.utf8_ltrim(_matching(raw, REAL, "bad_type", name, marks), characters="+")
        values = _cast(fits, pa.float64(), float, name, marks)
    else:
        values = raw.cast(pa.float64(), safe=False)
    values = _without_nan(values)
    marks.mark(pc.is_inf(values), "bad_value", name)
    return values


def _without_nan(values: pa.Array) -> pa.Array:
    """Not a number is how pandas says null."""
    return pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)


def _bigint(raw: pa.Array, name: str, marks: Marks) -> pa.Array:
    if pa.types.is_string(raw.type):
        fits = _matching(raw, WHOLE, "bad_type", name, marks)
        bare = pc.utf8_ltrim(pc.replace_substring_regex(fits, pattern=r"\.0*$", replacement=""), characters="+")
        return _cast(bare, pa.int64(), int, name, marks)
    if pa.types.is_floating(raw.type):
        values = _without_nan(raw)
        fits = pc.and_(pc.equal(values, pc.floor(values)), pc.less(pc.abs(values), 2.0**53))
        marks.mark(pc.invert(fits), "bad_type", name)
        return pc.if_else(fits, values, pa.scalar(None, pa.float64())).cast(pa.int64())
    return raw.cast(pa.int64())


def _boolean(raw: pa.Array, name: str, marks: Marks) -> pa.Array:
    if pa.types.is_boolean(raw.type) or pa.types.is_null(raw.type):
        return raw.cast(pa.bool_())
    words = pc.utf8_lower(raw.cast(pa.string()))
    known = pc.is_in(words, value_set=pa.array(list(BOOLEANS)))
    marks.mark(pc.and_(pc.invert(known), words.is_valid()), "bad_type", name)
    truth = pc.is_in(words, value_set=pa.array([word for word, value in BOOLEANS.items() if value]))
    return pc.if_else(known, truth, pa.scalar(None, pa.bool_()))


def _decimal(raw: pa.Array, name: str, marks: Marks, precision: int, scale: int) -> pa.Array:
    """Exact numbers, rounded half to even at their scale; what has more digits before the point is a bad value."""
    limit = 10.0 ** (precision - scale)
    if pa.types.is_string(raw.type):
        fits = _matching(raw, EXACT, "bad_type", name, marks)
        cut = pc.replace_substring_regex(fits, pattern=r"(\.\d{10})\d+", replacement=r"\1")
        raw = _cast(pc.utf8_ltrim(pc.utf8_rtrim(cut, characters="."), characters="+"), FINE, Decimal, name, marks)
    elif pa.types.is_floating(raw.type):
        raw = _without_nan(raw)
    size = pc.abs(raw.cast(pa.float64(), safe=False))
    small = pc.less(size, limit - 1)
    marks.mark(pc.invert(small), "bad_value", name)
    kept = pc.if_else(small, raw, pa.scalar(None, raw.type)).cast(FINE)
    return pc.round(kept, ndigits=scale, round_mode="half_to_even").cast(pa.decimal128(precision, scale))


READERS: dict[str, Callable[..., pa.Array]] = {
    "string": _string,
    "timestamp": _timestamp,
    "date": _date,
    "double": _double,
    "bigint": _bigint,
    "boolean": _boolean,
    "decimal": _decimal,
}
