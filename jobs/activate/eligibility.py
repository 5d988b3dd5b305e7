"""Who may be put on which channel's audience today: every gate must open, and what is unknown is shut."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.contract import job
from jobs.runtime.conf import Conf
from jobs.runtime.settings import PolicyConf
from jobs.tables.activate import ELIGIBILITY
from jobs.tables.ingest import CONSENTS, PROSPECTS, SUPPRESSIONS
from jobs.tables.link import PEOPLE, SHARED_IDENTITIES
from segments import gates

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from jobs.runtime.shell import Shell


@job(
    reads={
        "prospects": PROSPECTS.latest(),
        "people": PEOPLE,
        "consents": CONSENTS.in_force(),
        "suppressions": SUPPRESSIONS.in_force(),
        "shared": SHARED_IDENTITIES,
        "before": ELIGIBILITY.before(),
    },
    writes=ELIGIBILITY,
)
def eligibility(
    prospects: DataFrame,
    people: DataFrame,
    consents: DataFrame,
    suppressions: DataFrame,
    shared: DataFrame,
    before: DataFrame,
    *,
    day: date,
    conf: Conf,
    shell: Shell,
) -> DataFrame:
    """One row a prospect and channel. Gates look at the person: what shuts one of its rows shuts all of them.

    `holdout` is the last gate, so that a row with that reason is a fair comparison for those who were sent.
    """
    policy, channels = conf.policy, sorted(conf.channels)
    members = people.drop("day").join(prospects.drop("day"), "prospect_key")
    owned = shell.cut(gates.owned(members))
    consented = gates.consent_states(_fresh(consents, policy, day), owned, channels, policy.purpose, day)
    # All that is known of a person is joined before its rows are told apart by channel.
    persons = (
        _held_out(members, before, policy)
        .join(gates.suppressed(suppressions, owned, day), "person_key", "left")
        .join(consented, "person_key", "left")
        .join(gates.crowded(shared, policy.max_persons_per_identity), "person_key", "left")
    )
    every = F.explode(F.array(*[_said_of(name) for name in channels])).alias("of")
    gated = (
        members.select("prospect_key", "person_key", "is_sent", *_id_columns(members))
        .join(persons, "person_key")
        .select("*", every)
        .select("*", "of.channel", "of.is_granted")
        .withColumn("is_holdout", F.coalesce("is_held_out", F.lit(True)))
    )
    reason = gates.first_shut(
        [
            (F.col("suppression").isNull(), F.concat(F.lit("suppressed:"), F.col("suppression"))),
            (gates.is_consented(F.col("is_granted"), policy.consent), "no_consent"),
            (F.col("is_sent"), "not_sent_row"),
            (gates.has_identifier(F.col("channel"), _accepted(conf)), "no_identifier"),
            (F.col("crowd").isNull(), gates.CROWDED),
            (~F.col("is_holdout"), "holdout"),
        ]
    )
    return gated.select(
        "prospect_key",
        "channel",
        "person_key",
        reason.isNull().alias("is_eligible"),
        reason.alias("reason"),
        "is_holdout",
        F.lit(policy.holdout_salt).alias("holdout_salt"),
        F.lit(policy.consent == "assumed").alias("is_consent_assumed"),
    )


def _said_of(channel: str) -> Column:
    """A channel with what the person last said of it."""
    return F.struct(F.lit(channel).alias("channel"), F.col(f"`{gates.granted(channel)}`").alias("is_granted"))


def _held_out(members: DataFrame, before: DataFrame, policy: PolicyConf) -> DataFrame:
    """Every person with whether it is held out: drawn, or one of its rows was held out before under this salt.

    So held out wins when people merge: the merged person was partly untouched and must stay so.
    """
    earlier = before.where(F.col("is_holdout") & (F.col("holdout_salt") == policy.holdout_salt))
    rows = members.select("prospect_key", "person_key").join(
        earlier.select("prospect_key", F.lit(True).alias("was_held_out")).distinct(), "prospect_key", "left"
    )
    drawn: Column = gates.is_drawn_for_holdout(F.col("person_key"), policy.holdout_salt, policy.holdout_share)
    is_out = drawn | F.coalesce("was_held_out", F.lit(False))
    return rows.groupBy("person_key").agg(F.max(is_out).alias("is_held_out"))


def _fresh(consents: DataFrame, policy: PolicyConf, day: date) -> DataFrame:
    """The consents, or none of the grants when the newest statement is older than policy.yaml allows."""
    if policy.max_consent_age_hours is None:
        return consents
    newest = consents.agg(F.max("day").alias("newest"))
    age = F.datediff(F.lit(day), F.col("newest")) * 24
    is_usable = ~F.col("is_granted") | F.coalesce(age <= policy.max_consent_age_hours, F.lit(False))
    return consents.crossJoin(newest).where(is_usable).drop("newest")


def _id_columns(members: DataFrame) -> list[str]:
    return [name for name in members.columns if name.startswith("id_") and name.endswith("_key")]


def _accepted(conf: Conf) -> dict[str, tuple[str, ...]]:
    return {name: tuple(channel.identifiers) for name, channel in conf.channels.items()}
