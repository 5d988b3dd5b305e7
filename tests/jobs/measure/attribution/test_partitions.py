"""Credits of a partition tie to its conversions under every model, and any partitioning of people adds up alike."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from jobs.measure.attribution.credits import attribute
from jobs.measure.attribution.events import STAGES, Window
from jobs.measure.attribution.flows import Flows, summed
from jobs.measure.attribution.markov import chain_of, removal
from jobs.measure.attribution.partitions import FIGURES, MODELS, CountFlows, SplitCredit
from jobs.measure.attribution.paths import UNATTRIBUTED, Paths
from jobs.measure.attribution.shares import NANO

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
    types |= dict.fromkeys(("good", "late", "fraud"), pa.bool_())
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
    whole = told(run, frame).groupby(keys, dropna=False)[sums].sum()
    half = frame["person_key"] < "p07"
    parts = told(run, frame[half], frame[~half]).groupby(keys, dropna=False)[sums].sum()
    pd.testing.assert_frame_equal(whole, parts)
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


def test_journeys_that_led_nowhere_end_with_a_pause_or_a_conversion() -> None:
    at = [0, 5, 40, 41, 50, 52]
    rows = [{"person_key": "p", "at": d * DAY, "stage": -1, "id": f"t{d}", "channel": "feed", "level": ""} for d in at]
    rows.append({"person_key": "p", "at": 51 * DAY, "stage": 0, "id": "won", "level": ""})
    frame = pd.DataFrame(rows, columns=events(1).columns).assign(cost_day=START).sort_values("at", ignore_index=True)
    mine = told(CountFlows(CHANNELS, Window(5), (1,)), frame)
    mine = mine[mine["stage"] == "apply"].groupby("next")["journeys"].sum()
    # 0 and 5 are one journey; 40 and 41; the conversion takes 50 alone; 52 is another.
    assert mine.to_dict() == {-2: 3, -1: 1, 0: 6}
    told_alone = attribute(
        Paths.of([["feed"] * 2, ["feed"] * 2, ["feed"], ["feed"]], [0, 0, 1, 0], nulls=[1, 1, 0, 1]), "markov"
    )
    assert told_alone.base_conversion == 0.25
