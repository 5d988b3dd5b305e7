"""The landing tables as ingested: typed, keyed by pseudonyms, one partition a landed day."""

from __future__ import annotations

from jobs.contract import Column, Privacy, Table

PSEUDONYM = Privacy.PSEUDONYM
ID_TYPES = ("phone", "email", "device", "cookie", "click", "national", "account")
ID_KEYS = tuple(
    Column(f"id_{kind}_key", "string", f"pseudonym of the canonical {kind} identifier", PSEUDONYM) for kind in ID_TYPES
)
MONEY = "decimal(18,2)"


def _landed(name: str, doc: str, key: tuple[str, ...], *columns: Column, has_features: bool = False) -> Table:
    return Table(name, "ingest", doc, key, columns, has_features=has_features, is_landed=True)


def key(name: str, kind: str, meaning: str, privacy: Privacy = Privacy.PLAIN, scale: int = 9) -> Column:
    """A required column."""
    return Column(name, kind, meaning, privacy, nullable=False, scale=scale)


PROSPECT_KEY = key("prospect_key", "string", "pseudonym of prospect_id", PSEUDONYM)

PROSPECTS = _landed(
    "prospects",
    "Who can be addressed: a full snapshot with the declared features",
    ("prospect_key",),
    PROSPECT_KEY,
    *ID_KEYS,
    Column("region", "string", "sales region"),
    Column("registered_at", "timestamp", "when the prospect became known to the lender"),
    has_features=True,
)
ASSIGNMENTS = _landed(
    "assignments",
    "Who was put on which channel's list, reached or not",
    ("prospect_key", "assigned_day", "channel"),
    PROSPECT_KEY,
    key("assigned_day", "date", "day the prospect was put on the list"),
    key("channel", "string", "channel, `none` for a holdout"),
    Column("propensity", "double", "probability the policy gave this choice; null when unknown"),
    Column("policy", "string", "name of the policy that chose"),
    key("role", "string", "policy, exploration or holdout"),
    Column("audience", "string", "name of the list"),
)
CREATIVES = _landed(
    "creatives",
    "What was shown, with its features",
    ("creative", "channel"),
    key("creative", "string", "creative"),
    key("channel", "string", "channel it runs on"),
    Column("placement", "string", "placement"),
    Column("format", "string", "format"),
    Column("first_day", "date", "first day it ran"),
    Column("features", "string", "the feature columns of the landing file: a JSON object with sorted keys"),
)
TOUCHES = _landed(
    "touches",
    "What a channel did to or saw of somebody",
    ("touch_id",),
    key("touch_id", "string", "record number of the touch"),
    key("occurred_at", "timestamp", "when it happened"),
    key("channel", "string", "channel"),
    key("campaign", "string", "campaign"),
    key("kind", "string", "impression, view, click, visit, call or message"),
    Column("ad_group", "string", "ad group"),
    Column("creative", "string", "creative"),
    Column("placement", "string", "placement"),
    *ID_KEYS,
)
SPEND = _landed(
    "spend",
    "What a platform billed, in its own currency",
    ("spend_day", "channel", "campaign", "ad_group", "creative"),
    key("spend_day", "date", "day the money was spent"),
    key("channel", "string", "channel"),
    key("campaign", "string", "campaign"),
    Column("ad_group", "string", "ad group; null means not at that level"),
    Column("creative", "string", "creative; null means not at that level"),
    key("cost", MONEY, "money spent, major units of `currency`"),
    key("currency", "string", "ISO 4217"),
    Column("impressions", "bigint", "impressions billed"),
    Column("clicks", "bigint", "clicks billed"),
    Column("platform_conversions", "double", "conversions the platform claims", scale=6),
)
APPLICATIONS = _landed(
    "applications",
    "Applications for credit and how they were decided",
    ("application_id",),
    key("application_id", "string", "record number of the application"),
    key("applied_at", "timestamp", "when it was made"),
    *ID_KEYS,
    Column("partner", "string", "funding institution"),
    Column("product", "string", "product"),
    Column("amount", MONEY, "amount asked for, major units of `currency`"),
    Column("currency", "string", "ISO 4217"),
    Column("decision", "string", "approved, declined, withdrawn or pending"),
    Column("decided_at", "timestamp", "when it was decided"),
    Column("credit_limit", MONEY, "limit granted, major units"),
    Column("apr", "double", "annual rate offered, a fraction", scale=6),
    Column("place", "string", "geohash of where it was made"),
    Column("ip_key", "string", "pseudonym of the network address", PSEUDONYM),
    Column("background_hash", "string", "64-bit perceptual hash of the picture's background, hex"),
)
LOANS = _landed(
    "loans",
    "Loans paid out",
    ("loan_id",),
    key("loan_id", "string", "record number of the loan"),
    key("application_id", "string", "application it came from"),
    key("funded_at", "timestamp", "when it was paid out"),
    key("principal", MONEY, "money lent, major units of `currency`"),
    key("currency", "string", "ISO 4217"),
    Column("partner", "string", "funding institution"),
    Column("apr", "double", "annual rate, a fraction", scale=6),
    Column("term_months", "bigint", "term in months"),
)
REPAYMENTS = _landed(
    "repayments",
    "Monthly state of each loan",
    ("loan_id", "as_of_day"),
    key("loan_id", "string", "record number of the loan"),
    key("as_of_day", "date", "day the state was taken"),
    key("months_on_book", "bigint", "full months since funding"),
    key("days_past_due", "bigint", "days past due"),
    key("balance", MONEY, "balance outstanding, major units"),
    key("currency", "string", "ISO 4217"),
    Column("past_due", MONEY, "amount past due, major units"),
    Column("charged_off", MONEY, "amount charged off so far, major units"),
    Column("recovered", MONEY, "amount recovered so far, major units"),
    Column("is_confirmed_fraud", "boolean", "fraud was confirmed"),
)
CONSENTS = _landed(
    "consents",
    "Who allowed what on which channel, until when",
    ("consent_key",),
    key("consent_key", "string", "digest of identifiers, purpose, channel and from_at", PSEUDONYM),
    *ID_KEYS,
    key("purpose", "string", "purpose"),
    key("channel", "string", "channel, `*` for all"),
    key("is_granted", "boolean", "granted or withdrawn"),
    key("from_at", "timestamp", "in force from"),
    Column("until_at", "timestamp", "in force until; null is open"),
    Column("evidence", "string", "where the proof lies"),
)
SUPPRESSIONS = _landed(
    "suppressions",
    "Who must not be addressed, why, until when",
    ("suppression_key",),
    key("suppression_key", "string", "digest of identifiers, reason and from_at", PSEUDONYM),
    *ID_KEYS,
    key("reason", "string", "blacklist, opt_out, existing_customer, pending, declined, arrears, complaint, fraud, …"),
    key("from_at", "timestamp", "in force from"),
    Column("until_at", "timestamp", "in force until; null is open"),
)
DELIVERIES_REPORTED = _landed(
    "deliveries_reported",
    "What a channel says it did with an audience",
    ("channel", "audience", "reported_day"),
    key("channel", "string", "channel"),
    key("audience", "string", "audience"),
    key("reported_day", "date", "day of the report"),
    Column("campaign", "string", "campaign that uses the audience"),
    Column("ad_group", "string", "ad group that uses the audience"),
    Column("uploaded", "bigint", "rows uploaded"),
    Column("matched", "bigint", "rows matched"),
    Column("status", "string", "the channel's word for its state"),
    Column("message", "string", "the channel's message"),
)
FX_RATES = _landed(
    "fx_rates",
    "Rates to the base currency",
    ("rate_day", "currency"),
    key("rate_day", "date", "day of the rate"),
    key("currency", "string", "ISO 4217"),
    key("rate", "decimal(18,8)", "base currency a unit"),
)

