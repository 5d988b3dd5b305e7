"""The gate refuses what it cannot know, and the ramp releases the same people first, then more."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import functions as F

from jobs.runtime.settings import GateConf, PolicyConf
from segments.offpolicy import Gain
from segments.release import Evidence, Step, broken, is_refuted, is_released, step

DAY = date(2026, 3, 1)
SURE = Gain(0.02, 0.01, 0.03, 0.005, 0.035, 0.4)
MUCH = Evidence(6000.0, 100_000, 40.0, 25)
LIMITS = GateConf()


def test_each_limit_refuses_by_itself_and_says_so() -> None:
    assert broken(MUCH, SURE, LIMITS) == []
    cases = [
        (Evidence(4999.0, 100_000, 40.0, 25), SURE, "effective people 4,999 of at least 5,000"),
        (Evidence(6000.0, 700_000, 40.0, 25), SURE, "effective people 6,000 of at least 7,000"),
        (Evidence(6000.0, 100_000, 50.1, 25), SURE, "largest weight 50.1"),
        (Evidence(6000.0, 100_000, 40.0, 0), SURE, "no outcome among the held out"),
        (MUCH, Gain(0.02, 0.01, 0.03, 0.0, 0.04, -2.1), "2.1 standard errors apart"),
        (MUCH, Gain(0.02, 0.0, 0.04, 0.0, 0.04, 0.0), "is not above 0"),
    ]
    for evidence, gain, words in cases:
        (said,) = broken(evidence, gain, LIMITS)
        assert words in said
    assert not is_refuted(Gain(-0.01, -0.03, 0.01, -0.03, 0.01, 0.0))
    assert is_refuted(Gain(-0.02, -0.03, -0.01, -0.03, -0.01, 0.0))


@given(
    weights=st.lists(st.floats(1, 1000), min_size=1, max_size=40),
    limit=st.floats(1, 1e5),
)
def test_the_gate_never_passes_on_fewer_effective_people_than_asked(weights: list[float], limit: float) -> None:
    from segments.offpolicy import effective

    ess = effective(sum(weights), sum(w * w for w in weights))
    assert ess <= len(weights) * (1 + 1e-9)
    is_passed = not broken(Evidence(ess, len(weights), 1.0, 1), SURE, GateConf(min_ess=limit, min_ess_share=0.0))
    assert is_passed == (ess >= limit)


def test_the_ramp_climbs_waits_falls_back_and_starts_again() -> None:
    steps, days = LIMITS.steps, LIMITS.step_days

    def on(day: int, before: Step | None, *, ok: bool = False, worse: bool = False, mode: str = "ramp") -> Step:
        return step(DAY + timedelta(days=day), mode, ok, worse, before, steps, days)

    first = on(0, None)
    assert first == Step(0.05, DAY)
    assert on(13, first) == first
    second = on(14, first)
    assert second == Step(0.25, DAY + timedelta(days=14))
    assert on(20, second) == second
    third = on(28, second)
    assert third == Step(1.0, DAY + timedelta(days=28))
    assert on(90, third) == third
    assert on(3, first, ok=True) == Step(1.0, DAY + timedelta(days=3))
    held = on(15, second, worse=True)
    assert held == Step(0.0, DAY + timedelta(days=15))
    assert on(20, held, worse=True) == held
    assert on(30, held) == Step(0.05, DAY + timedelta(days=30))
    assert on(0, None, mode="report").share == 1.0
    assert on(0, None, mode="report", worse=True).share == 1.0


def test_a_larger_share_holds_a_smaller_one_and_is_of_its_size(spark: Any) -> None:
    people = spark.range(20_000).select(F.concat(F.lit("p"), "id").alias("person_key"))
    shares = (0.0, 0.05, 0.25, 1.0)
    drawn = people.select(
        *[is_released(F.col("person_key"), "salt", F.lit(s)).cast("int").alias(f"s{n}") for n, s in enumerate(shares)],
        is_released(F.col("person_key"), "other", F.lit(0.05)).cast("int").alias("other"),
    ).toPandas()
    for small, large in (("s0", "s1"), ("s1", "s2"), ("s2", "s3")):
        assert (drawn[small] <= drawn[large]).all()
    sizes = [drawn[f"s{n}"].mean() for n in range(4)]
    assert sizes == pytest.approx(shares, abs=0.011)
    assert sizes[3] == 1.0
    assert not drawn["s1"].equals(drawn["other"])


def test_a_bare_off_in_yaml_is_off() -> None:
    assert PolicyConf.model_validate({"gate": False}).gate == "off"
    assert PolicyConf().gate == "report"
