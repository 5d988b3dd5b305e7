"""The backtest on planted histories: what it reports is what the rows say, and nothing of the future gets in."""

from __future__ import annotations

import json
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jobs.backtest import BacktestReport, backtest, render
from jobs.backtest.cells import ALL, bands, wilson
from jobs.backtest.drift import psi, psi_null
from jobs.backtest.report import METRICS
from jobs.backtest.rivals import running_base_rate
from jobs.runtime.errors import DataRefused, UsageError
from jobs.sources.conf import SourceConf, load_source

CONF = Path(__file__).parents[3] / "conf"
FIRST = date(2020, 1, 1)
DECLARED: dict[str, Any] = {
    "name": "planted",
    "doc": "A history with a planted effect.",
    "consent": "assumed",
    "record": "lead",
    "day": {"rule": "date", "column": "when", "format": "%Y-%m-%d"},
    "label": {"column": "ok", "positive": "1", "negative": "0", "word": "approvals"},
    "channel": "src",
    "touch": "click",
    "applications": "every_row",
    "cost": {"unit": "call", "amount": "2.50", "currency": "EUR", "is_assumed": True, "count": "calls"},
    "snapshots": "daily",
    "numeric": {"income": {"column": "inc"}},
    "categorical": {"source": {"column": "src"}},
    "refused": {"leak": {"why": "after_contact", "because": "it is the outcome"}},
}
SOURCE = SourceConf.model_validate(DECLARED)


def history(rows: int, seed: int, shuffle: bool = False, drift: float = 0.0) -> pd.DataFrame:
    """Forty days of leads; approval follows income and source, and with `drift` rises with time for everybody."""
    rng = np.random.default_rng(seed)
    at = np.sort(rng.random(rows))
    income, source = rng.normal(size=rows), rng.choice(["s1", "s2", "s3"], rows, p=[0.6, 0.3, 0.1])
    z = -2.5 + 1.2 * income + (source == "s2") + drift * at
    label = (rng.random(rows) < 1 / (1 + np.exp(-z))).astype(int)
    return pd.DataFrame(
        {
            "lead": [f"p{i}" for i in range(rows)],
            "when": [(FIRST + timedelta(days=int(40 * a))).isoformat() for a in at],
            "src": source,
            "inc": income,
            "calls": rng.integers(1, 4, rows),
            "ok": rng.permutation(label) if shuffle else label,
            "leak": label,
        }
    )


def run(frame: pd.DataFrame, folder: Path, **changes: Any) -> BacktestReport:
    file = folder / "raw.csv"
    frame.to_csv(file, index=False)
    return backtest(SOURCE, [file], **{"train_until": FIRST + timedelta(days=19), "replicates": 200, **changes})


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, BacktestReport]:
    frame = history(4000, 1)
    return frame, run(frame, tmp_path_factory.mktemp("planted"))


def test_the_json_list_has_the_agreed_keys(planted: tuple[pd.DataFrame, BacktestReport]) -> None:
    frame, report = planted
    rows = json.loads(json.dumps(report.rows(), allow_nan=False))
    judged = frame[frame["when"] > (FIRST + timedelta(days=19)).isoformat()]
    assert [r["model"] for r in rows][:3] == ["product", "boosted", "logistic"]
    assert [r["model"] for r in rows][3:] == ["product - boosted", "product - logistic"]
    for row in rows:
        assert set(row) == {"model", "rows", "positives"} | {f"{m}{end}" for m in METRICS for end in ("", "_lo", "_hi")}
        assert (row["rows"], row["positives"]) == (len(judged), int(judged["ok"].sum()))
        assert all(row[f"{m}_lo"] <= row[m] <= row[f"{m}_hi"] for m in METRICS)
    assert rows[0]["auc"] > 0.75
    json.dumps(report.as_dict(), allow_nan=False)


def test_the_table_adds_up_and_costs_what_the_calls_cost(planted: tuple[pd.DataFrame, BacktestReport]) -> None:
    frame, report = planted
    judged = frame[frame["when"] > (FIRST + timedelta(days=19)).isoformat()]
    cells = {(c.channel, c.band): c for c in report.cells}
    total = cells[(ALL, ALL)]
    assert total.cost == pytest.approx(2.5 * judged["calls"].sum())
    assert total.cost_per_positive == pytest.approx(total.cost / judged["ok"].sum())
    for what in ("rows", "positives", "cost"):
        inner = sum(getattr(c, what) for (channel, band), c in cells.items() if ALL not in (channel, band))
        assert inner == pytest.approx(getattr(total, what))
    assert cells[(ALL, "A")].rate > 3 * cells[(ALL, "E")].rate
    assert abs(cells[(ALL, "A")].rows / total.rows - 0.1) < 0.01


def test_the_text_says_that_the_cost_is_assumed_and_what_was_refused(
    planted: tuple[pd.DataFrame, BacktestReport],
) -> None:
    text = render(planted[1])
    assert "cost per, assumed EUR" in text
    assert "refused column leak (after_contact: it is the outcome)" in text
    assert "product - boosted" in text


