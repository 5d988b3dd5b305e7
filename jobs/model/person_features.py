"""Which columns of a prospect a model may see: what conf declares and policy does not forbid."""

from __future__ import annotations

from jobs.model.learners import Features
from jobs.runtime.conf import Conf

APPLIED_BEFORE = "applications_before"  # told beside a prospect's own columns, see `applied_before`
MOST_BEFORE = 3  # applications counted


def person_features(conf: Conf) -> Features:
    """The declared features and the sales region, in the order of conf; forbidden attributes are left out."""
    forbidden = set(conf.policy.forbidden_attributes)
    numeric = tuple(name for name in conf.numeric_features if name not in forbidden)
    categorical = tuple(name for name in (*conf.categorical_features, "region") if name not in forbidden)
    return Features(numeric, tuple(dict.fromkeys(categorical)))


def served_features(conf: Conf) -> Features:
    """What scores are made of: a prospect's features, and how often it had applied before if policy lets it."""
    return with_past(person_features(conf), conf)


def with_past(features: Features, conf: Conf) -> Features:
    """The features, and how often a prospect had applied before if policy lets models see it."""
    past = () if APPLIED_BEFORE in conf.policy.forbidden_attributes else (APPLIED_BEFORE,)
    return Features((*features.numeric, *past), features.categorical)
