"""The link stage: who is who, what followed which touch, and what became of each application and assignment."""

from __future__ import annotations

from jobs.contract import Column, Privacy, Table
from jobs.tables.ingest import PROSPECT_KEY, key

PERSON_KEY = key("person_key", "string", "pseudonym of the person", Privacy.PSEUDONYM)
MAYBE_PROSPECT = Column("prospect_key", "string", "prospect it belongs to; null when unlinked", Privacy.PSEUDONYM)
MAYBE_PERSON = Column("person_key", "string", "person it belongs to; null when unlinked", Privacy.PSEUDONYM)
LINK_TYPE = Column(
    "link_type", "string", "identifier that linked it: national, account, phone, email, click, device, cookie"
)

PEOPLE = Table(
    "people",
    "link",
    "Which prospect rows are one person, and which of them is sent",
    ("prospect_key",),
    (
        PROSPECT_KEY,
        PERSON_KEY,
        key(
            "is_sent", "boolean", "the one row of the person that may be sent: none when none is in the newest snapshot"
        ),
        key("prospects", "bigint", "prospect rows of the person"),
    ),
)
IDENTIFIER_OWNERS = Table(
    "identifier_owners",
    "link",
    "Whom each identifier ever seen on a prospect belongs to; nobody when several people had it",
    ("kind", "id_key"),
    (
        key("kind", "string", "identifier type: national, account, phone, email, click, device, cookie"),
        key("id_key", "string", "pseudonym of the identifier", Privacy.PSEUDONYM),
        MAYBE_PROSPECT,
        MAYBE_PERSON,
        key("prospects", "bigint", "prospect rows that ever carried it"),
        key("persons", "bigint", "people among them"),
    ),
    rules=("(person_key is null) = (persons > 1)", "(prospect_key is null) = (person_key is null)"),
)
DROPPED_LINKS = Table(
    "dropped_links",
    "link",
    "Identifiers that tie nobody, though several prospect rows share them, each with its reason",
    ("kind", "id_key"),
    (
        key("kind", "string", "identifier type: national, account, phone, email"),
        key("id_key", "string", "pseudonym of the identifier", Privacy.PSEUDONYM),
        key("reason", "string", "over_shared: more rows than link.max_shared; two_national_ids: of different people"),
        key("holders", "bigint", "prospect rows that share it today"),
    ),
)
PERSON_CHANGES = Table(
    "person_changes",
    "link",
    "Prospects whose person became another since the last run: the history of merges and splits",
    ("prospect_key",),
    (
        PROSPECT_KEY,
        PERSON_KEY,
        key("was_person_key", "string", "pseudonym of the person it was before", Privacy.PSEUDONYM),
        key("change", "string", "merged: into a person known before; split: off as a person of its own"),
    ),
)
LINKED_TOUCHES = Table(
    "linked_touches",
    "link",
    "Touches with the person they reached; the unlinked are kept",
    ("touch_id",),
    (
        key("touch_id", "string", "touch"),
        MAYBE_PROSPECT,
        MAYBE_PERSON,
        LINK_TYPE,
        key("occurred_at", "timestamp", "when it happened"),
        key("channel", "string", "channel"),
        key("campaign", "string", "campaign"),
        key("kind", "string", "impression, view, click, visit, call or message"),
        Column("ad_group", "string", "ad group"),
        Column("creative", "string", "creative"),
        Column("placement", "string", "placement"),
        Column("id_click_key", "string", "pseudonym of the click identifier", Privacy.PSEUDONYM),
    ),
    rules=("(person_key is null) = (link_type is null)",),
)
MATURED_OUTCOMES = Table(
    "matured_outcomes",
    "link",
    "The credit outcome each application led to, as far as it could be known on the day",
    ("application_id",),
    (
        key("application_id", "string", "application"),
        MAYBE_PROSPECT,
        MAYBE_PERSON,
        LINK_TYPE,
        Column("id_click_key", "string", "pseudonym of the click it came by", Privacy.PSEUDONYM),
        key("applied_at", "timestamp", "when it was made"),
        Column("partner", "string", "funding institution"),
        Column("product", "string", "product applied for"),
        Column("is_approved", "boolean", "approved; null while pending"),
        Column("decided_at", "timestamp", "when it was decided"),
        Column("is_funded", "boolean", "paid out within 30 days of approval; null while that may still happen"),
        Column("loan_id", "string", "the loan; null when none"),
        Column("funded_at", "timestamp", "when it was paid out"),
        Column("principal_minor", "bigint", "money lent, minor units of the base currency, at the rate of the day"),
        Column(
            "months_observed", "bigint", "months on book known so far (a repaid loan stays known); null without a loan"
        ),
        Column("max_days_past_due", "bigint", "most days past due seen up to month 12; null without a loan"),
        Column("late_month", "bigint", "months on book when first over 90 days past due, by month 12; null if not"),
        Column("is_fraud", "boolean", "fraud was confirmed; null without a loan"),
        Column("is_late", "boolean", "ever over 90 days past due by month 12; null while not decided"),
        Column(
            "is_good",
            "boolean",
            "funded, no fraud, never late by month 12; null while not decided, false when not funded",
        ),
        Column(
            "is_mature", "boolean", "13 months since funding: good and bad are equally well known; null without a loan"
        ),
    ),
    rules=(
        "is_good is null or not is_good or (coalesce(is_funded, false) and months_observed >= 12)",
        "not (coalesce(is_late, false) and coalesce(is_good, false))",
        "late_month is null or is_late",
    ),
)
SHARED_IDENTITIES = Table(
    "shared_identities",
    "link",
    "People whose device, account or picture background other people have too",
    ("person_key",),
    (
        key("person_key", "string", "pseudonym of the person", Privacy.PSEUDONYM),
        key("kind", "string", "the most shared of what the person shares: account, background or device"),
        key("persons", "bigint", "people who have it"),
        key("is_fraud", "boolean", "fraud was confirmed of somebody who has one of what the person shares"),
    ),
    rules=("persons > 1",),
)
ASSIGNMENT_OUTCOMES = Table(
    "assignment_outcomes",
    "link",
    "What followed each assignment, reached or not: the training cohort",
    ("prospect_key", "assigned_day", "channel"),
    (
        PROSPECT_KEY,
        key("assigned_day", "date", "day the prospect was put on the list"),
        key("channel", "string", "channel, `none` for a holdout"),
        PERSON_KEY,
        key("role", "string", "policy, exploration or holdout"),
        Column("propensity", "double", "probability the policy gave this choice; null when unknown"),
        Column("snapshot_day", "date", "prospect snapshot known on the assigned day; null when none was"),
        key("impressions", "bigint", "impressions, views and messages of the channel within 14 days"),
        key("clicks", "bigint", "clicks, visits and calls of the channel within 14 days"),
        Column("is_applied", "boolean", "the person applied within 14 days; null until the 14 days are over"),
        Column("application_id", "string", "first application within 14 days; null until they are over"),
        Column("is_approved", "boolean", "that application approved; null when none or pending"),
        Column("is_funded", "boolean", "that application funded; null when not decided"),
        Column("is_late", "boolean", "that loan late; null when not decided"),
        Column("is_good", "boolean", "that loan good; null when not decided"),
        Column("is_fraud", "boolean", "that loan confirmed fraud"),
        Column("is_mature", "boolean", "that loan is 13 months old: take labels of lateness and goodness only then"),
    ),
)
