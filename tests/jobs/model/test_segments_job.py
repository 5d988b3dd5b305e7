"""Planted groups are found as clusters, rules become members, through the real shell."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from jobs.contract import Table, job
from jobs.model.cluster_model import cluster_model
from jobs.model.feature_units import feature_units
from jobs.model.segment_members import segment_members
from jobs.runtime.errors import UsageError
from jobs.runtime.settings import SegmentConf, TrainingConf
from jobs.tables.ingest import PROSPECTS
from jobs.tables.model import CLUSTER_MODEL, FEATURE_UNITS, SEGMENT_MEMBERS
from segments.clusters import nearest

DAY = date(2026, 1, 1)
SIZES = {"small": 60, "middle": 140, "large": 300}


@pytest.fixture
def planted(rows: Any) -> Any:
    """Three groups apart in income, one city each."""
    rng = np.random.default_rng(9)
    content = [
        {"prospect_key": f"{name}{i:03d}", "income": float(1000 * at + rng.normal()), "city": name}
        for at, (name, size) in enumerate(SIZES.items())
        for i in range(size)
    ]
    return rows(PROSPECTS, content, DAY)


def _conf(conf: Any, **segments: SegmentConf) -> Any:
    training = TrainingConf(clusters=3)
    return conf.model_copy(update={"base": conf.base.model_copy(update={"training": training}), "segments": segments})


def test_planted_groups_are_found_and_published(planted: Any, conf: Any, make_shell: Any) -> None:
    rule = SegmentConf(predicate="income > 500 and city <> 'large'", owner="o", purpose="p", doc="d")
    told = _conf(conf, middle_class=rule)
    shell = make_shell(told)

    @job(reads={}, writes=Table("prospects", "ingest", "d", ("prospect_key",), PROSPECTS.columns, has_features=True))
    def prospects() -> Any:
        return planted.drop("day")

    for one in (prospects, feature_units, cluster_model, segment_members):
        assert all(item.is_new for item in shell.run(one, DAY))
    assert not any(item.is_new for item in shell.run(cluster_model, DAY, force=True))
    centres = shell.read(CLUSTER_MODEL, "latest", DAY).toPandas()
    assert centres.set_index("cluster")["rows"].to_dict() == {"cluster_01": 300, "cluster_02": 140, "cluster_03": 60}
    found = shell.read(SEGMENT_MEMBERS, "day", DAY).toPandas()
    assert sorted(found[found["segment"] == "middle_class"]["prospect_key"].str[:6].unique()) == ["middle"]
    for cluster, name in (("cluster_01", "large"), ("cluster_02", "middle"), ("cluster_03", "small")):
        keys = found[found["segment"] == cluster]["prospect_key"]
        assert len(keys) == SIZES[name]
        assert keys.str.startswith(name).all()


def test_a_rule_may_not_take_a_clusters_name(planted: Any, conf: Any, make_shell: Any, rows: Any) -> None:
    told = _conf(conf, cluster_01=SegmentConf(predicate="true", owner="o", purpose="p", doc="d"))
    with pytest.raises(UsageError, match="rename it"):
        segment_members(
            planted, rows(CLUSTER_MODEL, []), rows(FEATURE_UNITS, []), day=DAY, conf=told, shell=make_shell(told)
        )


def test_too_few_people_make_no_clusters(conf: Any, make_shell: Any, rows: Any) -> None:
    few = rows(PROSPECTS, [{"prospect_key": "a", "income": 1.0}])
    assert cluster_model(few, rows(FEATURE_UNITS, []), conf=conf, shell=make_shell()).empty
    assert cluster_model(rows(PROSPECTS, []), rows(FEATURE_UNITS, []), conf=conf, shell=make_shell()).empty


def test_the_nearest_centre_does_not_depend_on_the_batch() -> None:
    rng = np.random.default_rng(1)
    points, centres = rng.normal(size=(200, 7)), rng.normal(size=(5, 7))
    alone = [int(nearest(points[[at]], centres)[0]) for at in range(200)]
    assert nearest(points, centres).tolist() == alone