def test_the_same_call_gives_the_same_report(planted: tuple[pd.DataFrame, BacktestReport], tmp_path: Path) -> None:
    frame, report = planted
    assert run(frame, tmp_path).as_dict() == report.as_dict()
    assert run(frame.sample(frac=1, random_state=3), tmp_path).rows() == report.rows(), "order within the file matters"


def test_no_judged_outcome_reaches_a_model(planted: tuple[pd.DataFrame, BacktestReport], tmp_path: Path) -> None:
    frame, report = planted
    is_judged = frame["when"] > (FIRST + timedelta(days=19)).isoformat()
    changed = run(frame.assign(ok=np.where(is_judged, 1 - frame["ok"], frame["ok"])), tmp_path)
    assert (changed.chosen, changed.validation_losses) == (report.chosen, report.validation_losses)
    for before, after in zip(report.models, changed.models, strict=True):
        assert after.figures["auc"].value == pytest.approx(1 - before.figures["auc"].value)


def test_shuffled_outcomes_give_an_auc_of_one_half(tmp_path: Path) -> None:
    report = run(history(3000, 2, shuffle=True), tmp_path)
    for model in report.models:
        negatives = model.rows - model.positives
        null_error = np.sqrt((model.rows + 1) / (12 * model.positives * negatives))
        assert abs(model.figures["auc"].value - 0.5) < 4 * null_error


def test_blocks_tell_drift_from_skill(tmp_path: Path) -> None:
    """Where only the base rate moves, the running rate looks able pooled, and is worth nothing within a block."""
    frame = history(6000, 3, drift=4.0)
    report = run(frame, tmp_path, train_until=None, blocks=10)
    rows = {r["model"]: r for r in report.rows()}
    assert rows["base_rate"]["pooled_auc"] > 0.55
    assert rows["base_rate"]["auc_lo"] < 0.5 < rows["base_rate"]["auc_hi"] + 0.02
    assert rows["product"]["auc"] > 0.7
    assert rows["product - base_rate"]["auc_lo"] > 0.1
    assert sum(b.rows for b in report.blocks) == rows["product"]["rows"] == 3000
    assert report.blocks[-1].base_rate > report.blocks[-1].base_rate_before + 0.1
    assert all(
        before.last_day <= after.first_day for before, after in zip(report.blocks, report.blocks[1:], strict=False)
    )
    assert "psi by chance" in render(report)


def test_the_running_base_rate_does_not_know_its_own_row() -> None:
    label = np.array([1, 0, 0, 1, 1], dtype=np.int8)
    assert running_base_rate(label, 2, window=2) == pytest.approx([1.5 / 3, 0.5 / 3, 1.5 / 3])
    flipped = label.copy()
    flipped[4] = 0
    assert running_base_rate(flipped, 4)[0] == running_base_rate(label, 4)[0]


def test_psi_of_one_population_is_its_noise_floor_and_of_a_moved_one_far_above() -> None:
    rng = np.random.default_rng(0)
    found = [psi(rng.normal(size=500), rng.normal(size=500)) for _ in range(200)]
    assert np.mean(found) == pytest.approx(psi_null(500, 500), rel=0.15)
    assert psi(rng.normal(size=500), rng.normal(size=500) + 1) > 0.5


def test_bands_rank_within_their_group() -> None:
    score = np.r_[np.arange(100), np.arange(100) + 1000.0]
    found = bands(score, np.repeat([0, 1], 100))
    for group in (found[:100], found[100:]):
        assert {b: int((group == b).sum()) for b in "ABCDE"} == {"A": 10, "B": 10, "C": 20, "D": 30, "E": 30}
        assert group[99] == "A"


def test_wilson_by_the_published_example() -> None:
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, method 3
    assert wilson(0, 10)[0] == 0.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_until": None}, "name --train-until DAY, or --blocks N"),
        ({"blocks": 1}, "give no interval"),
        ({"train_until": date(2019, 1, 1)}, "nothing to train on; the files hold 2020-01-01 to"),
        ({"train_until": date(2021, 1, 1)}, "nothing to judge"),
        ({"blocks": 10_000}, "cannot make 10000 blocks"),
    ],
)
def test_a_call_that_cannot_be_answered_says_why(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        run(history(200, 4), tmp_path, **changes)


def test_one_outcome_only_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match="one outcome only"):
        run(history(200, 4).assign(ok=0), tmp_path)


@pytest.mark.real_data
def test_leads_of_august_are_cut_no_less_than_by_the_plain_model() -> None:
    folder = os.environ.get("HUOKE_REAL_DATA")
    if not folder:
        pytest.skip("HUOKE_REAL_DATA is not set; it names the folder of the real files")
    file = Path(folder) / "bank_loan_leads.csv.gz"
    report = backtest(load_source(CONF, "bank_loan_leads"), [file], date(2016, 7, 31), replicates=300)
    figures = {m.model: m.figures for m in (*report.models, *report.differences)}
    assert (report.trained_rows, report.models[0].rows, report.models[0].positives) == (21_576, 22_404, 364)
    assert 0.58 < figures["boosted"]["cut_at_70"].value < 0.75
    assert figures["product - boosted"]["cut_at_70"].value > 0
    assert figures["product - logistic"]["auc"].lo > 0
