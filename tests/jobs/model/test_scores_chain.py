"""Trained on a planted market, scores must tell what was planted; with nothing to train on, they say so."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F

from jobs.model.band_cuts import band_cuts
from jobs.model.profiles import profiles
from jobs.model.scores import scores
from jobs.model.stage_models import stage_models
from jobs.model.usual_units import unit_notes
from jobs.runtime.conf import Conf
from jobs.runtime.errors import DataRefused
from jobs.tables.ingest import FX_RATES, PROSPECTS, SPEND
from jobs.tables.link import ASSIGNMENT_OUTCOMES, LINKED_TOUCHES, MATURED_OUTCOMES, SHARED_IDENTITIES
from jobs.tables.model import BAND_CUTS, FEATURE_UNITS, PARTNER_PASSES, SCORES, SEGMENT_MEMBERS, STAGE_MODELS

DAY = date(2026, 6, 1)


@pytest.fixture(scope="module")
def shell(spark: Any, conf: Any, tmp_path_factory: Any) -> Any:
    from jobs.runtime.keys import Keys
    from jobs.runtime.shell import Shell

    home = tmp_path_factory.mktemp("chain")
    return Shell(home / "warehouse", home / "landing", conf, Keys(bytes(32)), spark)


@pytest.fixture(scope="module")
def trained(market: Any, conf: Any, shell: Any) -> dict[str, Any]:
    """The whole stage run once: {models, card, cuts, inputs (of scores), passes, scores (pandas)}."""
    told = dict(market.frames)
    models, card, _, passes = stage_models(**_reads(stage_models, told), day=DAY, conf=conf, shell=shell)
    told["models"] = shell.frame(models.assign(day=DAY), STAGE_MODELS)
    cuts = band_cuts(**_reads(band_cuts, told), day=DAY, conf=conf, shell=shell)
    told["cuts"] = shell.frame(cuts.assign(day=DAY), BAND_CUTS)
    inputs = _reads(scores, told)
    found = scores(**inputs, day=DAY, conf=conf, shell=shell).toPandas()
    every = {"told": told, "models": models, "card": card, "cuts": cuts, "inputs": inputs, "passes": passes}
    return {**every, "scores": _sorted(found)}


def _bare(conf: Conf, **training: Any) -> Conf:
    """The same without what a test does not look at: models of halves, and, where it says so, learners compared."""
    told = conf.base.training.model_copy(update={"halvings": 0, **training})
    return conf.model_copy(update={"base": conf.base.model_copy(update={"training": told})})


def _reads(job: Any, told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in job.reads}


def _sorted(found: pd.DataFrame) -> pd.DataFrame:
    return found.sort_values(["channel", "prospect_key"], ignore_index=True)


def _rank(one: Any, other: Any) -> float:
    return float(np.corrcoef(pd.Series(np.asarray(one)).rank(), pd.Series(np.asarray(other)).rank())[0, 1])


def test_incremental_applications_and_costs_are_those_planted(trained: dict[str, Any], market: Any) -> None:
    for channel, unit in (("feed_a", 2.0), ("sms", 0.5)):
        found = trained["scores"][trained["scores"]["channel"] == channel]
        added = (found["p_apply"] - found["p_organic"]).to_numpy()
        click = market.click(channel)
        true = click * (market.apply() - 0.01)
        if channel == "feed_a":  # on sms the eager click less and apply more: nearly the same for everybody
            best = true >= np.quantile(true, 0.5)
            assert _rank(added[best], true[best]) > 0.9
        assert added.sum() == pytest.approx(true.sum(), rel=0.2), channel
        cost = unit * click if channel == "feed_a" else np.full(len(click), unit)
        assert found["expected_cost"].sum() == pytest.approx(cost.sum(), rel=0.05), channel
    # sms costs the same for everybody; on feed_a those who click cost more
    feed = trained["scores"][trained["scores"]["channel"] == "feed_a"]
    assert _rank(feed["expected_cost"], market.click("feed_a")) > 0.98


def test_credit_stages_are_those_planted(trained: dict[str, Any], market: Any) -> None:
    one = trained["scores"][trained["scores"]["channel"] == "sms"]
    approve, late = 1 / (1 + np.exp(-(0.3 + market.z))), 1 / (1 + np.exp(2.0 + 0.8 * market.z))
    assert _rank(one["p_approve"], approve) > 0.95
    assert one["p_approve"].mean() == pytest.approx(approve.mean(), rel=0.05)
    assert _rank(one["p_late"], late) > 0.75  # some 60 late loans to learn from
    assert one["p_late"].mean() == pytest.approx(late.mean(), rel=0.3)
    assert one["p_fund"].mean() == pytest.approx(0.6, abs=0.04)
    assert one["p_organic"].mean() == pytest.approx(0.01, rel=0.5)


def test_bands_rank_people_and_are_one_a_person(trained: dict[str, Any]) -> None:
    found = trained["scores"]
    assert (found.groupby("prospect_key")["band"].nunique() == 1).all()
    wide = found.assign(
        good=(found["p_apply"] - found["p_organic"]) * found["p_approve"] * found["p_fund"] * found["p_good"]
    )
    best = wide.groupby("prospect_key").agg(good=("good", "max"), band=("band", "first"))
    means = best.groupby("band")["good"].mean()
    assert len(means) == len(trained["cuts"]) > 3
    assert means.is_monotonic_decreasing
    assert best["band"].value_counts(normalize=True).min() >= 0.03


def test_the_card_tells_what_drives_a_stage(trained: dict[str, Any]) -> None:
    card = trained["card"]
    inputs = card[(card["stage"] == "click") & (card["section"] == "inputs")].set_index("item")
    assert inputs.loc["income", "lo"] > 0
    assert inputs.loc["city", "lo"] < 0.001
    stages = {"click", "apply", "organic", "approve", "fund", "late", "fraud"}
    assert stages <= set(card[card["section"] == "data"]["stage"])
    quality = card[(card["stage"] == "click") & (card["item"] == "auc")].iloc[0]
    assert 0.6 < quality["lo"] < quality["value"] < quality["hi"] < 0.9
    assert "too thin" in card[(card["stage"] == "fraud") & (card["section"] == "note")]["text"].iloc[0]


@pytest.mark.usefixtures("several_partitions")
def test_any_partitioning_gives_the_same_scores(trained: dict[str, Any], conf: Any, shell: Any) -> None:
    inputs = trained["inputs"]
    shuffled = inputs["prospects"].orderBy("city", "income").repartition(7)
    again = scores(**{**inputs, "prospects": shuffled}, day=DAY, conf=conf, shell=shell).toPandas()
    pd.testing.assert_frame_equal(_sorted(again), trained["scores"], check_exact=True)


@pytest.mark.usefixtures("several_partitions")
def test_training_is_the_same_whatever_the_order_and_the_future(
    trained: dict[str, Any], conf: Any, shell: Any, rows: Any
) -> None:
    """Rows shuffled over partitions, and 500 rows whose 14 days are not over, leave the models as they are."""
    told = trained["told"]
    future = rows(
        ASSIGNMENT_OUTCOMES,
        [
            {
                "prospect_key": f"p{i:05d}",
                "person_key": f"p{i:05d}",
                "assigned_day": DAY - timedelta(days=3),
                "channel": "feed_a",
                "role": "exploration",
                "impressions": 1,
                "clicks": 1,
            }
            for i in range(500)
        ],
        DAY,
    )
    changed = {
        "prospects": told["prospects"].repartition(5),
        "assignments": told["assignments"].orderBy("clicks").unionByName(future).repartition(6),
        "outcomes": told["outcomes"].repartition(3, "is_approved"),
        "touches": told["touches"].repartition(4),
        "shared": told["shared"],
        **{name: told[name] for name in ("spend", "rates", "earlier", "units")},
    }
    again, card, *_ = stage_models(**changed, day=DAY, conf=_bare(conf), shell=shell)
    pd.testing.assert_frame_equal(again, trained["models"])
    pd.testing.assert_frame_equal(card, trained["card"])


def test_the_next_training_is_held_against_the_one_in_force(trained: dict[str, Any], conf: Any, shell: Any) -> None:
    """The same rows again: nothing is worse, the card says so, and the models are those of before."""
    told = _reads(stage_models, trained["told"]) | {"earlier": trained["told"]["models"]}
    models, card, *_ = stage_models(**told, day=DAY, conf=_bare(conf, compare=()), shell=shell)
    pd.testing.assert_frame_equal(models, trained["models"])
    verdicts = card[(card["section"] == "challenger") & (card["item"] == "verdict")].set_index("stage")["text"]
    assert verdicts[["response", "approve", "fund"]].eq("taken: not worse").all()
    gaps = card[card["item"] == "log_loss: challenger - in force"]
    assert (gaps[["value", "lo", "hi"]] == 0).all(axis=None)
    assert "challenger" not in set(trained["card"]["section"]), "the first training is held against nothing"


def test_profiles_describe_bands_and_never_few_people(trained: dict[str, Any], conf: Any, shell: Any) -> None:
    table = shell.frame(trained["scores"].assign(day=DAY), SCORES)
    members = (
        trained["told"]["prospects"]
        .selectExpr("day", "'rich' as segment", "prospect_key", "'rule' as kind")
        .where("prospect_key < 'p00400'")
    )
    few = members.where("prospect_key < 'p00030'").selectExpr("day", "'few' as segment", "prospect_key", "kind")
    assert set(members.columns) == {"day", *[c.name for c in SEGMENT_MEMBERS.columns]}
    found = profiles(trained["told"]["prospects"], table, members.unionByName(few), conf=conf, shell=shell)
    assert found["people"].min() >= 50
    assert "few" not in set(found["name"])
    sizes = found[found["section"] == "size"].set_index(["kind", "name"])
    assert sizes.loc[("segment", "rich"), "people"] == 400
    best = found[(found["name"] == "A") & (found["section"] == "feature")].set_index("item")
    assert best.loc["income quarter 4", "lift"] > 2
    expected = found[(found["name"] == "A") & (found["item"] == "incremental_good")].iloc[0]
    assert expected["value"] > 3 * expected["reference"]


def test_day_zero_scores_by_priors_in_one_band(market: Any, conf: Any, shell: Any, rows: Any) -> None:
    nothing = {
        "models": rows(STAGE_MODELS, []),
        "cuts": rows(BAND_CUTS, []),
        "spend": rows(SPEND, []),
        "rates": rows(FX_RATES, []),
        "touches": rows(LINKED_TOUCHES, []),
        "assignments": rows(ASSIGNMENT_OUTCOMES, []),
        "outcomes": rows(MATURED_OUTCOMES, []),
        "units": rows(FEATURE_UNITS, []),
    }
    found = scores(
        prospects=market.frames["prospects"].limit(40), **nothing, day=DAY, conf=conf, shell=shell
    ).toPandas()
    assert len(found) == 80
    assert set(found["band"]) == {"Z"}
    assert set(found["model_version"]) == {"prior"}
    assert (found["p_apply"] > found["p_organic"]).all()
    # what conf means to spend: budget by capacity
    assert found.groupby("channel")["expected_cost"].first().to_dict() == {"feed_a": 5.0, "sms": 2.0}


def test_two_partners_that_are_alike_pass_about_as_many(trained: dict[str, Any], shell: Any) -> None:
    rows = trained["passes"]
    assert set(rows["partner"]) == {"first", "second"}
    assert rows["pass_rate"].between(0.85, 1.15).all()
    assert set(rows["model_version"]) == set(trained["models"]["model_version"])
    assert shell.frame(rows.assign(day=DAY), PARTNER_PASSES).count() == len(rows)


def test_day_zero_trains_priors(conf: Any, shell: Any, rows: Any) -> None:
    told = {
        "prospects": rows(PROSPECTS, []),
        "assignments": rows(ASSIGNMENT_OUTCOMES, []),
        "outcomes": rows(MATURED_OUTCOMES, []),
        "spend": rows(SPEND, []),
        "rates": rows(FX_RATES, []),
        "touches": rows(LINKED_TOUCHES, []),
        "shared": rows(SHARED_IDENTITIES, []),
        "earlier": rows(STAGE_MODELS, []),
        "units": rows(FEATURE_UNITS, []),
    }
    models, card, *_ = stage_models(**told, day=DAY, conf=conf, shell=shell)
    assert set(models["model_version"]) == {"prior"}
    assert set(models[models["stage"] != "lift"]["learner"]) == {"prior"}
    assert any("no holdout" in str(text) for text in card["text"])
    fitted = shell.frame(models.assign(day=DAY), STAGE_MODELS)
    cuts = band_cuts(**_reads(band_cuts, told | {"models": fitted}), day=DAY, conf=conf, shell=shell)
    assert cuts["band"].tolist() == ["Z"]


def test_a_snapshot_in_another_unit_is_scored_as_in_the_usual_one(
    trained: dict[str, Any], conf: Any, shell: Any, rows: Any
) -> None:
    inputs = trained["inputs"]
    changed = inputs["prospects"].withColumn("income", F.col("income") * 100.0)
    units = rows(
        FEATURE_UNITS, [{"feature": "income", "snapshot_day": date(2025, 8, 1), "factor": 100.0, "people": 2500}]
    )
    found = scores(**{**inputs, "prospects": changed, "units": units}, day=DAY, conf=conf, shell=shell).toPandas()
    pd.testing.assert_frame_equal(_sorted(found), trained["scores"])
    raw = scores(**{**inputs, "prospects": changed}, day=DAY, conf=conf, shell=shell).toPandas()
    assert (np.abs(_sorted(raw)["p_approve"] - trained["scores"]["p_approve"]) > 0.01).any()
    (note,) = unit_notes(units, shell)["text"]
    assert "income: 1 snapshots from" in note


def test_spend_without_a_rate_is_refused_by_name(trained: dict[str, Any], conf: Any, shell: Any) -> None:
    from pyspark.sql import functions as F

    foreign = trained["inputs"]["spend"].withColumn("currency", F.lit("USD"))
    with pytest.raises(DataRefused, match="in USD have no rate, the first 2026-04-02"):
        scores(**{**trained["inputs"], "spend": foreign}, day=DAY, conf=conf, shell=shell)
