"""What models may see of a person: what policy forbids is left out, what is counted here is refused from elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from funnel_rows import funnel_conf, funnel_rows
from pydantic import ValidationError

from jobs.model.person_features import APPLIED_BEFORE, person_features, served_features
from jobs.model.training.fits import Fits
from jobs.model.training.funnel import fit_funnel
from jobs.runtime.settings import BaseConf, PolicyConf
from support import make_conf


def test_served_features_are_a_persons_own_and_how_often_it_applied() -> None:
    conf = make_conf()
    assert person_features(conf).names == ("income", "city", "region")
    assert served_features(conf).names == ("income", APPLIED_BEFORE, "city", "region")


@pytest.mark.parametrize("forbidden", ["income", "city", "region", APPLIED_BEFORE])
def test_forbidden_attributes_are_seen_by_no_model(forbidden: str) -> None:
    conf = make_conf(policy=PolicyConf(forbidden_attributes=(forbidden,)))
    assert set(served_features(conf).names) == {"income", APPLIED_BEFORE, "city", "region"} - {forbidden}


def test_a_landed_feature_may_not_bear_the_name_of_what_is_counted_here() -> None:
    with pytest.raises(ValidationError, match="counted from the book"):
        BaseConf(currency="CNY", features={APPLIED_BEFORE: "numeric"})


def test_stages_are_learned_and_asked_without_a_forbidden_past() -> None:
    conf = funnel_conf("logistic").model_copy(update={"policy": PolicyConf(forbidden_attributes=(APPLIED_BEFORE,))})
    rows = funnel_rows(1, 3000)
    frames = (frame.drop(columns=APPLIED_BEFORE) for frame in (rows.assigned, rows.decided, rows.asked))
    fits = Fits()
    for fitted in fit_funnel(*frames, conf):
        fits.add(fitted)
    funnel = fits.funnel()
    asked = rows.assigned.drop(columns=APPLIED_BEFORE)
    assert np.isfinite(funnel.added(asked, funnel.organic(asked), "sms")).all()
    assert {part.stage for part in fits.parts()} >= {"click", "wins", "approve", "fund", "late", "fraud"}
