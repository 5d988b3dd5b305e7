"""What a landing file of each table must look like: source columns, accepted storage types, value rules."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jobs.contract import Table
from jobs.runtime.conf import Conf
from jobs.tables.ingest import ID_TYPES, WORDS

# Made by ingest from other columns; no landing file holds them.
COMPUTED = ("consent_key", "suppression_key", "features")
# Landing columns that become a pseudonym: {landing column: (table column, kind of pseudonym)}.
PSEUDONYMS = {"prospect_id": ("prospect_key", "prospect"), "ip": ("ip_key", "ip")}
RAW_IDS = tuple(f"id_{kind}" for kind in ID_TYPES)
HASHED_IDS = tuple(f"id_{kind}_sha256" for kind in ID_TYPES)
# At least one identifier must stand in a row of these.
ABOUT_SOMEBODY = ("consents", "suppressions")
# Amounts that mean nothing without the currency beside them.
POSITIVE = ("rate", "propensity")
# When something happened: nothing is known before it did. What a row announces (a consent from next month on, the rate
# of tomorrow, a creative not yet shown) may lie ahead of the day it landed.
EVENTS = (
    "registered_at",
    "assigned_day",
    "occurred_at",
    "spend_day",
    "applied_at",
    "decided_at",
    "funded_at",
    "as_of_day",
    "reported_day",
)


@dataclass(frozen=True)
class Source:
    """One landing column: the type it becomes, whether every file must have it, whether every row must fill it."""

    name: str
    type: str
    in_every_file: bool
    in_every_row: bool
    words: tuple[str, ...] = ()
    is_feature: bool = False
    is_event: bool = False

    @property
    def kind(self) -> str:
        """The type without its parameters."""
        return self.type.partition("(")[0]


def sources(table: Table, conf: Conf) -> dict[str, Source]:
    """The landing columns of a (not resolved) table by name, in the order of the contract, declared features last."""
    found = []
    for column in table.columns:
        name = column.name
        if name in COMPUTED or (name.startswith("id_") and name.endswith("_key")):
            continue
        landed = next((raw for raw, (made, _) in PSEUDONYMS.items() if made == name), name)
        words = WORDS.get((table.name, name), ())
        # A key column that may be null (spend: ad_group) must still be in the file: its loss would merge rows.
        in_file = not column.nullable or name in table.key
        is_event = name in EVENTS
        found.append(Source(landed, column.type, in_file, not column.nullable, words, is_event=is_event))
    if any(column.name == "id_phone_key" for column in table.columns):
        found += [Source(name, "string", False, False) for name in (*RAW_IDS, *HASHED_IDS)]
    types = {"numeric": "double", "categorical": "string"}
    found += [Source(name, types[kind], True, False, (), True) for name, kind in features(table, conf).items()]
    return {source.name: source for source in found}


def features(table: Table, conf: Conf) -> dict[str, str]:
    """The features this deployment declares for a table's rows: {name: numeric or categorical}."""
    if table.has_features:
        return dict(conf.base.features)
    return dict(conf.base.creative_features) if table.name == "creatives" else {}


# Storage types (the word Arrow calls them by) that turn into a declared type without loss or guess. Everything else is
# refused for the whole file: a float is no identifier, a time stamp no date, a naive time stamp no point in time.
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
REALS = ("halffloat", "float", "double")
TEXTS = ("string", "large_string", "string_view")
ACCEPTED = {
    "string": (*TEXTS, *INTEGERS),
    "timestamp": (*TEXTS, "timestamp with zone"),
    "date": (*TEXTS, "date32", "date64"),
    "double": (*TEXTS, *INTEGERS, *REALS, "decimal", "bool"),
    "decimal": (*TEXTS, *INTEGERS, *REALS, "decimal"),
    "bigint": (*TEXTS, *INTEGERS, *REALS),
    "boolean": (*TEXTS, *INTEGERS, "bool"),
}


def storage(arrow_type: object) -> str:
    """The word for an Arrow type as ACCEPTED uses it."""
    text = str(arrow_type)
    if text.startswith("dictionary<values="):
        text = re.sub(r"^dictionary<values=([a-z0-9_]+).*$", r"\1", text)
    if text.startswith("timestamp"):
        return "timestamp with zone" if "tz=" in text else "timestamp without zone"
    if text.startswith("decimal"):
        return "decimal"
    return re.sub(r"\[.*$", "", text)


def is_accepted(source: Source, arrow_type: object) -> bool:
    """True when a column stored that way can become the declared type; a column of nulls can become any."""
    word = storage(arrow_type)
    return word == "null" or word in ACCEPTED[source.kind]
