"""Overlaps and drifts of segments: planted counts come back, small cells do not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jobs.model.segment_drifts import CLUSTERS, segment_drifts
from jobs.model.segment_overlaps import segment_overlaps
from jobs.tables.ingest import PROSPECTS
from jobs.tables.model import SEGMENT_DRIFTS, SEGMENT_MEMBERS, SEGMENT_OVERLAPS
from segments.stability import psi_noise, psi_of_counts

DAY = date(2026, 5, 31)
WEEK = timedelta(days=7)


def inside(segment: str, people: range, kind: str = "rule") -> list[dict[str, Any]]:
    return [{"segment": segment, "prospect_key": f"p{n:05d}", "kind": kind} for n in people]


@pytest.fixture
def tables(rows: Any, make_shell: Any) -> Any:
    """tables(now, then) → (overlaps, drifts by segment) of 1,000 prospects, through the declared columns."""

    def make(now: list[dict[str, Any]], then: list[dict[str, Any]], ago: timedelta = WEEK) -> Any:
        shell = make_shell()
        everybody = rows(PROSPECTS, [{"prospect_key": f"p{n:05d}"} for n in range(1000)], DAY - 3 * WEEK)
        members = rows(SEGMENT_MEMBERS, now, DAY)
        drifts = segment_drifts(members, rows(SEGMENT_MEMBERS, then, DAY - ago), everybody, day=DAY, shell=shell)
        overlaps = segment_overlaps(members, shell=shell)
        for found, table in ((overlaps, SEGMENT_OVERLAPS), (drifts, SEGMENT_DRIFTS)):
            assert shell.frame(found.assign(day=DAY), table).count() == len(found)
        return overlaps.set_index(["segment", "other"]), drifts.set_index("segment")

    return make


def test_planted_overlaps_come_back_and_small_cells_do_not(tables: Any) -> None:
    now = inside("a", range(400)) + inside("b", range(300, 500)) + inside("few", range(380, 420))
    now += inside("most", range(390)) + inside("all_of_b", range(300, 500)) + inside("apart", range(900, 1000))
    found, _ = tables(now, [])
    assert found.loc[("a", "b"), ["people", "share", "other_share"]].tolist() == [100, 0.25, 0.5]
    assert found.loc[("all_of_b", "b"), "share"] == 1.0, "nobody outside is nobody's secret"
    assert ("a", "most") not in found.index, "ten people of a are outside: the difference would tell of them"
    assert not [pair for pair in found.index if "few" in pair or "apart" in pair]
    assert found["people"].min() >= 50


def test_planted_drift_comes_back_with_its_noise_floor(tables: Any) -> None:
    then = inside("still", range(300)) + inside("grows", range(100)) + inside("few_came", range(200))
    then += inside("was_small", range(20)) + inside("gone", range(500, 600))
    now = inside("still", range(300)) + inside("grows", range(40, 340)) + inside("few_came", range(210))
    now += inside("was_small", range(400)) + inside("tiny", range(30)) + inside("new", range(700, 800))
    _, found = tables(now, then)
    assert set(found.index) == {"still", "grows", "few_came", "was_small", "new"}
    assert set(found["earlier_day"]) == {DAY - WEEK}
    told = found.loc["grows"]
    assert (told["people"], told["share"], told["earlier_people"], told["earlier_share"]) == (300, 0.3, 100, 0.1)
    assert told["psi"] == pytest.approx(psi_of_counts([100, 900], [300, 700]))
    assert told["psi"] > told["noise"] == psi_noise(1000, 1000, 2)
    assert found.loc["still", "psi"] == 0
    assert found.loc["still", ["entered", "departed"]].tolist() == [0, 0]
    assert found.loc["grows", ["entered", "departed"]].isna().all(), "forty left"
    assert found.loc["few_came", ["entered", "departed"]].isna().all()
    assert found.loc["was_small", ["earlier_people", "entered", "psi"]].isna().all()
    assert found.loc["new", ["entered", "departed", "earlier_people"]].tolist() == [100, 0, 0]


def test_clusters_are_also_told_together(tables: Any) -> None:
    then = inside("cluster_01", range(600), "cluster") + inside("cluster_02", range(600, 1000), "cluster")
    now = inside("cluster_01", range(500), "cluster") + inside("cluster_02", range(500, 1000), "cluster")
    _, found = tables(now, then)
    together = found.loc[CLUSTERS]
    assert (together["people"], together["share"], together["entered"]) == (1000, 1.0, 100)
    assert together["psi"] == pytest.approx(psi_of_counts([600, 400], [500, 500]))
    assert together["psi"] > together["noise"]


@pytest.mark.parametrize("ago", [timedelta(days=1), timedelta(days=6)])
def test_without_a_day_a_week_back_sizes_are_all_there_is(tables: Any, ago: timedelta) -> None:
    _, found = tables(inside("a", range(400)), inside("a", range(100)), ago)
    assert found.loc["a", ["people", "share"]].tolist() == [400, 0.4]
    assert found[["earlier_day", "earlier_people", "entered", "psi", "noise"]].isna().all(axis=None)


@pytest.mark.parametrize("then", [[], inside("a", range(400))])
def test_nobody_in_any_segment_is_no_row(tables: Any, then: list[dict[str, Any]]) -> None:
    overlaps, drifts = tables([], then)
    assert len(overlaps) == len(drifts) == 0


def test_chance_alone_stays_under_the_noise_floor_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    spread = [0.3, 0.25, 0.2, 0.15, 0.1]
    draws = [psi_of_counts(rng.multinomial(3000, spread), rng.multinomial(5000, spread)) for _ in range(2000)]
    assert pd.Series(draws).le(psi_noise(3000, 5000, 5)).mean() == pytest.approx(0.95, abs=0.015)
