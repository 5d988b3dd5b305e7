"""Plans of whole people: every row holds, and how far they can be from the best is said, or what nobody can keep."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.activate.allocation import solve as allocation
from jobs.activate.allocation.passes import Passes
from jobs.activate.allocation.people import LUCK, Layout
from jobs.activate.allocation.solve import Outcome, allocate
from jobs.activate.allocation.terms import Terms
from segments.impact import Impact

CHANNELS = ("a", "b", "c", "d")
UNITS = {"cost": 1e6, "good": 1e9, "late": 1e9}


def terms_of(people: int, floor: float) -> Terms:
    """Under such a floor nearly all rows bind."""
    return Terms(
        channels=CHANNELS,
        capacity=(people // 40,) * 4,
        budget_left=(people / 25,) * 4,
        total_left=None,
        smallest=(0,) * 4,
        exploration=0.05,
        holdout=0.1,
        objective="volume",
        good_floor=people * floor,
        max_late_rate=0.03,
        max_fraud_rate=None,
        max_gap=1e-4,
        impact=Impact((0.0,) * 4, (0.0,) * 4),
    )


def made(people: int, seed: int) -> dict[str, np.ndarray]:
    """Natural figures of people, n x channels."""
    dice = np.random.default_rng(seed)
    intent, risk = dice.normal(size=(people, 1)), dice.normal(size=(people, 1))
    clicks = np.exp(0.5 * intent + 0.6 * dice.normal(size=(people, 4)))
    good = 0.0012 * clicks * np.exp(0.6 * intent)
    return {
        "cost": clicks * np.exp(0.3 * dice.normal(size=(people, 4))),
        "good": good,
        "late": (0.035 * np.exp(0.7 * risk) - 0.03) * good,
    }


def planned(natural: dict[str, np.ndarray], terms: Terms, seed: int = 0) -> Outcome:
    people = len(natural["cost"])
    dice = np.random.default_rng(seed)
    frame: dict[str, Any] = {"prospect_key": pd.Series([f"p{n:07d}" for n in range(people)])}
    frame |= {name: pd.Series(dice.random(people)) for name in LUCK}
    for name, unit in UNITS.items():
        for k in range(len(terms.channels)):
            frame[f"{name}_{k}"] = pd.Series(np.rint(natural[name][:, k] * unit))
    program = terms.program()
    layout = Layout(terms.channels, program.quantities)
    nowhere: Any = None  # everybody is held on the driver
    return allocate(Passes(nowhere, nowhere, layout, program, held=frame), terms, people)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000), floor=st.sampled_from([2e-4, 4e-4, 5e-4]))
def test_whole_people_keep_every_row(seed: int, floor: float) -> None:
    found = planned(made(1500, seed), terms_of(1500, floor), seed)
    assert found.max_violation == 0.0
    assert found.binding is None
    assert not any("broken" in note for note in found.notes)
    assert found.gap is not None
    assert found.gap <= 3.0 / found.sizes.sum(), "people are whole, yet the plan is more than three persons away"


def test_where_a_person_counts_for_little_the_gap_asked_for_is_met() -> None:
    found = planned(made(30_000, 1), terms_of(30_000, 5e-4))
    assert found.max_violation == 0.0
    assert found.gap is not None
    assert found.gap <= 1e-4
    assert found.notes == ()


def test_a_floor_out_of_reach_is_told_with_how_far_one_gets() -> None:
    seed = 1
    natural, terms = made(800, seed), terms_of(800, 5e-4)
    short = planned(natural, replace(terms, good_floor=100.0), seed)
    assert short.binding
    assert short.max_violation == 0.0, "the other rows hold all the same"
    note = next(note for note in short.notes if "out of reach" in note)
    most = float(note.split("at most ")[1].split(";")[0])
    near = planned(natural, replace(terms, good_floor=0.98 * most), seed)
    assert near.binding is None, "a floor just within reach was called out of reach"
    assert near.max_violation == 0.0


def test_where_prices_rise_with_use_a_floor_out_of_reach_uses_the_budgets_and_keeps_them() -> None:
    natural, impact = made(6000, 2), Impact((0.5,) * 4, (60.0,) * 4)
    terms = replace(terms_of(6000, 5e-4), impact=impact, max_late_rate=None, budget_left=(60.0,) * 4, exploration=0.0)
    short = planned(natural, replace(terms, good_floor=2.8), 2)
    assert short.binding
    assert set(short.binding) == {f"budget:{name}" for name in CHANNELS}
    note = next(note for note in short.notes if "out of reach" in note)
    told = float(note.split("about ")[1].split(";")[0])
    assert short.placed
    row = np.array([int(key[1:]) for key in short.placed.keys])
    arm, on = short.placed.arm, short.placed.arm >= 0
    assert natural["good"][row[on], arm[on]].sum() == pytest.approx(told, rel=0.03)
    cost = np.bincount(arm[on], natural["cost"][row[on], arm[on]], minlength=4) * impact.factor(short.sizes)
    assert np.all(cost > 0.8 * 60.0), "budgets lie idle at the prices of the people who were chosen"
    assert np.all(cost < 60.0 * (1.0 + short.max_violation) + 1e-6), "more is spent than is said"
    assert short.max_violation < 0.02


def test_nobody_to_list_is_an_empty_plan_whatever_prices_do() -> None:
    natural = {name: told[:0] for name, told in made(10, 1).items()}
    found = planned(natural, replace(terms_of(100, 0.01), impact=Impact((0.3,) * 4, (5.0,) * 4)))
    assert found.sizes.sum() == 0
    assert any("out of reach" in note for note in found.notes)


def test_a_row_that_whole_people_cannot_keep_is_said() -> None:
    """Half a person too much is wanted of equal people: one more breaks the budget, one fewer the floor."""
    natural = {
        "cost": np.full((6, 1), 1.0),
        "good": np.full((6, 1), 1.0),
        "late": np.full((6, 1), -0.001),
    }
    terms = replace(terms_of(6, 0.0), channels=("a",), capacity=(6,), budget_left=(3.5,), smallest=(0,))
    terms = replace(terms, good_floor=3.5, exploration=0.0, impact=Impact((0.0,), (0.0,)))
    found = planned(natural, terms)
    assert found.binding is None, "people who can be split reach it"
    assert found.max_violation > 0.1
    assert any("a row is broken" in note for note in found.notes)


def test_only_a_broken_budget_is_planned_again_for_what_use_made_dearer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The floor wants a person and a half who only late ones can be: nothing that budgets hold back would mend that."""
    solve, asked = allocation._solve, list[Terms]()
    monkeypatch.setattr(
        allocation, "_solve", lambda passes, terms, *more: asked.append(terms) or solve(passes, terms, *more)
    )
    natural = {
        "cost": np.full((6, 1), 1.0),
        "good": np.full((6, 1), 1.0),
        "late": np.repeat([[-1.0], [2.0]], 3, axis=0),
    }
    terms = replace(terms_of(6, 4.4 / 6), channels=("a",), capacity=(6,), budget_left=(1000.0,), smallest=(0,))
    terms = replace(terms, exploration=0.0, impact=Impact((0.3,), (5.0,)))
    found = planned(natural, terms)
    assert found.max_violation > 0.01
    assert len(asked) == 1
    asked.clear()
    dear = planned(natural, replace(terms, good_floor=3.0, budget_left=(1.0,)))
    assert dear.binding
    assert len(asked) > 2
