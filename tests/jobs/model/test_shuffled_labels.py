"""Labels that are other people's teach no stage anything; the same rows and seed give the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from funnel_rows import fingerprint, funnel_conf, funnel_rows

from jobs.model.learners.metrics import auc
from jobs.model.training.funnel import fit_funnel
from jobs.model.training.stage import Fitted
from jobs.runtime.settings import Learner

STAGES = ("click", "apply", "organic", "approve", "fund", "late", "fraud")
LEARNERS: tuple[Learner, ...] = ("logistic", "boosted", "scorecard")
NULL_ERRORS = 4
ROOT = Path(__file__).resolve().parents[3]


@cache
def fitted(learner: Learner, is_shuffled: bool) -> dict[tuple[str, str], Fitted]:
    rows = funnel_rows(3)
    told = rows.shuffled(4) if is_shuffled else rows
    found = fit_funnel(told.assigned, told.decided, told.asked, funnel_conf(learner))
    return {(f.stage, f.channel): f for f in found}


def off(one: Fitted) -> float:
    """How far the AUC on the held-out rows is from 1/2, in standard errors of a score that knows nothing."""
    assert one.judged is not None
    assert one.model is not None
    assert not one.is_prior
    y = one.judged.label
    hits, misses = float(y.sum()), float((1 - y).sum())
    error = np.sqrt((hits + misses + 1) / (12 * hits * misses))
    return float((auc(y, one.model.predict(one.judged.frame)) - 0.5) / error)


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("stage", STAGES)
def test_shuffled_labels_teach_nothing(stage: str, learner: Learner) -> None:
    found = [one for (name, _), one in fitted(learner, True).items() if name == stage]
    assert len(found) == (3 if stage == "click" else 1), "the click stage for all channels, and for each of two"
    assert max(abs(off(one)) for one in found) < NULL_ERRORS


@pytest.mark.parametrize("stage", STAGES)
def test_the_same_rows_with_their_own_labels_teach_a_lot(stage: str) -> None:
    assert off(fitted("logistic", False)[(stage, "*")]) > 2 * NULL_ERRORS


@pytest.mark.parametrize("learner", LEARNERS)
def test_models_and_scores_are_the_same_bytes_in_another_process(learner: Learner) -> None:
    """A process of another hash seed, and this one, which has fitted other things before."""
    line = [sys.executable, str(Path(__file__).with_name("funnel_rows.py")), learner]
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    environment = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": path}
    told = subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout
    assert len(told) == 64
    assert told == fingerprint(learner)
