"""Promises beside the truth: the nearest plan's, and how many intervals hold."""

from __future__ import annotations

from jobs.evaluate.judge import Verdict
from jobs.evaluate.product import Forecast
from jobs.evaluate.promises import promised, table
from jobs.evaluate.volumes import Plan


def plan(true_good: float, said: float, low: float, high: float) -> Plan:
    verdict = Verdict(10 * true_good, 100 * true_good, true_good, true_good, true_good, 0.05 * true_good, 0.0)
    bounds = {"good": (low, high), "spend": (90 * true_good, 110 * true_good), "late_rate": (None, None)}
    return Plan(said, verdict, Forecast(100 * true_good, said, 0.04, 0.0, 0.0, 0.0, bounds))


def test_the_plan_nearest_in_truth_is_told() -> None:
    found = promised([plan(10.0, 12.0, 9.0, 15.0), plan(20.0, 25.0, 21.0, 30.0)], 18.0)
    assert found["good"] == {"promised": 25.0, "lo": 21.0, "hi": 30.0, "true": 20.0}
    assert found["late_rate"]["lo"] is None
    assert promised([], 18.0) == {}


def test_ratios_and_intervals_are_counted_by_family_and_over_all() -> None:
    holds, fails = promised([plan(10.0, 12.0, 9.0, 15.0)], 10.0), promised([plan(20.0, 25.0, 21.0, 30.0)], 20.0)
    rows = [
        {"family": "one", "volume": 0.1, "promises": holds},
        {"family": "two", "volume": 0.1, "promises": fails},
        {"family": "two", "volume": 0.1, "promises": None},
    ]
    columns, lines = table(rows)
    by = {(line[0], line[2]): dict(zip(columns, line, strict=True)) for line in lines}
    assert by[("one", "good")]["promised / true"] == "1.200"
    assert by[("one", "good")]["hold the truth"] == "1 of 1"
    assert by[("two", "good")]["hold the truth"] == "0 of 1"
    assert by[("(all)", "good")]["hold the truth"] == "1 of 2"
    assert by[("(all)", "spend")]["hold the truth"] == "2 of 2"
    assert by[("(all)", "late_rate")]["hold the truth"] == "0 of 0"
    assert by[("two", "good")]["chance"] == "0.05"
