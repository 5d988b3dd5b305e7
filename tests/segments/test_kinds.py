"""Classes of people: the Spark expression and the arrays tell the same, and the published rows give them back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F

from segments.kinds import Kinds

WHOLE = Kinds(("east", "north"), (0.1, 0.25, 0.4), "need", ("long", "short"))
CASES = [WHOLE, Kinds((), ()), Kinds(("east",), (0.2,)), Kinds((), (), "need", ("long",))]


def people() -> pd.DataFrame:
    dice = np.random.default_rng(3)
    p = np.concatenate([dice.random(60), [0.1, 0.25, 0.4, 0.2, 0.0, 1.0]])
    region = dice.choice(np.array(["east", "north", "south", None], dtype=object), len(p))
    need = dice.choice(np.array(["long", "short", "medium", None], dtype=object), len(p))
    return pd.DataFrame({"region": region, "p_approve": p, "need": need})


@pytest.mark.parametrize("kinds", CASES)
def test_spark_and_arrays_tell_the_same_class(spark: Any, kinds: Kinds) -> None:
    told = people()
    frame = spark.createDataFrame(
        told.astype(object).where(told.notna(), None), "region string, p_approve double, need string"
    )
    column = kinds.column(F.col("region"), F.col("p_approve"), F.col("need"))
    found = [row["kind"] for row in frame.select(column.alias("kind")).collect()]
    assert found == kinds.codes(told["region"], told["p_approve"].to_numpy(), told["need"]).tolist()
    assert 0 <= min(found) <= max(found) < kinds.count


def test_classes_are_numbered_region_by_region() -> None:
    codes = WHOLE.codes(["east", "east", "north", None], np.array([0.05, 0.1, 0.9, 0.3]), ["long", None, "short", "x"])
    assert codes.tolist() == [0, 3 + 2, 12 + 9 + 1, 24 + 6 + 2]
    assert WHOLE.count == 36


@pytest.mark.parametrize("kinds", CASES)
def test_published_rows_give_the_classes_back(kinds: Kinds) -> None:
    _, steps, levels = kinds.shape
    kind = np.arange(kinds.count)
    rows = pd.DataFrame(
        {
            "kind": kind,
            "region": np.array([*kinds.regions, None], dtype=object)[kind // (steps * levels)],
            "p_approve_from": np.array([0.0, *kinds.edges])[kind // levels % steps],
            "fit_feature": kinds.feature,
            "fit_level": np.array([*kinds.levels, None], dtype=object)[kind % levels],
        }
    )
    assert Kinds.of(rows.sample(frac=1.0, random_state=1)) == kinds
