"""What a chain of models gets wrong as a whole, channel by channel: seen over expected, with chance held back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from jobs.model.learners.features import Floats
from jobs.model.training.fits import RANDOMISED, Fits, of_channel
from jobs.model.training.stage import Fitted
from jobs.runtime.conf import Conf


@dataclass(frozen=True)
class Worth:
    """How many expected events each factor is worth before data move it: the inverse square of how far it may lie off.

    `channel`: a channel's factor against that of all, and that against 1. `chance`: what rows chosen by chance say
    beyond all rows, which is one habit of the old policy; `apart`: how far it differs from channel to channel;
    `lately`: what all rows of the newest LATELY days say beyond all rows: creatives wear out, seasons turn.
    """

    channel: float
    chance: float
    apart: float
    lately: float


LATELY = 92  # days
LIFT_WORTH = Worth(channel=12.0, chance=150.0, apart=1000.0, lately=100.0)  # spreads of 0.3, 0.08, 0.03 and 0.1
CLICKS_WORTH = Worth(channel=12.0, chance=400.0, apart=1500.0, lately=300.0)  # the same for what comes in bunches

Seen = Callable[[pd.DataFrame, str], tuple[Floats, Floats]]  # rows and channel to what was seen and what was expected


def fit_lift(fits: Fits, sent: pd.DataFrame, conf: Conf) -> None:
    """A factor a channel on incremental applications: stage `lift`, `*` for channels nobody was sent to."""
    funnel = fits.funnel()

    def applied(rows: pd.DataFrame, channel: str) -> tuple[Floats, Floats]:
        organic = funnel.organic(rows)
        return rows["is_applied"].to_numpy(dtype=np.float64) - organic, funnel.added(rows, organic, channel)

    overall, by_channel = factors(sent, sorted(conf.channels), applied, LIFT_WORTH)
    for channel, (factor, rows, seen) in {"*": overall, **by_channel}.items():
        fits.add(Fitted("lift", channel, None, "ratio", rows, max(int(seen), 0), scale=factor))


def factors(
    sent: pd.DataFrame, channels: list[str], seen: Seen, worth: Worth
) -> tuple[tuple[float, int, float], dict[str, tuple[float, int, float]]]:
    """(factor, rows, seen) of all channels together, and of each that has rows.

    First on all rows, each channel's factor shrunk to that of all and that to 1; then what rows chosen by chance say
    beyond it, shrunk the same way: the old policy chose by what no feature tells, but chance chose few. Last what the
    newest rows of all channels say beyond the first.
    """
    told, newest = {}, _newest(sent)
    for channel in channels:
        rows = sent[of_channel(sent, channel)]
        if len(rows):
            found, expected = seen(rows, channel)
            weight = rows["weight"].to_numpy(dtype=np.float64)
            told[channel] = (
                np.stack([weight * found, weight * expected]),
                _by_chance(rows),
                newest[of_channel(sent, channel)],
            )
    count = {channel: both.shape[1] for channel, (both, _, _) in told.items()}
    whole = {channel: both.sum(axis=1) for channel, (both, _, _) in told.items()}
    overall, first = _shrunk(whole, worth.channel, worth.channel)
    drawn = {
        channel: both[:, chance].sum(axis=1) * np.array([1.0, first[channel]])
        for channel, (both, chance, _) in told.items()
    }
    beyond, second = _shrunk(drawn, worth.chance, worth.apart)
    recent = {
        channel: both[:, lately].sum(axis=1) * np.array([1.0, first[channel]])
        for channel, (both, _, lately) in told.items()
    }
    now, _ = _shrunk(recent, worth.lately, worth.lately)
    by_channel = {c: (now * first[c] * second[c], count[c], float(whole[c][0])) for c in told}
    total = sum(count.values()), float(sum(figures[0] for figures in whole.values()))
    return (overall * beyond * now, *total), by_channel


def _by_chance(rows: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return rows["role"].isin(RANDOMISED).to_numpy(dtype=bool)


def _newest(rows: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Rows of the newest LATELY days."""
    day = pd.to_datetime(rows["assigned_day"])
    return (day > day.max() - pd.Timedelta(days=LATELY)).to_numpy(dtype=bool)


def _shrunk(sums: dict[str, Floats], worth: float, each: float) -> tuple[float, dict[str, float]]:
    """Factors of (seen, expected): of all together, shrunk to 1 by `worth`; of each, shrunk to that by `each`."""
    seen, expected = (sum(float(both[at]) for both in sums.values()) for at in (0, 1))
    overall = _factor(seen, expected, 1.0, worth)
    return overall, {name: _factor(float(both[0]), float(both[1]), overall, each) for name, both in sums.items()}


def _factor(seen: float, expected: float, start: float, worth: float) -> float:
    return max(seen + start * worth, 0.0) / (expected + worth)
