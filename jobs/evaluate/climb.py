"""Every rung but the product, judged: what needs no plan of the product's, so that it may be played beside them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from jobs.evaluate.baselines import lateness
from jobs.evaluate.cutoff import cut_off
from jobs.evaluate.judge import Caps, Stakes, Verdict
from jobs.evaluate.ladder import Candidates, Paid, judged, orders
from jobs.evaluate.optima import optima
from jobs.market.taking import TakingOrder

Verdicts = dict[tuple[float, int], Verdict | None]


@dataclass(frozen=True)
class Climb:
    """Who asks for which volumes (good customers by share), of whom, under which caps."""

    stakes: Stakes
    truth: Path
    people: Candidates
    paid: Paid
    rungs: tuple[int, ...]
    goals: dict[float, float]
    caps: Caps


@dataclass(frozen=True)
class Climbed:
    """Verdicts by volume and rung, those of rungs cut off to keep the caps, rung 8's errors, and what there was to say.

    A verdict is None where a rung runs out of people before it reaches a volume.
    """

    verdicts: Verdicts
    cut: Verdicts
    errors: dict[float, float]
    said: tuple[str, ...]


def climb(asked: Climb) -> Climbed:
    """Judge the rungs one after another."""
    said: list[str] = []
    taken = orders(asked.stakes, asked.people, asked.paid, asked.rungs, said.append)
    verdicts: Verdicts = judged(asked.stakes, taken, asked.goals)
    cut = _cut_off(asked, taken, verdicts)
    errors: dict[float, float] = {}
    verdicts |= optima(
        asked.stakes, asked.truth, asked.people, asked.goals, asked.rungs, asked.caps, errors, said.append
    )
    return Climbed(verdicts, cut, errors, tuple(said))


@contextmanager
def beside(asked: Climb) -> Iterator[Future[Climbed]]:
    """The climb in a process of its own, while the caller does something else; ended on the way out."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool.submit(climb, asked)


def _cut_off(asked: Climb, taken: dict[int, TakingOrder], verdicts: Verdicts) -> Verdicts:
    """The rungs that break the caps, each cut off by what mature loans tell of lateness."""
    broken = [key for key, verdict in verdicts.items() if verdict is not None and not asked.caps.keeps(verdict)]
    if not broken:
        return {}
    risk = np.zeros(len(asked.stakes.late))
    risk[asked.people.row] = lateness(asked.people.seen)
    return {
        (share, rung): cut_off(asked.stakes, taken[rung], risk, asked.goals[share], asked.caps)
        for share, rung in broken
    }
