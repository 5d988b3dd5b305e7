"""Caps on lateness are lowered by what the models may be off, so that they are kept and not merely promised."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.activate.allocation.off import ModelErrors
from jobs.activate.allocation.prudence import cap_notes, prudent
from jobs.runtime.conf import Conf
from jobs.runtime.settings import BaseConf, PartnerConf, PlanConf
from support import make_conf


def asked(**plan: float) -> Conf:
    base = make_conf().base
    partners = {"a": PartnerConf(max_late_rate=0.05, max_fraud_rate=0.01), "b": PartnerConf()}
    content = {"max_late_rate": 0.04, "max_fraud_rate": 0.002, **plan}
    return make_conf(base=BaseConf(**{**dict(base), "plan": PlanConf(**content)}), partners=partners)


def errors(*ratios: float) -> ModelErrors:
    return ModelErrors({("late", "*"): np.array(ratios)})


def test_caps_on_lateness_are_a_standard_error_lower_and_others_stay() -> None:
    kept = prudent(asked(), errors(0.2, -0.2, 0.2, -0.2))
    share = np.exp(-0.1)
    assert kept.base.plan.max_late_rate == pytest.approx(0.04 * share)
    assert [kept.partners[name].max_late_rate for name in "ab"] == [pytest.approx(0.05 * share), None]
    assert (kept.base.plan.max_fraud_rate, kept.partners["a"].max_fraud_rate) == (0.002, 0.01)
    assert cap_notes(asked(), kept) == [
        "lateness is held to 3.62%, below the cap of 4.00% by what the models may be off"
    ]


def test_no_error_known_or_no_prudence_asked_for_leaves_caps_alone() -> None:
    reckless = asked(late_prudence=0.0)
    for conf, told in ((asked(), ModelErrors({})), (reckless, errors(0.2, -0.2))):
        assert prudent(conf, told) == conf
        assert not cap_notes(conf, prudent(conf, told))


def test_a_plan_at_its_cap_keeps_it_as_often_as_its_error_says() -> None:
    dice = np.random.default_rng(3)
    true_over_told = np.exp(0.1 * dice.standard_normal(4000))
    broken = {}
    for prudence in (0.0, 1.0, 2.0):
        told = prudent(asked(late_prudence=prudence), errors(0.2, -0.2)).base.plan.max_late_rate
        assert told is not None
        broken[prudence] = float(np.mean(told * true_over_told > 0.04))
    assert broken == {
        0.0: pytest.approx(0.5, abs=0.03),
        1.0: pytest.approx(0.16, abs=0.03),
        2.0: pytest.approx(0.02, abs=0.01),
    }
