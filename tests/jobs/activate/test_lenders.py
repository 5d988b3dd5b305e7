"""What a plan takes of partners: learned rates under conf's regions and bands, looked up by a person's class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import functions as F

from jobs.activate.lenders import Lenders
from jobs.runtime.settings import PartnerConf
from segments.kinds import Kinds

KINDS = Kinds(("east", "north"), (0.2,), "need", ("long",))
PARTNERS = {
    "bold": PartnerConf(regions=("north",)),
    "choosy": PartnerConf(appetite={"A": 1.0, "B": 0.0, "*": 0.5}),
    "strict": PartnerConf(appetite={"A": 2.0}),
    "unknown": PartnerConf(),
}


def passes() -> pd.DataFrame:
    """A rate of kind / 10 + 1 for every class at bold, choosy and strict; one partner more that conf does not know."""
    _, steps, levels = KINDS.shape
    kind = np.tile(np.arange(KINDS.count), 4)
    return pd.DataFrame(
        {
            "kind": kind,
            "partner": np.repeat(["bold", "choosy", "gone", "strict"], KINDS.count),
            "region": np.array(["east", "north", None], dtype=object)[kind // (steps * levels)],
            "p_approve_from": np.array([0.0, 0.2])[kind // levels % steps],
            "fit_feature": "need",
            "fit_level": np.array(["long", None], dtype=object)[kind % levels],
            "pass_rate": 1.0 + kind / 10,
        }
    )


def test_each_person_gets_the_rates_of_its_class_and_conf_shuts_what_is_shut(spark: Any) -> None:
    lenders = Lenders.of(passes(), PARTNERS)
    assert lenders.names == ("bold", "choosy", "strict", "unknown")
    assert lenders.columns == ("region", "need")
    people = [
        ("east", 0.1, "long", "A"),
        ("north", 0.3, "short", "B"),
        ("north", 0.2, "long", "C"),
        (None, 0.9, None, None),
    ]
    frame = spark.createDataFrame(people, "region string, p_approve double, need string, band string")
    kind = [row["kind"] for row in frame.select(lenders.kind(F.col("band")).alias("kind")).collect()]
    assert np.allclose(
        lenders.pass_rate[kind],
        [
            [0.0, 1.0, 1.0, 1.0],
            [1.7, 0.0, 0.0, 1.0],
            [1.6, 1.6, 0.0, 1.0],
            [0.0, 2.1, 0.0, 1.0],
        ],
    )


def test_without_a_table_conf_alone_tells(spark: Any) -> None:
    lenders = Lenders.of(passes().iloc[:0], {"bold": PARTNERS["bold"], "plain": PartnerConf()})
    frame = spark.createDataFrame([("north", 0.5), ("east", 0.5), (None, 0.5)], "region string, p_approve double")
    kind = [row["kind"] for row in frame.select(lenders.kind(F.lit(None)).alias("kind")).collect()]
    assert lenders.pass_rate[kind].tolist() == [[1.0, 1.0], [0.0, 1.0], [0.0, 1.0]]
    assert Lenders.of(passes().iloc[:0], {}).pass_rate.shape == (1, 0)
