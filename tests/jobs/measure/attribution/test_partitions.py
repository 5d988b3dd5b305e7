"""Credits of a partition tie to its conversions under every model, and any partitioning of people adds up alike."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jobs.measure.attribution.counting import CountFlows
from jobs.measure.attribution.credits import attribute
from jobs.measure.attribution.events import STAGES, Window
from jobs.measure.attribution.flows import Flows, summed
from jobs.measure.attribution.leverage import UNIT, influences, leverage
from jobs.measure.attribution.markov import chain, chain_of, removal
from jobs.measure.attribution.paths import UNATTRIBUTED, Paths
from jobs.measure.attribution.shares import NANO
from jobs.measure.attribution.splitting import FIGURES, MODELS, SplitCredit
from jobs.measure.attribution.told import attributions, models_of

CHANNELS = ("feed", "search", "sms")
DAY = 86_400 * 10**6
START = date(2026, 1, 1)


def events(seed: int, people: int = 15) -> pd.DataFrame:
    dice, rows = random.Random(seed), []

    def event(person: int, stage: int, **more: Any) -> None:
        at = dice.randrange(90) * DAY // 2
        rows.append(
            {
                "person_key": f"p{person:02d}",
                "at": at,
                "stage": stage,
                "id": f"e{len(rows):04d}",
                "cost_day": START + timedelta(days=at // DAY),
                "channel": None,
                "campaign": None,
                "level": "",
                "good": None,
                "late": None,
                "fraud": None,
                "principal_minor": None,
                "is_view": False,
                "fold": person % 64,
            }
            | more
        )

    for person in range(people):
        for _ in range(dice.randrange(9)):
            event(person, -1, channel=dice.choice(CHANNELS), campaign=dice.choice(["c1", None]), level="=g")
        for stage in range(len(STAGES)):
            for _ in range(dice.randrange(3)):
                good = dice.choice([True, False, None])
                event(person, stage, good=good, late=not good, fraud=False, principal_minor=dice.randrange(10**7))
    return pd.DataFrame(rows).sort_values(["person_key", "at", "stage", "id"], ignore_index=True)


def batches(frame: pd.DataFrame) -> Any:
    types = {"at": pa.int64(), "stage": pa.int32(), "principal_minor": pa.int64(), "cost_day": pa.date32()}
    types |= dict.fromkeys(("good", "late", "fraud", "is_view"), pa.bool_()) | {"fold": pa.int32()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in frame.columns])
    return iter(pa.Table.from_pandas(frame, schema=schema, preserve_index=False).to_batches(max_chunksize=7))


def told(run: Any, *frames: pd.DataFrame) -> pd.DataFrame:
    found = [batch.to_pandas() for frame in frames for batch in run(batches(frame))]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def last_by_loop(frame: pd.DataFrame, stage: int, days: int) -> Counter[tuple[Any, ...]]:
    """Conversions by the channel and day of their last touch."""
    found: Counter[tuple[Any, ...]] = Counter()
    for _, mine in frame.groupby("person_key"):
        past = -1
        for won in mine[mine["stage"] == stage].itertuples():
            touched = mine[(mine["stage"] == -1) & (mine["at"] > won.at - days * DAY) & (mine["at"] <= won.at)]
            touched = touched[touched["at"] > past] if past >= 0 else touched
            past = won.at
            last = touched.iloc[-1] if len(touched) else None
            found[(UNATTRIBUTED, won.cost_day) if last is None else (last["channel"], last["cost_day"])] += 1
    return found


@pytest.mark.parametrize("seed", range(12))
def test_credits_tie_and_any_partitioning_adds_up_alike(seed: int) -> None:
    frame, days = events(seed), 20
    effects = {stage: {1: (0.5, 0.2, 0.0), 2: (0.0, 0.0, 0.0)} for stage in STAGES}
    run = SplitCredit(CHANNELS, Window(days, is_cut=True), effects)
    keys = ["stage", "model", "cost_day", "channel", "campaign", "level"]
    sums = [*FIGURES, "principal_minor", "paths_cut"]
    half = frame["person_key"] < "p07"
    both = told(run, frame), told(run, frame[half], frame[~half])
    whole, parts = (one[one["part"].isna()].groupby(keys, dropna=False)[sums].sum() for one in both)
    pd.testing.assert_frame_equal(whole, parts)
    folded, folds = (
        one.dropna(subset="part").groupby(["stage", "model", "channel", "fold"])["part"].sum() for one in both
    )
    pd.testing.assert_series_equal(folded[folded != 0], folds[folds != 0])
    for place, stage in enumerate(STAGES):
        ended = frame[frame["stage"] == place]
        for model in (*MODELS, "markov_1", "markov_2"):
            mine = whole.xs((stage, model), level=("stage", "model")).sum() if len(ended) else Counter()
            counted = "applications" if stage == "apply" else "approvals" if stage == "approve" else "funded"
            assert mine[counted] == NANO * len(ended)
            assert mine["principal_minor"] == ended["principal_minor"].sum()
            assert mine["good"] == (NANO * (ended["good"] == True).sum() if stage == "fund" else 0)  # noqa: E712
        last = whole.xs((stage, "last"), level=("stage", "model"))
        counted = last[["applications", "approvals", "funded"]].max(axis=1).groupby(["channel", "cost_day"]).sum()
        assert {k: v // NANO for k, v in counted.items()} == dict(last_by_loop(frame, place, days))


@pytest.mark.parametrize("seed", range(6))
def test_flows_of_parts_make_the_chain_of_all(seed: int) -> None:
    frame, run = events(seed, people=40), CountFlows(CHANNELS, Window(20))
    half = frame["person_key"] < "p20"
    found = told(run, frame[half], frame[~half])
    for stage in STAGES:
        for order in (1, 2, 3):
            mine = found[(found["stage"] == stage) & (found["model_order"] == order)]
            names = ("state", "next", "journeys", "worth_minor")
            effects = removal(
                chain_of(CHANNELS, summed([Flows(*(mine[n].to_numpy(dtype="int64") for n in names))]), order)
            )
            won = mine.loc[mine["next"] == -1, "journeys"].sum()
            lost = mine.loc[mine["next"] == -2, "journeys"].sum()
            assert effects.base == pytest.approx(won / (won + lost), abs=1e-12)


def many(people: int) -> pd.DataFrame:
    """One journey a person, most of them without a conversion, by two touches in three of one channel."""
    dice, rows = random.Random(5), []
    for person in range(people):
        touched = [dice.choice(("feed", "feed", "search", "sms")) for _ in range(dice.randrange(1, 5))]
        base = {"person_key": f"p{person:05d}", "level": "", "cost_day": START, "fold": dice.randrange(64)}
        rows += [base | {"at": i, "stage": -1, "id": f"t{i}", "channel": name} for i, name in enumerate(touched)]
        if dice.random() < 0.1 + 0.2 * ("search" in touched):
            rows.append(base | {"at": 10, "stage": 0, "id": "won"})
    return pd.DataFrame(rows, columns=events(1).columns).assign(is_view=False)


def test_intervals_are_those_of_a_bootstrap() -> None:
    frame, window = many(4000), Window(30)
    moved = told(CountFlows(CHANNELS, window, groups=(0, 1, 2)), frame).rename(columns={"worth_minor": "worth"})
    models = models_of(moved, CHANNELS, np.arange(3))
    split = told(models.splitter(window), frame)
    parts = split.dropna(subset="part").groupby(["stage", "model", "channel", "fold"])["part"].sum().reset_index()
    found = attributions(models, parts, pd.DataFrame(columns=["model", "channel", "minor"]), 100)
    found = found[found["stage"] == "apply"].set_index(["model", "channel"])
    acted = frame[frame["stage"] == -1].groupby("person_key")["channel"].agg(list)
    won = acted.index.isin(frame.loc[frame["stage"] == 0, "person_key"]).astype(float)
    paths = Paths.of(acted.tolist(), won, nulls=1 - won)
    # One fold of 64 is 9 % off at most times; the bootstrap of 400 replicates 4 %.
    for model, named, order in (("linear", "linear", 1), ("markov", "markov_1", 1), ("markov", "markov_2", 2)):
        for one in attribute(paths, model, order, replicates=400, seed=1).credits:
            mine = found.loc[(named, one.channel)]
            assert mine["conversions"] == pytest.approx(one.conversions, abs=1e-6)
            wide = one.conversions_hi - one.conversions_lo  # type: ignore[operator]
            assert mine["conversions_hi"] - mine["conversions_lo"] == pytest.approx(wide, rel=0.35), (
                named,
                one.channel,
            )
    shapley = {one.channel: one.conversions for one in attribute(paths, "shapley_model").credits}
    assert found.loc["shapley_model"]["conversions"].to_dict() == pytest.approx(shapley)


def test_influences_are_what_counting_a_journey_more_does() -> None:
    dice = np.random.default_rng(2)
    touched = [list(dice.choice(list("abc"), int(dice.integers(1, 5)))) for _ in range(300)]
    won = (dice.random(300) < 0.3).astype(float)
    for order in (1, 2):
        paths = Paths.of(touched, won, nulls=1 - won)
        before = removal(chain(paths, order))
        moved = influences(paths, np.arange(300), 300, leverage(chain(paths, order), order)) / UNIT
        for i in range(0, 300, 37):
            more = np.ones(300)
            more[i] += 1e-3
            after = removal(chain(Paths.of(touched, won * more, nulls=(1 - won) * more), order))
            left = [removed.base * (1 - removed.of_conversions) for removed in (before, after)]
            assert [after.base - before.base, *(left[1] - left[0])] == pytest.approx(
                moved[:, i] / 1e3, rel=0.02, abs=1e-9
            )


def test_a_view_counts_where_nobody_acted_in_time_and_only_where_views_do() -> None:
    rows = [("a", 0, -1, "feed", True), ("a", 1, -1, "sms", False), ("a", 2, 0, None, False)]  # the click outranks
    rows += [("b", 0, -1, "feed", True), ("b", 1, 0, None, False)]
    rows += [("c", 0, -1, "feed", True), ("c", 3, 0, None, False)]  # too long ago
    rows += [("d", 0, -1, "feed", True)]  # a journey that led nowhere
    frame = pd.DataFrame(
        [
            {"person_key": p, "at": at * DAY, "stage": stage, "id": f"{i}", "channel": channel, "is_view": view}
            for i, (p, at, stage, channel, view) in enumerate(rows)
        ],
        columns=events(1).columns,
    ).assign(cost_day=START, level="", fold=0)
    for days, wanted, nulls in ((2, {"sms": 1, "feed": 1, UNATTRIBUTED: 1}, 2), (0, {"sms": 1, UNATTRIBUTED: 2}, 0)):
        window = Window(10, view_days=days)
        mine = told(SplitCredit(CHANNELS, window), frame).dropna(subset="applications")
        last = mine[mine["model"] == "last"].groupby("channel")["applications"].sum() // NANO
        assert last.to_dict() == wanted
        moved = told(CountFlows(CHANNELS, window, (1,)), frame)
        assert moved.loc[(moved["stage"] == "apply") & (moved["next"] == -2), "journeys"].sum() == nulls


def test_journeys_that_led_nowhere_end_with_a_pause_or_a_conversion() -> None:
    at = [0, 5, 40, 41, 50, 52]
    rows = [{"person_key": "p", "at": d * DAY, "stage": -1, "id": f"t{d}", "channel": "feed", "level": ""} for d in at]
    rows.append({"person_key": "p", "at": 51 * DAY, "stage": 0, "id": "won", "level": ""})
    frame = (
        pd.DataFrame(rows, columns=events(1).columns)
        .assign(cost_day=START, is_view=False, fold=0)
        .sort_values("at", ignore_index=True)
    )
    mine = told(CountFlows(CHANNELS, Window(5), (1,)), frame)
    mine = mine[mine["stage"] == "apply"].groupby("next")["journeys"].sum()
    # 0 and 5 are one journey; 40 and 41; the conversion takes 50 alone; 52 is another.
    assert mine.to_dict() == {-2: 3, -1: 1, 0: 6}
    told_alone = attribute(
        Paths.of([["feed"] * 2, ["feed"] * 2, ["feed"], ["feed"]], [0, 0, 1, 0], nulls=[1, 1, 0, 1]), "markov"
    )
    assert told_alone.base_conversion == 0.25
