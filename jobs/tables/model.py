"""The model stage: segments, models with their cards, scores, bands, profiles."""

from __future__ import annotations

from jobs.contract import Column, Table
from jobs.tables.ingest import PROSPECT_KEY, key

FEATURE_UNITS = Table(
    "feature_units",
    "model",
    "Numbers of prospects whose unit a snapshot changed: models and segments read them in the usual one",
    ("feature", "snapshot_day"),
    (
        key("feature", "string", "feature"),
        key("snapshot_day", "date", "snapshot whose values are in another unit"),
        key("factor", "double", "how many times the usual unit's they are"),
        key("people", "bigint", "prospects with a value in that snapshot"),
    ),
    rules=("factor > 0",),
)
SEGMENT_MEMBERS = Table(
    "segment_members",
    "model",
    "Which prospects are in which segment, by rule (conf/segments) or by cluster",
    ("segment", "prospect_key"),
    (key("segment", "string", "segment name"), PROSPECT_KEY, key("kind", "string", "rule or cluster")),
)
SEGMENT_OVERLAPS = Table(
    "segment_overlaps",
    "model",
    "People each pair of segments has in common; no figure tells of fewer than 50 people",
    ("segment", "other"),
    (
        key("segment", "string", "segment, the first by name"),
        key("other", "string", "the other segment"),
        key("people", "bigint", "people in both"),
        key("share", "double", "of the segment's people, those in the other", scale=6),
        key("other_share", "double", "of the other's people, those in the segment", scale=6),
    ),
    rules=("people >= 50",),
)
SEGMENT_DRIFTS = Table(
    "segment_drifts",
    "model",
    "How each segment has moved in a week; no figure tells of fewer than 50 people",
    ("segment", "kind"),
    (
        key("segment", "string", "segment; `(clusters)` for how people are spread over all clusters"),
        key("kind", "string", "rule or cluster"),
        key("people", "bigint", "people in it"),
        key("share", "double", "of all prospects", scale=6),
        Column("earlier_day", "date", "the day it is compared with; null when there is none"),
        Column("earlier_people", "bigint", "people in it then"),
        Column("earlier_share", "double", "of all prospects then", scale=6),
        Column("entered", "bigint", "people in it now and not then"),
        Column("departed", "bigint", "people in it then and not now"),
        Column("psi", "double", "population stability index of being in it, then and now", scale=6),
        Column("noise", "double", "what 95 % of such indices stay under by chance", scale=6),
    ),
    rules=("people >= 50",),
)
CLUSTER_MODEL = Table(
    "cluster_model",
    "model",
    "The k-means clustering of prospects: one centre a row, on standardised features",
    ("cluster",),
    (
        key("cluster", "string", "cluster name, numbered by size"),
        key("rows", "bigint", "training rows nearest to it"),
        key("centre", "array<double>", "coordinates, in the order of the encoder's columns"),
        key("encoder", "string", "what turns a prospect into coordinates: JSON of means, spreads and levels"),
    ),
)
AFFINITY_MODEL = Table(
    "affinity_model",
    "model",
    "By which factor a creative changes a prospect's clicks on its channel, in logs: LightFM embeddings and more",
    ("kind", "name"),
    (
        key("kind", "string", "prospect_feature, creative, encoder, trust or wear"),
        key("name", "string", "encoded feature name, creative@channel, or the kind"),
        key("vector", "array<double>", "embedding of a creative (trust included) or of a feature; else empty"),
        key(
            "bias", "double", "popularity of a creative; what trust in taste is; log of clicks a creative gains a month"
        ),
        key(
            "rows",
            "bigint",
            "pairs of prospect and creative it was seen in; 0 for a creative known by its features only",
        ),
        Column("payload", "string", "what turns a prospect into feature names, as JSON; on the row of kind encoder"),
    ),
)
STAGE_MODELS = Table(
    "stage_models",
    "model",
    "The fitted stage models, each for all channels (`*`) or one of them",
    ("stage", "channel"),
    (
        key("stage", "string", "click, units, apply, organic, approve, fund, late, fraud, lift, price, load or usual"),
        key("channel", "string", "channel the row is for; `*` for all, or for those without a row of their own"),
        key("model_version", "string", "digest of all stages' payloads, or `prior` when no response could be fitted"),
        key("learner", "string", "learner, or `prior` when data were too thin to fit"),
        key("rows", "bigint", "training rows"),
        key("positives", "bigint", "training positives"),
        key("scale", "double", "what the probability is multiplied with, or all there is (lift, load, usual)"),
        key("payload", "binary", "the fitted model"),
    ),
)
MODEL_CARDS = Table(
    "model_cards",
    "model",
    "What is known about each model: data window, rows, quality with intervals, what each input is worth",
    ("stage", "section", "item"),
    (
        key("stage", "string", "stage model; `response` for all that tell who answers; `*` for what all read"),
        key(
            "section",
            "string",
            "data, quality, calibration, learners (the chosen one against others), challenger (against the model in "
            "force), inputs, or note",
        ),
        key("item", "string", "what the row is about"),
        Column("value", "double", "figure"),
        Column("lo", "double", "lower end of its 95 % interval"),
        Column("hi", "double", "upper end of its 95 % interval"),
        Column("text", "string", "words where a figure does not say it"),
    ),
)
MODEL_ERRORS = Table(
    "model_errors",
    "model",
    "How unlike models are that were learned from either half of the people: what plans add to their intervals",
    ("measure", "channel", "pair"),
    (
        key("measure", "string", "good, spend, late; hidden_* (by the old policy's choice); times_late; chosen_*"),
        key("channel", "string", "channel; `*` for all"),
        key("pair", "int", "which way the people were halved"),
        key(
            "log_ratio",
            "double",
            "log of what one half's models expect over the other's, best tenth of people; chosen_*: log of how many "
            "good customers too many, how much spend too little, the models in force tell of whom they choose; "
            "times_late: standard error of what the quarter of the next loans brings",
        ),
    ),
)
PARTNER_PASSES = Table(
    "partner_passes",
    "model",
    "How many times as many customers each funding institution funds of a class of people as the usual one does",
    ("kind", "partner"),
    (
        key("kind", "bigint", "class of people, numbered by region, then step of approval, then level of fit"),
        key("partner", "string", "funding institution"),
        Column("region", "string", "region of the class; null for all others"),
        key("p_approve_from", "double", "lower end of its p_approve; the upper end is the next class's"),
        Column("fit_feature", "string", "feature that tells which product fits; null where none does"),
        Column("fit_level", "string", "its level in the class; null for all others"),
        key(
            "pass_rate",
            "double",
            "chance of approval and drawdown against that at whoever it would have been; 0: does not serve the region",
            scale=6,
        ),
        key("applications", "bigint", "decided applications of the region at the partner it was learned from"),
        key("model_version", "string", "stage models it stands beside"),
    ),
    rules=("pass_rate >= 0",),
)
BAND_CUTS = Table(
    "band_cuts",
    "model",
    "Frozen cuts of the band score: a prospect is in the first band whose lower cut it reaches",
    ("band",),
    (
        key("band", "string", "band, A best"),
        key("lower", "double", "lower cut of the band score"),
        key("rows", "bigint", "prospects in the band when it was cut, of those sampled"),
        Column("responses", "bigint", "applications out of time, of those assigned to a channel; null when not known"),
        Column("assigned", "bigint", "assignments out of time they are counted on"),
        key("model_version", "string", "models the cuts were made with"),
    ),
)
SCORES = Table(
    "scores",
    "model",
    "What sending each prospect to each channel is expected to bring and cost",
    ("prospect_key", "channel"),
    (
        PROSPECT_KEY,
        key("channel", "string", "channel"),
        key("p_apply", "double", "applies within 14 days, given put on the audience"),
        key("p_organic", "double", "applies within 14 days, given not sent"),
        key("p_approve", "double", "approved, given applied"),
        key("p_fund", "double", "funded within 30 days, given approved"),
        key("p_good", "double", "good, given funded"),
        key("p_late", "double", "ever over 90 days past due by month 12, given funded"),
        key("p_fraud", "double", "confirmed fraud, given funded"),
        key("expected_cost", "double", "money spent per person put on the audience, base currency major units"),
        key("expected_value", "double", "value of incremental good customers less cost, base currency major units"),
        key("band", "string", "band of the prospect, A best"),
        key("model_version", "string", "models it was scored with"),
    ),
    retention_days=90,
    rules=(
        "p_apply between 0 and 1",
        "p_organic between 0 and 1",
        "p_approve between 0 and 1",
        "p_fund between 0 and 1",
        "p_good between 0 and 1",
        "p_late between 0 and 1",
        "p_fraud between 0 and 1",
        "expected_cost >= 0",
    ),
)
PROFILES = Table(
    "profiles",
    "model",
    "What each band and segment is made of; no figure is about fewer than 50 people",
    ("kind", "name", "section", "item"),
    (
        key("kind", "string", "band or segment"),
        key("name", "string", "which band or segment"),
        key("section", "string", "size, feature, channel or expected"),
        key("item", "string", "feature with its level or quarter, channel, or expected figure"),
        key("people", "bigint", "people the figure is about"),
        key("value", "double", "share, mean or figure among them", scale=6),
        Column("reference", "double", "the same among everybody", scale=6),
        Column("lift", "double", "value / reference; null when the reference is 0", scale=6),
    ),
    rules=("people >= 50",),
)
