"""`huoke scorecard` prints the points as fitted, and a prospect's reasons; what has no points says what to do."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.model.learners import Features, FittedModel, LogisticSettings, ScorecardSettings, fit
from jobs.model.person_features import APPLIED_BEFORE
from jobs.runtime.errors import UsageError
from jobs.runtime.store import Pointer, Store
from jobs.runtime.types import arrow_type

DAY = date(2026, 5, 31)
FEATURES = Features(("income",), ("city",))


def publish(root: Path, name: str, types: dict[str, str], rows: list[dict[str, Any]]) -> None:
    """Publish rows as the shell would."""
    store = Store(root)
    staged = store.staging("test", name)
    staged.mkdir(parents=True)
    schema = pa.schema([(column, arrow_type(kind)) for column, kind in types.items()])
    pq.write_table(pa.Table.from_pylist(rows, schema), staged / "part-0.parquet")
    described = ",".join(f"{column}:{kind}" for column, kind in types.items())
    version = hashlib.sha256(name.encode()).hexdigest()
    store.publish(staged, Pointer(name, DAY.isoformat(), version, len(rows), described, {}, "test", "test"))


@pytest.fixture(scope="module")
def model() -> FittedModel:
    rng = np.random.default_rng(3)
    income, city = rng.normal(5000, 1000, 8000), rng.choice(["north", "south"], 8000)
    z = -1.0 - 0.8 * (income - 5000) / 1000 + np.where(city == "north", 0.5, 0.0)
    label = rng.random(8000) < 1 / (1 + np.exp(-z))
    return fit(pd.DataFrame({"income": income, "city": city}), FEATURES, label, settings=ScorecardSettings())


@pytest.fixture(scope="module")
def warehouse(model: FittedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cards")
    types = {"stage": "string", "channel": "string", "learner": "string", "payload": "binary"}
    frame = pd.DataFrame({"income": [1.0, 2.0], "city": ["a", "b"]})
    line = fit(frame, FEATURES, [0, 1], settings=LogisticSettings(min_level=1)).to_bytes()
    empty = fit(frame, FEATURES, [0, 1], settings=ScorecardSettings()).to_bytes()
    rows = [("late", "scorecard", model.to_bytes()), ("approve", "logistic", line), ("fraud", "prior", b"")]
    told = [
        {"stage": s, "channel": "*", "learner": k, "payload": p} for s, k, p in [*rows, ("fund", "scorecard", empty)]
    ]
    publish(root, "stage_models", types, told)
    people = [
        {"prospect_key": "poor", "income": 2500.0, "city": "north"},
        {"prospect_key": "rich", "income": 8000.0, "city": None},
    ]
    publish(root, "prospects", {"prospect_key": "string", "income": "double", "city": "string"}, people)
    return root


def huoke(warehouse: Path, *arguments: str) -> Any:
    done = CliRunner().invoke(app, ["scorecard", "--warehouse", str(warehouse), *arguments])
    if done.exception is not None:
        raise done.exception
    return done.output


def test_the_table_printed_is_the_card_fitted(warehouse: Path, model: FittedModel) -> None:
    told = json.loads(huoke(warehouse, "--stage", "late", "--json"))
    assert model.card is not None
    found = [(row["feature"], row["bin"], row["points"]) for row in told["bins"]]
    cards = model.card.cards
    assert found == [(c.name, b, int(p)) for c in cards for b, p in zip(c.bins.labels, c.points, strict=True)]
    assert told["points_that_double_the_odds"] == 100
    shown = huoke(warehouse, "--stage", "late")
    assert "double the odds" in shown
    assert "(null)" in shown


def test_reasons_are_the_prospects_own(warehouse: Path, model: FittedModel) -> None:
    told = json.loads(huoke(warehouse, "--stage", "late", "--prospect", "poor", "--json"))
    assert [r["feature"] for r in told["reasons"]] == ["income", "city"]  # lateness: more points are worse
    wanted = model.predict(pd.DataFrame({"income": [2500.0], "city": ["north"]}))[0]
    assert told["chance"] == pytest.approx(wanted)
    rich = json.loads(huoke(warehouse, "--stage", "late", "--prospect", "rich", "--json"))
    assert "income" not in [r["feature"] for r in rich["reasons"]]
    assert "worse by" in huoke(warehouse, "--stage", "late", "--prospect", "poor")


def test_a_snapshot_in_another_unit_is_read_in_the_usual_one(
    warehouse: Path, model: FittedModel, tmp_path: Path
) -> None:
    home = shutil.copytree(warehouse, tmp_path / "warehouse")
    types = {"feature": "string", "snapshot_day": "date", "factor": "double", "people": "bigint"}
    older = {"feature": "income", "snapshot_day": date(2026, 4, 30), "factor": 7.0, "people": 900}
    publish(home, "feature_units", types, [older, older | {"snapshot_day": DAY, "factor": 0.3125}])
    told = json.loads(huoke(home, "--stage", "late", "--prospect", "poor", "--json"))
    usual = model.predict(pd.DataFrame({"income": [8000.0], "city": ["north"]}))[0]
    assert told["chance"] == pytest.approx(usual)
    assert usual < 0.5 * model.predict(pd.DataFrame({"income": [2500.0], "city": ["north"]}))[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--stage", "approve"), "fitted by logistic, which has no points; set training.stages.approve: scorecard"),
        (("--stage", "fraud"), "too few rows"),
        (("--stage", "fund"), "no input of stage fund"),
        (("--stage", "click"), "no model of stage click, channel \\*; scorecards: fund \\*, late \\*"),
        (("--stage", "late", "--prospect", "nobody"), "no such prospect_key"),
    ],
)
def test_what_has_no_points_says_so(warehouse: Path, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        huoke(warehouse, *arguments)


def test_reasons_know_how_often_a_prospect_had_applied(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    before = rng.integers(0, 4, 8000).astype(float)
    label = rng.random(8000) < 0.6 - 0.15 * before
    frame = pd.DataFrame({APPLIED_BEFORE: before})
    model = fit(frame, Features((APPLIED_BEFORE,)), label, settings=ScorecardSettings())
    types = {"stage": "string", "channel": "string", "learner": "string", "payload": "binary"}
    publish(
        tmp_path,
        "stage_models",
        types,
        [{"stage": "approve", "channel": "*", "learner": "scorecard", "payload": model.to_bytes()}],
    )
    publish(tmp_path, "prospects", {"prospect_key": "string"}, [{"prospect_key": "again"}, {"prospect_key": "new"}])
    moment = datetime.combine(DAY, time(), tzinfo=UTC)
    past = [moment - timedelta(days=ago) for ago in (90, 1, 0)]
    book = [{"prospect_key": "again", "applied_at": at} for at in past]
    publish(tmp_path, "matured_outcomes", {"prospect_key": "string", "applied_at": "timestamp"}, book)
    for name, count in (("again", 2.0), ("new", 0.0)):
        found = json.loads(huoke(tmp_path, "--stage", "approve", "--prospect", name, "--json"))
        assert found["chance"] == pytest.approx(model.predict(pd.DataFrame({APPLIED_BEFORE: [count]}))[0])
