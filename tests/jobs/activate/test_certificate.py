"""What a published plan says of how good it is, also where whole people could not keep every row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from jobs.activate.allocation.passes import Passes
from jobs.activate.allocation.people import LUCK, Layout
from jobs.activate.allocation.solve import Outcome, allocate
from jobs.activate.allocation.terms import Terms
from segments.impact import Impact

CHANNELS = ("a", "b", "c", "d")


def planned(people: int, seed: int) -> Outcome:
    """The choice for people of whom few are worth a floor under which nearly all rows bind."""
    dice = np.random.default_rng(seed)
    intent, risk = dice.normal(size=(people, 1)), dice.normal(size=(people, 1))
    clicks = np.exp(0.5 * intent + 0.6 * dice.normal(size=(people, 4)))
    good = 0.0012 * clicks * np.exp(0.6 * intent)
    natural = {
        "cost": clicks * np.exp(0.3 * dice.normal(size=(people, 4))),
        "good": good,
        "late": (0.035 * np.exp(0.7 * risk) - 0.03) * good,
    }
    frame: dict[str, Any] = {name: pd.Series(dice.random(people)) for name in LUCK}
    for name, unit in (("cost", 1e6), ("good", 1e9), ("late", 1e9)):
        for k in range(4):
            frame[f"{name}_{k}"] = pd.Series(np.rint(natural[name][:, k] * unit))
    terms = Terms(
        channels=CHANNELS,
        capacity=(people // 40,) * 4,
        budget_left=(people / 25,) * 4,
        total_left=None,
        smallest=(0,) * 4,
        exploration=0.05,
        holdout=0.1,
        objective="volume",
        good_floor=people * 5e-4,
        max_late_rate=0.03,
        max_fraud_rate=None,
        max_gap=1e-4,
        impact=Impact((0.0,) * 4, (0.0,) * 4),
    )
    program = terms.program()
    layout = Layout(CHANNELS, program.quantities)
    nowhere: Any = None  # everybody is held on the driver
    return allocate(Passes(nowhere, nowhere, layout, program, held=frame), terms, people)


def test_a_row_that_whole_people_break_is_charged_to_the_gap_and_said() -> None:
    found = [planned(1500, seed) for seed in range(6)]
    broken = [one for one in found if one.max_violation > 0 and one.binding is None]
    assert broken, "no plan broke a row, so nothing was tested"
    for one in broken:
        assert one.gap is not None
        assert one.gap > 0.1 * one.max_violation
        assert any("a row is broken" in note for note in one.notes)
    for one in found:
        assert (one.max_violation > 0) == any("a row is broken" in note for note in one.notes)
