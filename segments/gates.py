"""The gates between a person and an audience: pure column logic that answers no whenever it does not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.tables.ingest import ID_TYPES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

CROWDED = "shared_identity"
OPEN_END = datetime(9999, 1, 1, tzinfo=UTC)
HEX_DIGITS = 13  # 52 bits: every value is a double without rounding


def uniform(*parts: Column | str, nth: int = 0) -> Column:
    """A number in [0, 1) from the SHA-256 of texts joined by `:`; `nth` 0 to 3 gives four independent ones."""
    texts = [F.lit(part) if isinstance(part, str) else part for part in parts]
    digits = F.substring(F.sha2(F.concat_ws(":", *texts), 256), 1 + nth * HEX_DIGITS, HEX_DIGITS)
    return F.conv(digits, 16, 10).cast("double") / F.lit(float(16**HEX_DIGITS))


def is_drawn_for_holdout(person_key: Column, salt: str, share: float) -> Column:
    """True for the share of people whose salted hash says so: permanent for a salt, the same in every channel."""
    return uniform(salt, "holdout", person_key) < F.lit(share)


def identifiers(frame: DataFrame, *keep: str) -> DataFrame:
    """One row an identifier: `keep`, kind, identifier; rows without any identifier vanish."""
    pairs = [F.struct(F.lit(kind).alias("kind"), F.col(f"id_{kind}_key").alias("identifier")) for kind in ID_TYPES]
    exploded = frame.select(*keep, F.explode(F.array(*pairs)).alias("id"))
    return exploded.select(*keep, "id.kind", "id.identifier").where("identifier is not null").distinct()


def owned(members: DataFrame) -> DataFrame:
    """Identifiers of people: person_key, kind, identifier, and how many people have it (`owners`).

    `members`: person_key and the id_*_key columns, any number of rows a person.
    """
    rows = identifiers(members, "person_key")
    owners = rows.groupBy("kind", "identifier").agg(F.count("*").alias("owners"))
    return rows.join(owners, ["kind", "identifier"])


def suppressed(suppressions: DataFrame, owned_ids: DataFrame, day: date) -> DataFrame:
    """People shut out on the day by any identifier, shared ones too: person_key, suppression (first reason by name)."""
    begin, end = day_bounds(day)
    in_force = suppressions.where(
        (F.col("from_at") < F.lit(end)) & (F.coalesce("until_at", F.lit(OPEN_END)) > F.lit(begin))
    )
    hits = identifiers(in_force, "reason").join(owned_ids, ["kind", "identifier"])
    return hits.groupBy("person_key").agg(F.min("reason").alias("suppression"))


def consent_states(
    consents: DataFrame, owned_ids: DataFrame, channels: Sequence[str], purpose: str, day: date
) -> DataFrame:
    """What each person last said for each channel: person_key and a column `is_granted:CHANNEL` each.

    In force to the day's end; null where nothing was said. The latest statement wins, whether it names the channel or
    `*`; of two at one moment the refusal. An expired grant is a no and revives nothing older. A grant is not taken
    from an identifier that several people share.
    """
    _, end = day_bounds(day)
    known = consents.where((F.col("purpose") == F.lit(purpose)) & (F.col("from_at") < F.lit(end)))
    said = known.where(F.col("channel").isin("*", *channels))
    ids = identifiers(said, "channel", "is_granted", "from_at", "until_at").join(owned_ids, ["kind", "identifier"])
    heard = ids.where(~F.col("is_granted") | (F.col("owners") == 1))
    until = -F.unix_micros(F.coalesce("until_at", F.lit(OPEN_END)))
    state = F.struct("from_at", (~F.col("is_granted")).alias("is_refused"), until.alias("until"))
    last = heard.groupBy("person_key", "channel").agg(F.max(state).alias("last"))
    about = [F.max(F.when(F.col("channel").isin("*", name), F.col("last"))).alias(name) for name in channels]
    ends = -F.unix_micros(F.lit(end))
    return (
        last.groupBy("person_key")
        .agg(*about)
        .select("person_key", *[_is_in_force(name, ends).alias(granted(name)) for name in channels])
    )


def granted(channel: str) -> str:
    """The column of `consent_states` that tells of a channel."""
    return f"is_granted:{channel}"


def _is_in_force(last: str, ends: Column) -> Column:
    return ~F.col(f"`{last}`.is_refused") & (F.col(f"`{last}`.until") <= ends)


def crowded(shared: DataFrame, most: int) -> DataFrame:
    """People who share a device, account or picture background with more than `most`, or with a known fraud.

    `shared`: person_key, persons, is_fraud. Returns person_key and crowd, true.
    """
    return shared.where((F.col("persons") > most) | F.col("is_fraud")).select("person_key", F.lit(True).alias("crowd"))


def is_consented(is_granted: Column, consent: str) -> Column:
    """The consent gate: silence is a no, unless a source's consent is `assumed`; a refusal is a no either way."""
    return F.coalesce(is_granted, F.lit(consent == "assumed"))


def has_identifier(channel: Column, accepted: Mapping[str, Sequence[str]]) -> Column:
    """True when the row has an identifier its channel takes."""
    any_of = [
        (channel == F.lit(name)) & F.coalesce(*[F.col(f"id_{kind}_key") for kind in kinds], F.lit(None)).isNotNull()
        for name, kinds in accepted.items()
        if kinds
    ]
    return reduce(lambda a, b: a | b, any_of, F.lit(False))


def first_shut(gates: Sequence[tuple[Column, Column | str]]) -> Column:
    """The reason of the first gate that is not open (unknown is shut); null when all are."""
    reasons = [
        F.when(~F.coalesce(is_open, F.lit(False)), F.lit(reason) if isinstance(reason, str) else reason)
        for is_open, reason in gates
    ]
    return F.coalesce(*reasons)


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The day's first moment and the next day's, UTC."""
    begin = datetime.combine(day, time(), tzinfo=UTC)
    return begin, begin + timedelta(days=1)
