"""The job of the affinity model: rows as they were known, the newest left out, the same whatever their order."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pandas as pd
import pytest

from jobs.model.affinity.expected import expected_clicks
from jobs.model.affinity.exposures import exposures
from jobs.model.affinity_model import affinity_model
from jobs.model.person_features import person_features
from jobs.model.serving.load import load_funnel
from jobs.tables.link import LINKED_TOUCHES
from jobs.tables.model import FEATURE_UNITS, STAGE_MODELS

DAY, SNAPSHOT, FIRST_WAVE = date(2026, 6, 1), date(2025, 8, 1), date(2025, 8, 2)  # of the planted market


@pytest.fixture(scope="module")
def shell(spark: Any, conf: Any, tmp_path_factory: Any) -> Any:
    from jobs.runtime.keys import Keys
    from jobs.runtime.shell import Shell

    home = tmp_path_factory.mktemp("affinity")
    return Shell(home / "warehouse", home / "landing", conf, Keys(bytes(32)), spark)


def test_rows_are_those_shown_with_what_was_known_and_the_newest_are_left_out(
    market: Any, conf: Any, shell: Any, rows: Any
) -> None:
    f, features = market.frames, person_features(conf)
    told = {"campaign": "c", "channel": "sms", "kind": "message"}
    moments = {"too_new": DAY - timedelta(days=5), "never_shown": FIRST_WAVE, "before": SNAPSHOT - timedelta(days=9)}
    extra = [
        {
            **told,
            "touch_id": n,
            "prospect_key": "p00001",
            "creative": n,
            "occurred_at": datetime.combine(d, time(10), UTC),
        }
        for n, d in moments.items()
    ]
    extra[1]["kind"] = "click"
    touches = f["touches"].unionByName(rows(LINKED_TOUCHES, extra, DAY))
    found = exposures(touches, f["prospects"], features, conf.base.training, DAY, shell)
    assert not found.duplicated(["prospect_key", "channel", "creative"]).any()
    assert {"feed_a-odd", "feed_a-even", "sms-odd", "sms-even", "before"} == set(found["creative"])
    assert found["seen_day"].max() <= DAY - timedelta(days=14)
    early = found[found["creative"] == "before"]
    assert early[list(features.names)].isna().all(axis=None)  # no snapshot was known yet
    assert found.loc[found["creative"] != "before", "income"].notna().all()
    assert 0.15 < found.groupby("prospect_key")["is_held"].first().mean() < 0.25
    assert (found.groupby("prospect_key")["is_held"].nunique() == 1).all()
    shown = (
        f["touches"].where("kind <> 'click'").count()
        - f["touches"].where("kind <> 'click' and occurred_at >= date'2026-05-19'").count()
    )
    assert found["exposures"].sum() == shown + 1
    expected = expected_clicks(found, load_funnel(rows(STAGE_MODELS, []), shell))
    by = pd.DataFrame({"channel": found["channel"], "clicks": found["clicks"], "expected": expected})
    sums = by.groupby("channel").sum()
    pd.testing.assert_series_equal(sums["clicks"].astype(float), sums["expected"], check_names=False)


@pytest.mark.usefixtures("several_partitions")
def test_any_partitioning_gives_the_same_model(market: Any, conf: Any, shell: Any, rows: Any) -> None:
    f, models = market.frames, rows(STAGE_MODELS, [])
    told = (f["creatives"], f["prospects"])
    one = affinity_model(f["touches"], *told, models, rows(FEATURE_UNITS, []), day=DAY, conf=conf, shell=shell)
    shuffled = f["touches"].orderBy("kind", "creative").repartition(5)
    other = affinity_model(shuffled, *told, models, rows(FEATURE_UNITS, []), day=DAY, conf=conf, shell=shell)
    pd.testing.assert_frame_equal(one, other)
    trust = one.loc[one["kind"] == "trust", "bias"].iloc[0]
    assert 0.0 <= trust < 1.0  # nobody has a taste here
