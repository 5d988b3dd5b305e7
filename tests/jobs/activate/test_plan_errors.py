"""How wide the models' error makes a plan's intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t

from jobs.activate.allocation.off import ModelErrors


def errors(**ratios: list[float]) -> ModelErrors:
    """Of good customers by channel."""
    return ModelErrors({("good", channel): np.array(values) for channel, values in ratios.items()})


def test_a_channels_half_width_is_that_of_its_halves() -> None:
    found = errors(a=[0.2, -0.2, 0.2, -0.2]).half_width("good", {"a": 7.0})
    assert found == pytest.approx(t.ppf(0.975, 4) * 0.1)


def test_errors_that_go_together_add_up_and_those_against_each_other_cancel() -> None:
    both = {"a": 5.0, "b": 5.0}
    together = errors(a=[0.2, -0.2], b=[0.2, -0.2]).half_width("good", both)
    against = errors(a=[0.2, -0.2], b=[-0.2, 0.2]).half_width("good", both)
    alone = errors(a=[0.2, -0.2], b=[0.0, 0.0]).half_width("good", both)
    assert (against, alone) == (0.0, pytest.approx(together / 2))


def test_what_the_old_policys_choice_hides_comes_on_top() -> None:
    told = errors(a=[0.0, 0.0, 0.0, 0.0])
    hidden = ModelErrors({**told.ratios, ("hidden_good", "*"): np.array([0.1])})
    assert told.half_width("good", {"a": 1.0}) == 0.0
    assert hidden.half_width("good", {"a": 1.0}) == pytest.approx(t.ppf(0.975, 4) * 0.05)
    assert hidden.half_width("spend", {"a": 1.0}) == 0.0


def test_what_the_times_may_bring_widens_lateness_but_is_no_error_of_the_models() -> None:
    models = {("late", "*"): np.array([0.1, -0.1, 0.1, -0.1])}
    told, times = ModelErrors(models), ModelErrors({**models, ("times_late", "*"): np.array([0.2])})
    wider = times.half_width("late", {"*": 3.0})
    assert wider == pytest.approx(np.hypot(told.half_width("late", {"*": 3.0}), norm.ppf(0.975) * 0.2))
    assert times.at_most("late", {"*": 3.0}, 0.95) == told.at_most("late", {"*": 3.0}, 0.95)


def test_what_a_sum_is_at_most_is_one_side_of_its_error() -> None:
    told = errors(a=[0.2, -0.2, 0.2, -0.2])
    assert told.at_most("good", {"a": 7.0}, 0.95) == pytest.approx(np.exp(t.ppf(0.95, 4) * 0.1))
    assert told.at_most("good", {"a": 7.0}, 0.5) == 1.0


def test_nothing_known_adds_nothing() -> None:
    empty = ModelErrors.of(pd.DataFrame(columns=["measure", "channel", "pair", "log_ratio"]))
    assert not empty.is_known
    assert empty.half_width("good", {"a": 3.0}) == 0.0
    assert errors(a=[0.1]).half_width("good", {}) == 0.0
    assert empty.at_most("good", {"a": 3.0}, 0.95) == 1.0
