"""Identifiers in canonical form and their pseudonyms, so that raw and hashed rows of one person meet."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from jobs.runtime.keys import Keys, sha256
from jobs.runtime.landing_types import Marks
from jobs.tables.ingest import ID_TYPES

E164 = r"^\+[1-9]\d{6,14}$"
EMAIL = r"^[^@\s]+@[^@\s]+$"
SHA256 = r"^[0-9a-f]{64}$"
# Calling codes of the regions whose national numbers conf may declare (base.yaml: phone_region).
CALLING_CODES = {
    **{"CN": "86", "HK": "852", "TW": "886", "SG": "65", "IN": "91", "ID": "62", "PH": "63", "VN": "84", "TH": "66"},
    **{"US": "1", "CA": "1", "MX": "52", "BR": "55", "GB": "44", "DE": "49", "FR": "33", "ES": "34", "PL": "48"},
    **{"PT": "351", "NG": "234", "KE": "254", "ZA": "27", "JP": "81", "KR": "82", "AU": "61", "MY": "60"},
}


def canonical(kind: str, values: pa.Array, name: str, marks: Marks, phone_region: str | None) -> pa.Array:
    """Identifiers of one kind (trimmed strings) in canonical form; what has none is marked `bad_value`."""
    if kind == "phone":
        values = _phone(values, phone_region)
        return _checked(values, E164, name, marks)
    if kind == "email":
        return _checked(pc.utf8_lower(values), EMAIL, name, marks)
    return pc.utf8_upper(values) if kind == "device" else values


def _phone(values: pa.Array, region: str | None) -> pa.Array:
    bare = pc.replace_substring_regex(values, pattern=r"[\s().\-]", replacement="")
    bare = pc.replace_substring_regex(bare, pattern=r"^00", replacement="+")
    code = CALLING_CODES.get(region or "")
    if code is None:
        return bare
    return pc.replace_substring_regex(bare, pattern=r"^0?([1-9]\d*)$", replacement=rf"+{code}\1")


def _checked(values: pa.Array, pattern: str, name: str, marks: Marks) -> pa.Array:
    fits = pc.match_substring_regex(values, pattern)
    marks.mark(pc.invert(fits), "bad_value", name)
    return pc.if_else(fits, values, pa.scalar(None, pa.string()))


def mapped(values: pa.Array, function: Callable[[str], str]) -> pa.Array:
    """A function of one string applied once to each distinct value of a column; null stays null."""
    encoded = values.dictionary_encode()
    made = pa.array([function(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return made.take(encoded.indices)


def identify(
    columns: dict[str, pa.Array], rows: int, keys: Keys, marks: Marks, phone_region: str | None
) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
    """(pseudonyms by table column, canonical identifiers by landing column) of the identifier columns of a block.

    Where a raw and a hashed form both stand and differ, the row is marked `bad_value`.
    """
    nothing = pa.nulls(rows, pa.string())
    made: dict[str, pa.Array] = {}
    raw_forms: dict[str, pa.Array] = {}
    for kind in ID_TYPES:
        raw_name, hashed_name = f"id_{kind}", f"id_{kind}_sha256"
        raw = canonical(kind, columns.get(raw_name, nothing), raw_name, marks, phone_region)
        hashed = _checked(columns.get(hashed_name, nothing), SHA256, hashed_name, marks)
        digests = mapped(raw, sha256)
        marks.mark(pc.not_equal(digests, hashed), "bad_value", hashed_name)
        either = pc.coalesce(digests, hashed)
        made[f"id_{kind}_key"] = mapped(either, lambda value, kind=kind: keys.identifier(kind, value))  # type: ignore[misc]
        raw_forms |= {raw_name: raw, hashed_name: hashed}
    return made, raw_forms
