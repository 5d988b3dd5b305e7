"""A worse challenger is refused and the model in force goes on, byte for byte; a better or equal one is taken."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from funnel_rows import FunnelRows, funnel_conf, funnel_rows

from jobs.model.training.challenger import GROUPS, Verdict, challenge, paired
from jobs.model.training.funnel import fit_funnel
from jobs.model.training.stage import Fitted
from jobs.runtime.settings import TrainingConf

CREDIT = ("approve", "fund", "late", "fraud")


def fit(rows: FunnelRows) -> list[Fitted]:
    return fit_funnel(rows.assigned, rows.decided, rows.asked, funnel_conf("logistic"))


@cache
def trained() -> list[Fitted]:
    return fit(funnel_rows(3, 6000))


@cache
def spoilt() -> list[Fitted]:
    """Trained on other people's outcomes but for the newest days: what a broken join upstream would do."""
    rows = funnel_rows(3, 6000)
    wrong = rows.shuffled(1)
    old = rows.assigned["assigned_day"] < rows.assigned["assigned_day"].max() - pd.Timedelta(days=60)
    assigned = pd.concat([wrong.assigned[old], rows.assigned[~old]])
    old = rows.decided["applied_day"] < rows.decided["applied_day"].max() - pd.Timedelta(days=60)
    return fit(replace(rows, assigned=assigned, decided=pd.concat([wrong.decided[old], rows.decided[~old]])))


def published(fits: list[Fitted]) -> pd.DataFrame:
    """The rows of stage_models that a training leaves."""
    names = ("stage", "channel", "learner", "rows", "positives", "scale", "payload")
    return pd.DataFrame([{name: getattr(f, name) for name in names} for f in fits])


def bytes_of(fits: list[Fitted]) -> dict[tuple[str, str], tuple[float, bytes]]:
    return {(f.stage, f.channel): (f.scale, f.payload) for f in fits}


def by_group(verdicts: list[Verdict]) -> dict[str, Verdict]:
    return {v.group: v for v in verdicts}


def test_the_first_training_and_off_compare_nothing() -> None:
    nothing = published(trained())[:0]
    assert challenge(trained(), nothing, "refuse") == (trained(), [])
    assert challenge(spoilt(), published(trained()), "off") == (spoilt(), [])


def test_a_worse_challenger_is_refused_and_stays_refused() -> None:
    in_force = published(trained())
    fits, verdicts = challenge(spoilt(), in_force, "refuse")
    assert set(by_group(verdicts)) == set(GROUPS)
    for group, verdict in by_group(verdicts).items():
        assert verdict.is_refused, group
        assert 0 < verdict.gap.lo < verdict.gap.value < verdict.gap.hi
        assert verdict.gap.value == pytest.approx(verdict.challenger - verdict.in_force)
        items = [row[2] for row in verdict.rows()]
        assert items == [f"log_loss: {x}" for x in ("challenger", "in force", "challenger - in force")] + ["verdict"]
        assert verdict.rows()[-1][-1].startswith("refused")
    assert bytes_of(fits) == bytes_of(trained())
    again = challenge(spoilt(), in_force, "refuse")[0]
    assert bytes_of(again) == bytes_of(fits)
    assert bytes_of(challenge(spoilt(), published(fits), "refuse")[0]) == bytes_of(trained())


def test_replace_takes_the_worse_one_and_says_so() -> None:
    fits, verdicts = challenge(spoilt(), published(trained()), "replace")
    assert bytes_of(fits) == bytes_of(spoilt())
    assert all(v.says.startswith("taken all the same") for v in verdicts)


def test_one_worse_stage_does_not_hold_back_the_others() -> None:
    mixed = [f for f in trained() if f.stage != "late"] + [f for f in spoilt() if f.stage == "late"]
    fits, verdicts = challenge(mixed, published(trained()), "refuse")
    assert {v.group for v in verdicts if v.is_refused} == {"late"}
    assert by_group(verdicts)["approve"].says == "taken: not worse"
    assert bytes_of(fits) == bytes_of(trained())


def test_a_better_challenger_is_taken() -> None:
    fits, verdicts = challenge(trained(), published(spoilt()), "refuse")
    assert {v.says for v in verdicts} == {"taken: better beyond its interval"}
    assert bytes_of(fits) == bytes_of(trained())


def test_a_model_with_other_inputs_cannot_be_asked() -> None:
    rows = funnel_rows(3, 6000)
    renamed = replace(rows, decided=rows.decided.rename(columns={"fourth": "fifth"}))
    conf = funnel_conf("logistic")
    features = {**conf.base.features, "fifth": "numeric"}
    base: Any = conf.base.model_copy(update={"features": {n: k for n, k in features.items() if n != "fourth"}})
    assigned, asked = (frame.rename(columns={"fourth": "fifth"}) for frame in (rows.assigned, rows.asked))
    fits = fit_funnel(assigned, renamed.decided, asked, conf.model_copy(update={"base": base}))
    taken, verdicts = challenge(fits, published(trained()), "refuse")
    assert bytes_of(taken) == bytes_of(fits)
    assert all("cannot be asked" in v.says for v in verdicts)


def test_intervals_hold_nothing_as_often_as_they_say() -> None:
    """Gaps of mean 0, several rows a person that move together: 95 % of intervals hold 0."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(300), 4)
    held = 0
    for _ in range(400):
        gap = np.repeat(rng.normal(size=300), 4) + 0.5 * rng.normal(size=1200)
        found = paired(gap, rng.uniform(0.5, 1.5, 1200), person)
        held += found.lo <= 0 <= found.hi
    assert 0.92 <= held / 400 <= 0.98


def test_off_in_yaml_is_a_word() -> None:
    assert TrainingConf.model_validate({"challenger": False}).challenger == "off"
