"""The activate stage: who may be sent, the plan, the audiences, what was sent."""

from __future__ import annotations

from jobs.contract import Column, Privacy, Table
from jobs.tables.ingest import PROSPECT_KEY, key

PERSON_KEY = key("person_key", "string", "pseudonym of the person", Privacy.PSEUDONYM)

ELIGIBILITY = Table(
    "eligibility",
    "activate",
    "Who may be put on which channel's audience today, and if not, the first reason why",
    ("prospect_key", "channel"),
    (
        PROSPECT_KEY,
        key("channel", "string", "channel"),
        PERSON_KEY,
        key("is_eligible", "boolean", "every gate is open"),
        Column(
            "reason",
            "string",
            "first gate that is shut: suppressed:<reason>, no_consent, not_sent_row, no_identifier, holdout "
            "(the last: every other gate is open)",
        ),
        key("is_holdout", "boolean", "the person is held out of every channel"),
        key("holdout_salt", "string", "salt of the draw; a held-out person stays so while it does not change"),
        key("is_consent_assumed", "boolean", "consent was assumed by policy.yaml, not shown"),
    ),
    rules=("is_eligible = (reason is null)", "not (is_eligible and is_holdout)"),
)
CHANNEL_PLAN = Table(
    "channel_plan",
    "activate",
    "What each channel is planned to spend and win, with the certificate of the plan",
    ("channel",),
    (
        key("channel", "string", "channel, or (all)"),
        key("currency", "string", "base currency"),
        Column("budget", "double", "budget of the period, major units; null is none", scale=2),
        Column("budget_left", "double", "what is left of it, major units; null is no limit", scale=2),
        key("audience_size", "bigint", "people on the audience"),
        key("expected_spend", "double", "expected spend, major units", scale=6),
        Column("expected_spend_lo", "double", "lower end, 95 %", scale=6),
        Column("expected_spend_hi", "double", "upper end, 95 %", scale=6),
        key("expected_good", "double", "expected incremental good customers", scale=6),
        Column("expected_good_lo", "double", "lower end, 95 %", scale=6),
        Column("expected_good_hi", "double", "upper end, 95 %", scale=6),
        Column("expected_late_rate", "double", "expected share of funded that are late"),
        Column("expected_late_rate_lo", "double", "lower end, 95 %"),
        Column("expected_late_rate_hi", "double", "upper end, 95 %"),
        Column("expected_fraud_rate", "double", "expected share of funded that are fraud"),
        Column("expected_fraud_rate_lo", "double", "lower end, 95 %"),
        Column("expected_fraud_rate_hi", "double", "upper end, 95 %"),
        Column("gap", "double", "certified gap to the best plan, relative; on the row (all)"),
        Column("max_violation", "double", "largest relative violation of a row; on the row (all)"),
        Column(
            "shadow_price",
            "double",
            "what one more unit of the channel's budget is worth; on (all) of the total budget, or with a volume floor "
            "what one more good customer costs",
            scale=6,
        ),
        Column("capacity_price", "double", "what one more place on the channel's audience is worth", scale=6),
        Column(
            "binding",
            "string",
            "rows that keep the floor of good customers out of reach, with commas; null where it is met or none is "
            "asked; on the row (all)",
        ),
        Column("note", "string", "what the reader must know, e.g. that consent is assumed or that no model exists yet"),
    ),
)
PLAN_POLICIES = Table(
    "plan_policies",
    "activate",
    "The rule the day's plan chooses by, to be judged on people of the past; no row before there is a model",
    ("model_version",),
    (
        key("model_version", "string", "models whose scores the rule reads"),
        key("payload", "string", "JSON: the programme, its prices, the mixture, the shares of exploration and holdout"),
    ),
)
PLAN_GATE = Table(
    "plan_gate",
    "activate",
    "What the day's plan would have brought on past assignments, beside who made them, and what is released",
    ("outcome",),
    (
        key(
            "outcome",
            "string",
            "applied, funded, or value (funded x p_good x value of a good customer, less expected cost)",
        ),
        Column("current", "double", "the logged policy: incremental outcome a person and wave, who is not listed too"),
        Column("new_ips", "double", "the plan by inverse propensity; trust it where mean_weight is near 1"),
        Column("new_snips", "double", "the plan by self-normalised weights, channel by channel"),
        Column("new_dr", "double", "the plan by the scores, corrected by weighted residuals (doubly robust)"),
        Column("gain", "double", "new_dr less current"),
        Column("gain_lo", "double", "lower end, 95 %, clustered by person"),
        Column("gain_hi", "double", "upper end, 95 %"),
        Column("gain_snips_lo", "double", "lower end of new_snips less current, 95 %"),
        Column("gain_snips_hi", "double", "upper end, 95 %"),
        Column("disagreement", "double", "new_dr less new_snips, in standard errors of that difference"),
        key("people", "bigint", "people in the logs"),
        key("opportunities", "double", "people x waves that could have been listed, from the held out", scale=3),
        key("ess", "double", "effective number of people behind the weights", scale=3),
        key("max_weight", "double", "largest weight of one assignment, before it is cut", scale=3),
        Column("mean_weight", "double", "mean weight against 1, what it is where propensities are the channel's own"),
        key("is_passed", "boolean", "every limit of the gate is kept; judged on the row value"),
        Column("reason", "string", "which limits are not kept, and what the figures cannot see; on the row value"),
        key("mode", "string", "off, report or ramp, as policy.yaml said"),
        key("released_share", "double", "share of people that may be sent"),
        key("since_day", "date", "day from which that share is released"),
    ),
    rules=("released_share between 0 and 1",),
)
AUDIENCES = Table(
    "audiences",
    "activate",
    "Who is put on which channel's audience today",
    ("prospect_key",),
    (
        key("audience", "string", "opaque audience name"),
        key("channel", "string", "channel; `none` for the held out"),
        PROSPECT_KEY,
        Column("partner", "string", "funding institution"),
        Column("creative", "string", "creative"),
        Column("band", "string", "band; null before there is a model"),
        key("role", "string", "policy, exploration or holdout"),
        key("propensity", "double", "probability the policy gave this choice"),
        Column("bid_multiplier", "double", "bid relative to the channel's base"),
        Column("expected_cost", "double", "expected spend on this person, base currency major units"),
        Column("expected_good", "double", "expected incremental good customers"),
    ),
    rules=("propensity > 0 and propensity <= 1", "audience rlike '^aud-[0-9a-z]{8}$'"),
)
AUDIENCE_OPERATIONS = Table(
    "audience_operations",
    "activate",
    "What to add to and remove from each channel's audience, against what it holds",
    ("channel", "audience", "prospect_key"),
    (
        key("channel", "string", "channel"),
        key("audience", "string", "audience"),
        PROSPECT_KEY,
        key("operation", "string", "add or remove"),
        key("reason", "string", "planned, left_plan, moved, not_released, or the gate that shut"),
    ),
    rules=("operation in ('add', 'remove')",),
)
SENT_MEMBERS = Table(
    "sent_members",
    "activate",
    "What each channel's audience holds after the day's deliveries, by its receipts",
    ("channel", "audience", "prospect_key"),
    (key("channel", "string", "channel"), key("audience", "string", "audience"), PROSPECT_KEY),
)
DELIVERIES = Table(
    "deliveries",
    "activate",
    "What was handed to each channel, with its receipt",
    ("batch",),
    (
        key("batch", "bigint", "number of the batch in the channel's order; removals come first"),
        key("channel", "string", "channel"),
        key("audience", "string", "audience"),
        key("operation", "string", "add or remove"),
        key("rows", "bigint", "people in the operation"),
        key("accepted", "bigint", "rows the channel took"),
        key("quarantined", "bigint", "rows without a usable identifier"),
        key("receipt", "string", "SHA-256 of the file the channel took"),
        key("status", "string", "confirmed, partial (some quarantined) or failed"),
    ),
    rules=("rows >= accepted + quarantined",),
)
