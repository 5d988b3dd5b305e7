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
    beyond all rows, which is one habit of the old policy; `hidden`: how much less than rows a policy chose they are
    taken to bring before they say so; `apart`: how far it differs from channel to channel. `lately`: what all rows of
    the newest LATELY days say beyond all rows: creatives wear out, seasons turn. `trend`: how far logs move in a month,
    itself a spread, 0 for no trend; what is planned is a LEAD newer than the newest rows.
    """

    channel: float
    chance: float
    hidden: float
    apart: float
    lately: float
    trend: float


LATELY, LEAD, MONTH = 92, 30, 30.4  # days
# Spreads of 0.3, 0.08, 0.03 and 0.1; clicks come in bunches.
LIFT_WORTH = Worth(channel=12.0, chance=150.0, hidden=0.05, apart=1000.0, lately=100.0, trend=0.01)
CLICKS_WORTH = Worth(channel=12.0, chance=400.0, hidden=0.0, apart=1500.0, lately=300.0, trend=0.01)

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
    newest rows of all channels say beyond the first, and where the trend of all rows takes that until the plan.
    """
    told, age = {}, _age(sent)
    for channel in channels:
        rows = sent[of_channel(sent, channel)]
        if len(rows):
            found, expected = seen(rows, channel)
            weight = rows["weight"].to_numpy(dtype=np.float64)
            told[channel] = (
                np.stack([weight * found, weight * expected]),
                _by_chance(rows),
                age[of_channel(sent, channel)],
            )
    count = {channel: both.shape[1] for channel, (both, _, _) in told.items()}
    whole = {channel: both.sum(axis=1) for channel, (both, _, _) in told.items()}
    overall, first = _shrunk(whole, worth.channel, worth.channel)
    drawn = {
        channel: both[:, chance].sum(axis=1) * np.array([1.0, first[channel]])
        for channel, (both, chance, _) in told.items()
    }
    chosen = 1.0 - sum(both[1] for both in drawn.values()) / max(sum(whole[c][1] * first[c] for c in told), 1e-9)
    start = 1.0 - worth.hidden * chosen if told else 1.0
    beyond, second = _shrunk(drawn, worth.chance, worth.apart, start)
    now = _ahead(
        [(both * np.array([[1.0], [first[channel]]]), days) for channel, (both, _, days) in told.items()], worth
    )
    by_channel = {c: (now * first[c] * second[c], count[c], float(whole[c][0])) for c in told}
    total = sum(count.values()), float(sum(figures[0] for figures in whole.values()))
    return (overall * beyond * now, *total), by_channel


def _by_chance(rows: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return rows["role"].isin(RANDOMISED).to_numpy(dtype=bool)


def _age(rows: pd.DataFrame) -> Floats:
    """Days from each row to the newest."""
    day = pd.to_datetime(rows["assigned_day"])
    return np.asarray((day.max() - day).dt.days, dtype=np.float64)


def _ahead(told: list[tuple[Floats, Floats]], worth: Worth) -> float:
    """What a list a LEAD newer than the newest rows brings over what all rows say, from (seen and expected, age)."""
    if not told:
        return 1.0
    (seen, expected), age = np.hstack([both for both, _ in told]), np.concatenate([days for _, days in told])
    lately = age < LATELY
    now = _factor(float(seen[lately].sum()), float(expected[lately].sum()), 1.0, worth.lately)
    if worth.trend == 0.0 or min(seen.sum(), expected[lately].sum()) <= 0.0:
        return now
    months = age / MONTH
    # One step from no trend: logs of seen over expected along months, as counts would have it.
    apart = months - np.average(months, weights=expected)
    known = float(seen.sum() / expected.sum() * (expected * apart**2).sum())
    a_month = float((seen * apart).sum()) / (known + 1.0 / worth.trend**2)
    since = np.average(months[lately], weights=expected[lately]) + LEAD / MONTH
    return now * float(np.exp(-a_month * since))


def _shrunk(sums: dict[str, Floats], worth: float, each: float, start: float = 1.0) -> tuple[float, dict[str, float]]:
    """Factors of (seen, expected): of all together, shrunk to `start` by `worth`; of each, shrunk to that by `each`."""
    seen, expected = (sum(float(both[at]) for both in sums.values()) for at in (0, 1))
    overall = _factor(seen, expected, start, worth)
    return overall, {name: _factor(float(both[0]), float(both[1]), overall, each) for name, both in sums.items()}


def _factor(seen: float, expected: float, start: float, worth: float) -> float:
    return max(seen + start * worth, 0.0) / (expected + worth)
