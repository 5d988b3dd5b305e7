"""A funnel of scorecards: what Spark tells by itself is what the Python models tell, and what was planted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jobs.model.learners import Features
from jobs.model.person_features import APPLIED_BEFORE
from jobs.model.serving.arrow import arrow_table
from jobs.model.serving.funnel import Funnel, Part
from jobs.model.serving.native import is_native, native_band_scores, native_table
from jobs.model.serving.prices import Price
from jobs.model.serving.scorer import MEASURES, Scorer
from jobs.model.serving.scoring import score_table
from jobs.model.stage_models import stage_models
from jobs.runtime.conf import Conf
from jobs.runtime.settings import TrainingConf

DAY = date(2026, 6, 1)
FEATURES = Features(("income", APPLIED_BEFORE), ("city", "region"))
CUTS = (("A", 0.03), ("B", 0.01), ("C", -1.0))


@pytest.fixture(scope="module")
def glass(conf: Conf) -> Conf:
    training = TrainingConf(learner="scorecard", default_learner="scorecard", compare=())
    return conf.model_copy(update={"base": conf.base.model_copy(update={"training": training})})


@pytest.fixture(scope="module")
def models(market: Any, glass: Conf, spark: Any, tmp_path_factory: Any) -> pd.DataFrame:
    from jobs.runtime.keys import Keys
    from jobs.runtime.shell import Shell

    home = tmp_path_factory.mktemp("native")
    shell = Shell(home / "warehouse", home / "landing", glass, Keys(bytes(32)), spark)
    told = market.frames
    return stage_models(**{name: told[name] for name in stage_models.reads}, day=DAY, conf=glass, shell=shell)[0]


@pytest.fixture(scope="module")
def scorer(models: pd.DataFrame) -> Scorer:
    columns = (models["stage"], models["channel"], models["scale"], models["payload"])
    funnel = Funnel.of([Part(*row) for row in zip(*columns, strict=True)], "v1")
    prices = {"feed_a": Price(2.1, 0.0), "sms": Price(0.4, 0.05)}
    return Scorer(funnel, FEATURES, ("feed_a", "sms"), prices, 500.0, CUTS)


def people(spark: Any, planted: pd.DataFrame) -> Any:
    """The market's people, and people such as no model has seen."""
    strange = [
        ("n1", None, None, None, None),
        ("n2", float("nan"), "it's \\ new", "r1", 3.0),
        ("n3", float("inf"), "", "r9", 0.0),
        ("n4", -1e308, "north", "r1", 1.0),
    ]
    planted = planted.assign(**{APPLIED_BEFORE: np.arange(len(planted)) % 4.0})
    columns = ["prospect_key", "income", "city", "region", APPLIED_BEFORE]
    rows = [*planted[columns].itertuples(index=False, name=None), *strange]
    schema = f"prospect_key string, income double, city string, region string, {APPLIED_BEFORE} double"
    return spark.createDataFrame(rows, schema).repartition(3)


def _sorted(frame: Any) -> pd.DataFrame:
    return frame.toPandas().sort_values(["prospect_key", "channel"], ignore_index=True)


def test_spark_tells_what_the_python_models_tell(spark: Any, market: Any, scorer: Scorer) -> None:
    assert is_native(scorer.funnel)
    prospects = people(spark, market.frames["prospects"].toPandas())
    native, python = _sorted(native_table(prospects, scorer)), _sorted(arrow_table(prospects, scorer))
    assert list(native.columns) == list(python.columns)
    for name in MEASURES:
        np.testing.assert_allclose(native[name], python[name], rtol=0, atol=1e-12, err_msg=name)
    for name in ("prospect_key", "channel", "band", "model_version"):
        assert (native[name] == python[name]).all(), name
    assert python.groupby("band").size().min() > 4  # every band is somebody's
    assert python["p_apply"].nunique() > 50
    best = python.assign(good=(python["p_apply"] - python["p_organic"]) * python["p_approve"])
    told = native_band_scores(prospects, scorer).toPandas().set_index("prospect_key")["band_score"]
    wanted = (best["good"] * best["p_fund"] * best["p_good"]).groupby(best["prospect_key"]).max()
    np.testing.assert_allclose(told.loc[wanted.index], wanted, rtol=0, atol=1e-12)


def test_the_job_takes_the_native_way_and_no_other_model_does(scorer: Scorer, spark: Any, market: Any) -> None:
    prospects = people(spark, market.frames["prospects"].toPandas())
    plan = score_table(prospects, scorer)._jdf.queryExecution().toString()
    assert "MapInArrow" not in plan
    parts = dict(scorer.funnel.parts)
    counted = Part("clicks", "sms", 1.0, parts[("units", "sms")].payload)
    mixed = Funnel({**parts, ("clicks", "sms"): counted}, "v1")
    assert not is_native(mixed)
    plan = score_table(prospects, replace(scorer, funnel=mixed))._jdf.queryExecution().toString()
    assert "MapInArrow" in plan


def test_a_funnel_of_scorecards_finds_what_was_planted(spark: Any, market: Any, scorer: Scorer) -> None:
    found = _sorted(native_table(people(spark, market.frames["prospects"].toPandas()), scorer))
    found = found[found["prospect_key"].str.startswith("p")]
    click = market.click("feed_a")
    true = click * (market.apply() - 0.01)
    mine = found[found["channel"] == "feed_a"]
    added = (mine["p_apply"] - mine["p_organic"]).to_numpy()
    assert np.corrcoef(pd.Series(added).rank(), pd.Series(true).rank())[0, 1] > 0.9
    assert added.sum() == pytest.approx(true.sum(), rel=0.2)
    approve = 1 / (1 + np.exp(-(0.3 + market.z)))
    assert np.corrcoef(mine["p_approve"].rank(), pd.Series(approve).rank())[0, 1] > 0.95


def test_a_glass_box_counts_nothing_person_by_person(models: pd.DataFrame) -> None:
    assert not set(models["stage"]) & {"clicks", "wins", "price"}
    assert set(models.loc[models["stage"].isin(["click", "apply", "approve", "late"]), "learner"]) == {"scorecard"}
