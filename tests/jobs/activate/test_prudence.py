"""Caps on lateness are lowered by what the models may be off, so that they are kept and not merely promised."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, t

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


def test_caps_on_lateness_are_lower_by_what_models_may_be_off_and_others_stay() -> None:
    kept = prudent(asked(), errors(0.2, -0.2, 0.2, -0.2))
    share = np.exp(-t.ppf(0.95, 4) * 0.1)
    assert kept.base.plan.max_late_rate == pytest.approx(0.04 * share)
    assert [kept.partners[name].max_late_rate for name in "ab"] == [pytest.approx(0.05 * share), None]
    assert (kept.base.plan.max_fraud_rate, kept.partners["a"].max_fraud_rate) == (0.002, 0.01)
    assert cap_notes(asked(), kept) == [
        "lateness is held to 3.23%, below the cap of 4.00% by what the models may be off"
    ]


def test_no_error_known_or_no_confidence_asked_for_leaves_caps_alone() -> None:
    reckless = asked(late_confidence=0.5)
    for conf, told in ((asked(), ModelErrors({})), (reckless, errors(0.2, -0.2))):
        assert prudent(conf, told) == conf
        assert not cap_notes(conf, prudent(conf, told))


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95])
def test_plans_at_their_cap_keep_it_as_often_as_was_asked(confidence: float) -> None:
    dice, worlds, error = np.random.default_rng(3), 2000, 0.1
    conf = asked(late_confidence=confidence)
    true_over_told = np.exp(error * dice.standard_normal(worlds))
    # Either half has half of the rows: what they differ by is twice the error of their mean.
    halves = 2 * error * dice.standard_normal((worlds, 4))
    told = [prudent(conf, errors(*ratios)).base.plan.max_late_rate for ratios in halves]
    kept = int(np.sum(np.array(told, dtype=float) * true_over_told <= 0.04))
    assert binomtest(kept, worlds, confidence).pvalue > 0.01


@pytest.mark.parametrize("ways", [4, 12])
def test_halving_the_same_loans_again_and_again_tells_their_chance_as_fresh_loans_would(ways: int) -> None:
    """Some four hundred late loans, each on one side or the other by a coin for every way: caps are kept as asked."""
    dice, worlds, expected = np.random.default_rng(5), 3000, 400
    seen = dice.poisson(expected, worlds)
    one = dice.binomial(seen[:, None], 0.5, (worlds, ways))
    ratios = np.log(one / (seen[:, None] - one))
    told = [prudent(asked(), errors(*each)).base.plan.max_late_rate for each in ratios]
    kept = int(np.sum(np.array(told, dtype=float) * expected / seen <= 0.04))
    assert binomtest(kept, worlds, 0.95).pvalue > 0.01
