"""Log-linear models a channel: what all channels share, what is one's own, and what was not the channel's doing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jobs.model.learners import Features
from jobs.model.training.channels import FEATURES_ALONE, Billed, ChannelFit, Ridges, fit_channels

FEATURES = Features(("intent", "taste"), ())


def planted(rows: int = 60_000) -> pd.DataFrame:
    """Counts of three channels: intent moves all by 0.4, taste only the third, by 0.5; levels differ."""
    draw = np.random.default_rng(4)
    frame = pd.DataFrame({"intent": draw.normal(size=rows), "taste": draw.normal(size=rows)})
    frame["channel"] = draw.choice(["a", "b", "c"], rows, p=[0.5, 0.45, 0.05])
    level = frame["channel"].map({"a": -1.5, "b": -2.5, "c": -2.0}).to_numpy()
    rate = level + 0.4 * frame["intent"] + np.where(frame["channel"] == "c", 0.5, 0.0) * frame["taste"]
    return frame.assign(rate=rate, count=draw.poisson(np.exp(rate)).astype(np.float64))


def fitted(frame: pd.DataFrame, base: np.ndarray | float = 0.0, count: str = "count") -> dict[str, ChannelFit]:
    ones = np.ones(len(frame))
    return fit_channels(Billed.singly(frame, ones, ones, frame[count].to_numpy(), base * ones), FEATURES)


def slope(fit: ChannelFit, name: str) -> float:
    probe = pd.DataFrame({"intent": np.zeros(9), "taste": np.zeros(9)}).assign(**{name: np.linspace(-1, 1, 9)})
    return float(np.polyfit(np.linspace(-1, 1, 9), fit.terms.log_odds(probe), 1)[0])


def test_a_thin_channel_takes_its_shape_from_all_and_keeps_what_is_its_own() -> None:
    frame = planted()
    found = fitted(frame)
    assert sorted(found) == ["a", "b", "c"]
    for name in "abc":
        assert slope(found[name], "intent") == pytest.approx(0.4, abs=0.08), name
        mine = frame[frame["channel"] == name]
        assert np.exp(found[name].terms.log_odds(mine)).sum() == pytest.approx(mine["count"].sum(), rel=0.01)
    assert slope(found["c"], "taste") > 0.25
    assert abs(slope(found["a"], "taste")) < 0.05


def test_a_channel_that_stands_alone_neither_gives_nor_takes() -> None:
    frame = planted()
    ones = np.ones(len(frame))
    billed = Billed.singly(frame, ones, ones, frame["count"].to_numpy(), 0.0 * ones)
    apart = fit_channels(billed, FEATURES, frozenset({"c"}))
    others = frame[frame["channel"] != "c"].reset_index(drop=True)
    without = fitted(others)
    assert np.allclose(apart["a"].terms.weights, without["a"].terms.weights, atol=0.005)


def test_what_would_have_come_unasked_is_not_the_channels_doing() -> None:
    frame = planted()
    unasked = np.random.default_rng(9).poisson(0.05, len(frame))
    both = frame.assign(seen=frame["count"] + unasked)
    found = fitted(both, base=0.05, count="seen")
    for name in "ab":
        mine = frame[frame["channel"] == name]
        added = np.exp(found[name].terms.log_odds(mine)).sum()
        assert added == pytest.approx(mine["count"].sum(), rel=0.05), name
        assert slope(found[name], "intent") == pytest.approx(0.4, abs=0.1)


def test_few_events_take_their_shape_from_a_score_learned_elsewhere() -> None:
    """600 events and twenty features, one direction of which the score tells: with it the shape is nearly right."""
    draw = np.random.default_rng(11)
    names = tuple(f"x{at}" for at in range(20))
    frame = pd.DataFrame(draw.normal(size=(12_000, 20)), columns=list(names))
    truth = frame[list(names)].to_numpy() @ draw.normal(size=20) / 20**0.5
    frame = frame.assign(channel=draw.choice(["a", "b"], len(frame)), told=truth * 3.0)
    count = draw.poisson(np.exp(-3.1 + 0.3 * truth)).astype(np.float64)
    assert 400 < count.sum() < 800
    ones = np.ones(len(frame))
    billed = Billed.singly(frame, ones, ones, count, 0.0 * ones)

    def right(features: tuple[str, ...], ridges: Ridges) -> float:
        found = fit_channels(billed, Features(features, ()), ridges=ridges)["a"]
        return float(np.corrcoef(found.terms.log_odds(frame), truth)[0, 1])

    alone = right(names, Ridges((10.0, 100.0, 1000.0), (500.0, 5000.0)))
    together = right((*names, "told"), Ridges((10.0, 100.0, 1000.0, 10_000.0), (500.0, 5000.0), scores=("told",)))
    assert together > 0.95 > alone


def test_inputs_that_tell_channels_apart_are_found_among_those_that_do_not() -> None:
    """Six channels, thirty features, one of which moves two of them, and few events."""
    draw = np.random.default_rng(17)
    names, channels = tuple(f"x{at}" for at in range(30)), list("abcdef")
    frame = pd.DataFrame(draw.normal(size=(18_000, 30)), columns=list(names))
    channel = draw.choice(channels, len(frame))
    truth = 0.3 * frame["x0"].to_numpy() + np.where(np.isin(channel, ["a", "b"]), 0.7, 0.0) * frame["x1"].to_numpy()
    count = draw.poisson(np.exp(-2.3 + truth)).astype(np.float64)
    frame = frame.assign(channel=channel)
    ones = np.ones(len(frame))
    billed = Billed.singly(frame, ones, ones, count, 0.0 * ones)

    def off(ridges: Ridges) -> float:
        found = fit_channels(billed, Features(names, ()), ridges=ridges)
        told = np.zeros(len(frame))
        for name in channels:
            mine = channel == name
            told[mine] = found[name].terms.log_odds(frame[mine])
        rest = told - truth
        return float(rest.std())

    # One ridge a time, given: what a choice of one for all inputs can reach at best.
    one_for_all = min(off(Ridges((100.0,), (ridge,))) for ridge in (20.0, 100.0, 500.0, 2000.0))
    assert off(Ridges((100.0,), FEATURES_ALONE.own)) < 0.8 * one_for_all