LANDED = (
    PROSPECTS,
    ASSIGNMENTS,
    CREATIVES,
    TOUCHES,
    SPEND,
    APPLICATIONS,
    LOANS,
    REPAYMENTS,
    CONSENTS,
    SUPPRESSIONS,
    DELIVERIES_REPORTED,
    FX_RATES,
)


def quarantine(table: Table) -> Table:
    """The rows of one landing table that were not let in, each with its reason; the raw row is sealed."""
    return Table(
        f"quarantine_{table.name}",
        "ingest",
        f"Rows of {table.name} that were not let in, and why",
        ("row_number",),
        (
            key("row_number", "bigint", "place among the day's refused rows, in order of their digest"),
            key("file", "string", "landing file the row came from"),
            key("reason", "string", "reason code"),
            Column("column", "string", "column the reason is about"),
            key("row_sealed", "binary", "the raw row, sealed", Privacy.VAULT),
        ),
        is_landed=True,
        in_vault=True,
    )


def vault(table: Table) -> Table:
    """The raw identifiers of one landing table, sealed; read by linking and sending only."""
    return Table(
        f"vault_{table.name}",
        "ingest",
        f"Raw identifiers of {table.name}, sealed",
        ("record_key",),
        (
            key("record_key", "string", "the row's key in its table (parts joined by |)", Privacy.PSEUDONYM),
            key("sealed", "binary", "JSON of the raw identifier columns, sealed", Privacy.VAULT),
        ),
        is_landed=True,
        in_vault=True,
    )


QUARANTINES = {table.name: quarantine(table) for table in LANDED}
VAULTED = ("prospects", "applications", "consents", "suppressions")
VAULTS = {table.name: vault(table) for table in LANDED if table.name in VAULTED}


def counts(table: Table) -> Table:
    """What became of the rows of each landing file of one table, and the figures later days are compared with."""
    return Table(
        f"ingest_counts_{table.name}",
        "ingest",
        f"Rows in and out of each landing file of {table.name}",
        ("file",),
        (
            key("file", "string", "landing file"),
            key("rows_in", "bigint", "rows the file holds"),
            key("rows_out", "bigint", "rows published"),
            key("quarantined", "bigint", "rows refused, each in the quarantine with its reason"),
            key("duplicates", "bigint", "rows equal to another row of the day, dropped"),
            key("reasons", "string", "JSON object: refused rows by `reason:column`"),
            key("filled", "string", "JSON object: published rows with a value, by column that may be null"),
            key("medians", "string", "JSON object: median of each money column by `column currency`, with its rows"),
            Column("note", "string", "columns dropped because the contract does not name them, columns absent"),
        ),
        is_landed=True,
    )


COUNTS = {table.name: counts(table) for table in LANDED}

# The closed sets of the contract: any other word is quarantined as `unknown_value`.
WORDS = {
    ("assignments", "role"): ("policy", "exploration", "holdout"),
    ("touches", "kind"): ("impression", "view", "click", "visit", "call", "message"),
    ("applications", "decision"): ("approved", "declined", "withdrawn", "pending"),
    ("suppressions", "reason"): (
        "blacklist",
        "opt_out",
        "existing_customer",
        "pending",
        "declined",
        "arrears",
        "complaint",
        "fraud",
        "deceased",
        "minor",
        "litigation",
        "hardship",
        "erasure",
    ),
}
