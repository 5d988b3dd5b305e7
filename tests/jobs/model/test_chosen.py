"""What choosing by noisy models adds to what they tell of the chosen, measured by halves against a planted truth."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.model.training.chosen import Told, overstated

PEOPLE, CHANNELS, SHARE = 20_000, 3, 0.1


@pytest.mark.parametrize("noise", [0.0, 0.2, 0.4])
def test_halves_tell_how_much_the_chosen_are_overstated(noise: float) -> None:
    dice = np.random.default_rng(int(10 * noise))
    truth = np.exp(dice.normal(0.0, 0.7, (PEOPLE, CHANNELS))) * 0.01
    spend = np.exp(dice.normal(0.0, 0.3, (PEOPLE, CHANNELS)))
    less = noise / 2.0  # prices are known better
    halves = [Told(truth * _off(dice, noise), spend * _off(dice, less)) for _ in range(2)]
    # A model of all the rows errs by the root of a half's variance.
    whole = Told(truth * _off(dice, noise / np.sqrt(2.0)), spend * _off(dice, less / np.sqrt(2.0)))
    at = whole.choice(SHARE)
    planted = np.log(whole.good[at].sum() / truth[at].sum()), np.log(spend[at].sum() / whole.spend[at].sum())
    for found, wanted in zip(overstated(*halves, SHARE), planted, strict=True):
        assert found / 2.0 == pytest.approx(wanted, rel=0.2, abs=0.003)
    if noise:
        assert planted[0] > 0.02
        assert planted[1] > 0.005


def test_every_channel_gives_its_best_people() -> None:
    dice = np.random.default_rng(0)
    told = Told(dice.random((1000, 2)), np.ones((1000, 2)) * [1.0, 100.0])
    at = told.choice(SHARE)
    assert (at.sum(axis=0) == [100, 100]).all()
    assert told.good[at].min() > 0.85


def test_nothing_to_choose_says_nothing() -> None:
    none = Told(np.zeros((10, 2)), np.ones((10, 2)))
    assert overstated(none, none, SHARE) == (0.0, 0.0)


def _off(dice: np.random.Generator, noise: float) -> np.ndarray:
    """Errors of mean 1."""
    return np.exp(dice.normal(-(noise**2) / 2.0, noise, (PEOPLE, CHANNELS)))
